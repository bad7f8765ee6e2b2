"""Who computes an answer."""

from enum import StrEnum


class Engine(StrEnum):
    """The fitted pipeline itself, or its twin."""

    ORIGINAL = "original"
    ONNX = "onnx"


ENGINE_WORDS: dict[str, str] = {
    Engine.ORIGINAL: "the original pipeline",
    Engine.ONNX: "its twin in ONNX",
}
