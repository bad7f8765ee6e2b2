"""Why a fitted model is answered by itself alone."""


class NoTwin(Exception):
    """The model, or a part of it, cannot be expressed in another way; the text says what, as a sentence."""
