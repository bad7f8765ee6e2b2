"""Cards as Markdown and HTML: read by the hub's own rules, and never as markup where somebody wrote it."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from registry.cards import (
    Block,
    Document,
    Facts,
    Grid,
    Part,
    Prose,
    Sentence,
    card_body,
    card_markdown,
    card_page,
)
from registry.cards.markdown import escaped
from registry.cards.metadata import Indexed, Result, metadata_of
from registry.cards.sections import SECTIONS, words_of

EVIL = (
    "</td><script>alert(1)</script> ![x](javascript:alert(1)) [y](http://evil.example) `code` **bold** | x\n"
    "---\n# Heading\n- item\n1. one\n===\n> quote\n<img src=x onerror=alert(1)>\n"
    "    indented\n\n| a | b |\n| - | - |"
)
# How huggingface_hub finds the front matter (repocard.py, REGEX_YAML_BLOCK).
FRONT = re.compile(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|$))")
RESULTS = [Result("f1", "F1", 0.912345678, (0.88, 0.94)), Result("log_loss", "Log loss", float("inf"))]
TOLD = Indexed(
    "churn", "classification", "Classification", "random_forest", "apache-2.0", "Sales 2026", "ab12", RESULTS
)


def document(words: str = EVIL, metadata: dict[str, Any] | None = None) -> Document:
    blocks: list[Block] = [
        Sentence(words),
        Sentence(words, missing=True),
        Prose(words, words, words),
        Facts([(words, words)]),
        Grid([words, "plain"], [[words, "1"], ["2", words]], words, words),
    ]
    return Document(words, words, [Part(words, blocks)], metadata or metadata_of(TOLD))


class Tags(HTMLParser):
    """Which tags and attributes a page has, and all its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def front(markdown: str) -> dict[str, Any]:
    found = FRONT.search(markdown)
    assert found is not None
    told: dict[str, Any] = yaml.safe_load(found[2])
    return told


def test_words_are_no_markup_in_html() -> None:
    page = Tags(card_page(document(), "p { color: red }"))
    assert page.tags.isdisjoint({"script", "img", "a"})
    assert page.attributes <= {
        "charset",
        "name",
        "content",
        "lang",
        "class",
        "scope",
        "tabindex",
        "role",
        "aria-label",
    }
    assert "<script>alert(1)</script>" in page.text
    assert card_body(document()) in card_page(document(), "")


def test_words_are_no_markup_in_markdown() -> None:
    body = card_markdown(document()).partition("---\n\n")[2]
    for line in body.splitlines():
        bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", line)  # without what is escaped
        assert "<" not in bare
        assert "`" not in bare
        assert "[" not in bare
        assert not re.match(r"\s{4}|\t|>|[-=]{3,}\s*$|\d+[.)]\s", bare), line
        if bare.startswith("|"):
            assert bare.count("|") == 3, line
    headings = [line for line in body.splitlines() if line.startswith("#")]
    assert [line.split(" ")[0] for line in headings] == ["#", "##", "###", "###"]


@given(st.text())
@example("-{")
def test_any_text_stays_on_its_line_and_opens_nothing(text: str) -> None:
    line = escaped(text)
    assert line.isprintable()
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "x", line)  # what is escaped is a letter like any other
    assert not set(bare) & set("`*_[]<>|#~{}$^")
    assert not re.match(r"[-+](\s|$|-)|[=:]|\d{1,9}[.)](\s|$)", bare)


@pytest.mark.parametrize(
    "plain", ["0.9312", "-0.5", "e-mail: ann@clinic.example", "2026-11-21 at 10:00", "95 %"]
)
def test_usual_words_stay_readable(plain: str) -> None:
    assert escaped(plain).replace("\\", "") == plain
    assert len(escaped(plain)) - len(plain) <= 1


def test_the_front_matter_is_a_model_index_that_the_hub_reads() -> None:
    data = front(card_markdown(document()))
    assert data["license"] == "apache-2.0"
    assert data["library_name"] == "sklearn"
    assert data["pipeline_tag"] == "tabular-classification"
    assert data["tags"] == ["tabular", "tabular-classification", "random-forest"]
    # What model_index_to_eval_results of huggingface_hub demands of each result.
    (entry,) = data["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "churn"
    assert result["task"] == {"type": "tabular-classification", "name": "Classification"}
    assert result["dataset"] == {
        "type": "sales-2026",
        "name": "Sales 2026",
        "split": "test",
        "revision": "ab12",
    }
    assert result["metrics"] == [{"type": "f1", "value": 0.912346, "name": "F1 (95 % interval 0.88 to 0.94)"}]


@given(st.text(), st.text(), st.text())
def test_no_name_breaks_out_of_the_front_matter(data: str, licence: str, model: str) -> None:
    told = metadata_of(Indexed(model, "clustering", "Clustering", "k_means", licence, data, "ab", RESULTS))
    markdown = card_markdown(document("plain", told))
    assert front(markdown) == told
    assert "pipeline_tag" not in told
    assert markdown.partition("\n---\n")[2].startswith("\n# plain\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("MIT", {"license": "mit"}),
        ("For our own clinic.\nNobody else.", {"license": "other", "license_name": "for-our-own-clinic"}),
        ("£$%", {"license": "other", "license_name": "custom"}),
        ("", {}),
    ],
)
def test_a_licence_is_the_hubs_or_has_a_name(words: str, told: dict[str, str]) -> None:
    found = metadata_of(Indexed("m", "regression", "Regression", "ridge", words, "d", "ab", []))
    assert {key: value for key, value in found.items() if key.startswith("license")} == told
    assert found["model-index"] == [{"name": "m", "results": []}]


def test_a_versions_words_stand_before_the_models_and_those_before_the_description() -> None:
    def written(text: str) -> dict[str, str]:
        return {"text": text, "by": "ann", "at": "2026-11-21T10:00:00+00:00"}

    words = words_of(
        {"limits": written("all"), "ethics": written("all")}, {"limits": written("one")}, "Triage."
    )
    assert {key: (one.text, one.whose) for key, one in words.items() if one.written} == {
        "purpose": ("Triage.", "description"),
        "limits": ("one", "version"),
        "ethics": ("all", "model"),
    }
    assert list(words) == [section.key for section in SECTIONS]


@pytest.mark.parametrize("arrived", ["text", 7, [], {"text": ""}, {"text": " "}, {"by": "ann"}])
def test_words_of_a_form_that_nobody_wrote_here_are_no_words(arrived: Any) -> None:
    assert not words_of({"limits": arrived})["limits"].written
