"""A card as Markdown with YAML in front: the README.md of a model on Hugging Face.

The front matter follows the specification of the hub (https://github.com/huggingface/hub-docs, modelcard.md):
``model-index`` holds the results. Every text is escaped, so that nobody's words and no value of the data are
read as markup: CommonMark takes any ASCII punctuation after a backslash for itself (section 2.4).
"""

import re
from collections.abc import Sequence

import yaml

from registry.cards.document import Block, Document, Facts, Grid, Prose, Sentence

MARKUP = re.compile(r"([\\`*_{}\[\]#|~!$^])")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What opens a list, a heading's underline, a definition or a numbered item at the beginning of a line.
OPENING = re.compile(r"^(?:([=:]|[-+](?=[\s+-]|$))|(\d{1,9})([.)])(?=\s|$))")
WIDEST = 2**31  # no line of the front matter is folded


def card_markdown(document: Document) -> str:
    """The card as text in UTF-8, its front matter first."""
    front = yaml.safe_dump(
        dict(document.metadata), sort_keys=False, allow_unicode=True, default_flow_style=False, width=WIDEST
    )
    lines = [
        "---",
        front.rstrip("\n"),
        "---",
        "",
        f"# {escaped(document.title)}",
        "",
        escaped(document.lead),
        "",
    ]
    for part in document.parts:
        lines += [f"## {escaped(part.title)}", ""]
        for block in part.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """The text on one line, so that it is shown as it is."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    marked = MARKUP.sub(r"\\\1", "".join(ENTITIES.get(sign, sign) for sign in line))
    return OPENING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", marked)


def _block(block: Block) -> list[str]:
    if isinstance(block, Sentence):
        return [f"*{escaped(block.text)}*" if block.missing else escaped(block.text)]
    if isinstance(block, Facts):
        return [f"- **{escaped(name)}:** {escaped(value)}" for name, value in block.rows]
    return _grid(block) if isinstance(block, Grid) else _prose(block)


def _prose(block: Prose) -> list[str]:
    lines = [f"### {escaped(block.title)}", ""]
    for paragraph in block.paragraphs():
        lines += ["\\\n".join(map(escaped, paragraph)), ""]  # a backslash at a line's end breaks the line
    return [*lines, f"*{escaped(block.note)}*"] if block.note else lines[:-1]


def _grid(block: Grid) -> list[str]:
    lines = [f"### {escaped(block.title)}", ""] if block.title else []
    rule = f"|{' --- |' * len(block.columns)}"
    lines += [_row(block.columns), rule, *map(_row, block.rows)]
    return [*lines, "", escaped(block.note)] if block.note else lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"
