"""Which addresses are for programs, and which of them speak the Open Inference Protocol."""

API, OPEN_INFERENCE = "/api/", "/v2"


def is_for_programs(path: str) -> bool:
    """Tell whether programs call this address: with a key, and answered with documents instead of pages."""
    return path.startswith(API) or speaks_open_inference(path)


def speaks_open_inference(path: str) -> bool:
    """Tell whether the address is of the protocol, whose clients expect errors as ``{"error": "..."}``."""
    return path == OPEN_INFERENCE or path.startswith(f"{OPEN_INFERENCE}/")
