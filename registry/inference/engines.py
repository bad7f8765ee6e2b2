"""Who computes an answer."""

from enum import StrEnum


class Engine(StrEnum):
    """The fitted pipeline itself, its twin, or its stand-ins."""

    ORIGINAL = "original"
    ONNX = "onnx"
    WALKED = "walked"


ENGINE_WORDS: dict[str, str] = {
    Engine.ORIGINAL: "the original pipeline",
    Engine.ONNX: "its twin in ONNX",
    Engine.WALKED: "the original pipeline, its trees walked without the library's checks",
}
