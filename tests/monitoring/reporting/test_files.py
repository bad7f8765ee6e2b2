"""Reports as files: what stands in them, and that nobody's words are read as markup."""

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from mlplatform.pictures import Axis, Bar, Figure, Line, bars, plot
from monitoring.reporting.articles import ARTICLES, serves_words
from monitoring.reporting.document import Block, Chapter, Content, Report, content_hash, table
from monitoring.reporting.drawing import draw
from monitoring.reporting.html import report_page
from monitoring.reporting.pdf import Page, report_pdf
from registry.cards.document import Facts, Prose, Sentence

MADE_AT = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
HOSTILE = (
    "<script src=https://evil.example/x.js></script> <img src=https://evil.example/p> & [a](file:///etc)"
)


def picture(name: str = "mean_radius") -> str:
    line = Line("v1", [0.0, 1.0, 2.0], [0.9, 0.8, 0.85], "both", [0.8, 0.7, 0.8], [0.95, 0.9, 0.9])
    guide = Line("hold-out", [0.0, 2.0], [0.9, 0.9], "guide")
    return plot([line, guide], x=Axis("days"), y=Axis(name), title=name)


def report(*, rows: int = 3, words: str = HOSTILE) -> Report:
    blocks: list[Block] = [
        Sentence("No outcomes came back.", missing=True),
        Prose("Said", words, "by somebody"),
        table(["Name", "Words"], [[f"row {place}", words] for place in range(rows)], title="Table"),
        Figure("Course", picture(words), words),
        Figure("Bars", bars([Bar(words, 0.5, 0.4, 0.6), Bar("b", -0.2)], axis="PSI", title=words), words),
    ]
    chapters = [Chapter("Performance", blocks, ("15", "72"))]
    content = Content("Report on cancer", Facts([("Model", words)]), ["One.", words, "Three."], chapters)
    return Report(content, Facts([("Made", "today")]), "cancer-report")


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_pdf_says_what_the_page_says() -> None:
    made = report(rows=40)
    text = " ".join(text_of(report_pdf(made, made_at=MADE_AT)).split())
    for words in (
        "Report on cancer",
        "In short",
        "One.",
        "Serves Articles 15 and 72",
        "No outcomes came back.",
    ):
        assert words in text
    assert "20 more rows are left out here." in text
    assert "row 19" in text
    assert "row 20" not in text
    assert made.digest[:16] in text
    assert "1 / " in text


def test_somebodys_words_are_text_in_the_pdf_and_lead_nowhere() -> None:
    pdf = report_pdf(report(), made_at=MADE_AT)
    assert "<script src=https://evil.example/x.js></script>" in " ".join(text_of(pdf).split())
    for page in PdfReader(io.BytesIO(pdf)).pages:
        assert "/Annots" not in page
    for sign in (b"/JavaScript", b"/URI", b"/Launch", b"/EmbeddedFile"):
        assert sign not in pdf


def test_somebodys_words_are_escaped_on_the_page() -> None:
    page = report_page(report(), "p { color: red }")
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script src=https://evil.example/x.js&gt;") >= 5
    assert "default-src 'none'" in page


def test_letters_of_many_languages_are_printed_and_unknown_ones_are_boxes() -> None:
    text = text_of(report_pdf(report(words="Größe Ωμέγα Привет 中文 \x00\x1b"), made_at=MADE_AT))
    for words in ("Größe", "Ωμέγα", "Привет"):
        assert words in text
    assert "中" not in text


def test_a_word_and_a_cell_without_end_fit_on_the_page() -> None:
    pdf = report_pdf(report(words="x" * 5_000), made_at=MADE_AT)
    assert len(PdfReader(io.BytesIO(pdf)).pages) < 12


def test_the_same_content_has_the_same_hash_whoever_made_it() -> None:
    one, other = report(), Report(report().content, Facts([("Made", "tomorrow")]), "x")
    assert one.digest == other.digest == content_hash(one.content)
    assert report(words="else").digest != one.digest


def test_a_picture_of_somebody_else_is_refused() -> None:
    page = Page(report(), MADE_AT)
    foreign = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><image href="file:///etc/passwd"/></svg>'
    )
    with pytest.raises(ValueError, match="no image"):
        draw(page, foreign, left=0, top=0, width=10)


def test_each_article_is_said_with_its_number() -> None:
    assert serves_words(["12"]) == "Serves Article 12 of the AI Act."
    assert serves_words(["12", "19", "26(6)"]) == "Serves Articles 12, 19 and 26(6) of the AI Act."
    assert serves_words([]) == ""
    assert all(key == one.number for key, one in ARTICLES.items())
    with pytest.raises(KeyError):
        serves_words(["999"])
