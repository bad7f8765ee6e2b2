"""Who computes an answer."""

from enum import StrEnum


class Engine(StrEnum):
    """The fitted pipeline itself, its twin, or its stand-ins."""

    ORIGINAL = "original"
    ONNX = "onnx"
    WALKED = "walked"


# The mark of past answers that another system gave and that were imported: nothing here was asked.
IMPORTED_ENGINE = "imported"

ENGINE_WORDS: dict[str, str] = {
    Engine.ORIGINAL: "the original pipeline",
    Engine.ONNX: "its twin in ONNX",
    IMPORTED_ENGINE: "another system; it was imported as history",
    Engine.WALKED: "the original pipeline, its trees walked without the library's checks",
}
