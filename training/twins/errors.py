"""Why there is no twin."""


class NoTwin(Exception):
    """The pipeline cannot be expressed; the text says why, for people."""
