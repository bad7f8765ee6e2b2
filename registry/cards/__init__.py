"""Model cards as plain data, as Markdown that Hugging Face reads, and as HTML. Pure code, no Django."""

from registry.cards.document import Block, Document, Facts, Grid, Part, Prose, Sentence
from registry.cards.html import card_body, card_page
from registry.cards.markdown import card_markdown
from registry.cards.sections import SECTIONS, Section, Words, words_of

__all__ = [
    "SECTIONS",
    "Block",
    "Document",
    "Facts",
    "Grid",
    "Part",
    "Prose",
    "Section",
    "Sentence",
    "Words",
    "card_body",
    "card_markdown",
    "card_page",
    "words_of",
]
