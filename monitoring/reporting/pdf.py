"""A report as PDF: the same content as the page, with the verdict on its first page.

fpdf2 writes what it is given as text: there is no markup that somebody's words could be read as, and no
address that it would fetch. The letters are Inter's, which the console's theme brings along (Latin, Greek,
Cyrillic); signs of other scripts are shown as an empty box.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import unfold
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from mlplatform.pictures import Figure
from monitoring.reporting.articles import serves_words
from monitoring.reporting.document import Block, Chapter, Report
from monitoring.reporting.drawing import draw, size_of
from registry.cards.document import Facts, Grid, Prose, Sentence

INTER = Path(unfold.__file__).parent / "static" / "unfold" / "fonts" / "inter"
WEIGHTS = {"": "Inter-Regular.woff2", "B": "Inter-SemiBold.woff2"}
MARGIN, FOOT, PICTURE = 18.0, 20.0, 122.0  # mm
STRONG, PLAIN, FAINT, WARNING, RULE = "#111827", "#374151", "#6b7280", "#92400e", "#d1d5db"
LINE = 4.9  # mm from line to line of 9.5 points
NAMES = 44.0  # mm for the names in a list of facts
WIDEST_CELL = 60.0  # mm that a column asks for at most
WIDEST_WORD = 40.0  # mm up to which a word is never broken
SHORT = 18  # letters up to which a text is never broken
BOX = "□"
LONGEST_CELL = 700  # characters; so a row always fits a page


def report_pdf(report: Report, *, made_at: datetime) -> bytes:
    """Return the report as a PDF; ``made_at`` stands in its properties."""
    page = Page(report, made_at)
    try:
        for chapter in (*report.content.chapters, Chapter("About this report", [report.made])):
            page.chapter(chapter)
        return bytes(page.output())
    finally:
        for font in page.fonts.values():
            font.close()  # type: ignore[union-attr]  # of files


class Page(FPDF):
    """A4 in our dress: what the report is at the foot of each page, chapters as bookmarks."""

    def __init__(self, report: Report, made_at: datetime) -> None:
        super().__init__(format="A4")
        self.foot = f"{report.content.title}  ·  SHA-256 {report.digest[:16]}…"
        for style, name in WEIGHTS.items():
            self.add_font("Inter", style, INTER / name)
        self.set_font("Inter", size=9.5)
        self.signs = {sign for font in self.fonts.values() for sign in font.cmap}  # type: ignore[union-attr]  # of files
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=FOOT)
        self.set_title(report.content.title)
        self.set_lang("en")
        self.set_creation_date(made_at)
        self.add_page()
        self._first(report)

    def normalize_text(self, text: str) -> str:
        """Return the text with a box in place of each sign that the letters do not have."""
        known = "".join(sign if ord(sign) in self.signs or sign == "\n" else BOX for sign in text)
        return super().normalize_text(known)

    def footer(self) -> None:
        """Say at the foot which report this is, and which of how many pages."""
        self.set_y(-13)
        self._dress(7.5, FAINT)
        self.cell(self.epw - 24, 5, shown(self.foot, 120))
        self.cell(24, 5, f"{self.page_no()} / {{nb}}", align="R")

    def chapter(self, chapter: Chapter) -> None:
        """Write a heading, which articles it serves, and its blocks."""
        self._room(42)
        self.ln(4)
        self._dress(13, STRONG, "B")
        self.start_section(shown(chapter.title))
        self.multi_cell(0, 6.5, shown(chapter.title), new_x="LMARGIN", new_y="NEXT")
        self.set_draw_color(RULE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y() + 0.8, self.l_margin + self.epw, self.get_y() + 0.8)
        self.ln(2.2)
        if serves := serves_words(list(chapter.serves)):
            self._paragraph(serves, FAINT, 8)
        for block in chapter.blocks:
            BLOCKS[type(block)](self, block)

    def _first(self, report: Report) -> None:
        self._dress(19, STRONG, "B")
        self.multi_cell(0, 8.5, shown(report.content.title), new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        self.facts(report.content.about)
        self._dress(13, STRONG, "B")
        self.multi_cell(0, 8, "In short", new_x="LMARGIN", new_y="NEXT")
        for sentence in report.content.verdict:
            self._paragraph(sentence, STRONG, 10.5)

    def sentence(self, block: Sentence) -> None:
        """Write a sentence; in another colour where it tells of a gap."""
        self._paragraph(block.text, WARNING if block.missing else PLAIN)

    def prose(self, block: Prose) -> None:
        """Write what somebody wrote."""
        self._title(block.title)
        for lines in block.paragraphs():
            self._paragraph("\n".join(lines), PLAIN)
        if block.note:
            self._paragraph(block.note, FAINT, 8)

    def facts(self, block: Facts) -> None:
        """Write names and values beside each other."""
        rows = [[name, value] for name, value in block.rows]
        self._table(rows, (NAMES, self.epw - NAMES), headed=False)

    def grid(self, block: Grid) -> None:
        """Write a table; its head is repeated on each page."""
        self._title(block.title)
        self._dress(8.5, PLAIN)
        rows = [list(block.columns), *(list(row) for row in block.rows)]
        self._table(rows, self._widths(rows), headed=True)
        if block.note:
            self._paragraph(block.note, FAINT, 8)

    def figure(self, block: Figure) -> None:
        """Draw a picture below its title, and what one sees in it."""
        wide, tall = size_of(block.picture)
        self._room(PICTURE * tall / wide + 24)
        self._title(block.title)
        with self.local_context():
            height = draw(self, block.picture, left=self.l_margin, top=self.get_y(), width=PICTURE)
        self.set_y(self.get_y() + height + 1)
        self._paragraph(block.words, FAINT, 8)

    def _table(self, rows: Sequence[Sequence[str]], widths: Sequence[float], *, headed: bool) -> None:
        self._dress(8.5, PLAIN)
        self.set_draw_color(RULE)
        self.set_line_width(0.2)
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=tuple(widths),
            first_row_as_headings=headed,
            headings_style=FontFace(emphasis="", color=FAINT),
            line_height=4.4,
            padding=(0.9, 2.2, 0.9, 0),
            text_align="LEFT",
            v_align="TOP",
        ) as table:
            for values in rows:
                row = table.row()
                for place, value in enumerate(values):
                    name = not headed and place == 0
                    row.cell(shown(value, LONGEST_CELL), style=FontFace(color=FAINT) if name else None)
        self.ln(2.5)

    def _widths(self, rows: Sequence[Sequence[str]]) -> list[float]:
        """Return how wide the columns are: as their words need it, and together the page's width."""
        columns = [[shown(cell, LONGEST_CELL) for cell in column] for column in zip(*rows, strict=True)]
        wanted = [max(self.get_string_width(cell) for cell in column) + 4 for column in columns]
        # Short texts, such as dates, stay on one line; of the others no common word is broken.
        least = [
            width if max(map(len, column)) <= SHORT else self._longest_word(column) + 4
            for column, width in zip(columns, wanted, strict=True)
        ]
        if sum(least) >= self.epw:
            return [width * self.epw / sum(least) for width in least]
        more = [
            min(width, WIDEST_CELL + 4) - one if width > one else 0.0
            for width, one in zip(wanted, least, strict=True)
        ]
        more = [max(one, 0.01) for one in more]
        left = self.epw - sum(least)
        return [one + left * extra / sum(more) for one, extra in zip(least, more, strict=True)]

    def _longest_word(self, cells: Sequence[str]) -> float:
        words = (word for cell in cells for word in cell.split())
        return min(max((self.get_string_width(word) for word in words), default=0.0), WIDEST_WORD)

    def _title(self, words: str) -> None:
        if words:
            self._room(24)
            self.ln(1)
            self._dress(9.5, STRONG, "B")
            self.multi_cell(0, LINE + 0.6, shown(words), new_x="LMARGIN", new_y="NEXT")

    def _paragraph(self, words: str, colour: str, size: float = 9.5) -> None:
        if words:
            self._dress(size, colour)
            self.multi_cell(0, LINE * size / 9.5, shown(words), align="L", new_x="LMARGIN", new_y="NEXT")
            self.ln(1.4)

    def _dress(self, size: float, colour: str, style: Any = "") -> None:
        self.set_font("Inter", style, size)
        self.set_text_color(colour)

    def _room(self, height: float) -> None:
        """Go on to the next page where so much does not fit on this one."""
        if self.will_page_break(height):
            self.add_page()


def shown(words: str, longest: int = 4_000) -> str:
    """Return the words as they can be printed: control signs as spaces, at most so many letters."""
    plain = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in words)
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


BLOCKS: dict[type[Block], Callable[[Page, Any], None]] = {
    Facts: Page.facts,
    Figure: Page.figure,
    Grid: Page.grid,
    Prose: Page.prose,
    Sentence: Page.sentence,
}
