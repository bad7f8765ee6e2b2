"""The language of searches: what it reads, and what it refuses."""

import pytest

from registry.search import AllOf, AnyOf, Comparison, Not, SearchError, parse


def test_a_comparison_has_a_field_an_operator_and_a_value() -> None:
    assert parse("metrics.f1 >= 0.9") == Comparison("metrics", "f1", ">=", (0.9,))
    assert parse('ALGORITHM == "knn"') == Comparison("algorithm", "", "=", ("knn",))
    assert parse("champion = TRUE") == Comparison("champion", "", "=", (True,))
    assert parse("version != -1e3") == Comparison("version", "", "!=", (-1000.0,))


def test_names_that_are_no_words_stand_in_quotes() -> None:
    assert parse("""tags."my tag" = 'it\\'s'""") == Comparison("tags", "my tag", "=", ("it's",))


def test_and_binds_closer_than_or_and_not_closest() -> None:
    one, two, three = (Comparison("version", "", "=", (float(n),)) for n in (1, 2, 3))
    assert parse("version=1 or version=2 and not version=3") == AnyOf((one, AllOf((two, Not(three)))))
    assert parse("(version=1 or version=2) and version=3") == AllOf((AnyOf((one, two)), three))


def test_a_list_of_values_is_asked_by_in() -> None:
    assert parse('status in ("ready", "failed")') == Comparison("status", "", "in", ("ready", "failed"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics.f1 >", "the search ends, where a number"),
        ("metrics.f1 0.9", "'0.9' stands, where one of"),
        ("> 3", "'>' stands, where the name of a field"),
        ("version = 1 version = 2", "character 13 'version' stands, where and, or"),
        ('name = "open', "a text without its closing quote"),
        ("version = 1 ; drop", "cannot be read at character 13: '; drop'"),
        ("version = 1e999", "beyond all numbers"),
        ("status in ()", "where a number, true, false"),
        ("(version = 1", r"the search ends, where '\)'"),
        ("metrics. = 1", "a name after the point"),
        ("version = 3x", "cannot be read at character 11"),
        ("not " * 30 + "version = 1", "nested more than 20 deep"),
        ("version=1 or " * 130 + "version=1", "more than 400 words"),
        ("x" * 2001, "longer than 2,000"),
        ("", "the search ends"),
    ],
)
def test_what_is_no_search_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SearchError, match=said):
        parse(text)
