"""A picture with its heading and what one sees in it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``picture`` is an SVG of this package, whose words are escaped; ``words`` say what one sees."""

    title: str
    picture: str
    words: str = ""
