"""How checks of data are told: what they found, and how many found nothing."""

import pytest

from mlplatform.admin.parts import Badge, Fold
from training.admin.words import verdicts_table
from training.checks import Finding, Verdict


def finding(verdict: Verdict, message: str) -> Finding:
    return Finding("balance", verdict, message, hint="" if verdict is Verdict.passed else "Look.")


def test_findings_are_rows_and_what_passed_is_only_counted() -> None:
    table = verdicts_table(
        "Data checks",
        [
            finding(Verdict.passed, "Classes are even."),
            finding(Verdict.warning, "One class is rare."),
            finding(Verdict.passed, "No column is constant."),
            finding(Verdict.impossible, "Nothing to tell apart."),
        ],
        note="Where they find something: warn.",
    )
    assert [list(row) for row in table.rows] == [
        [Badge("Look at this", "warn"), "One class is rare.", "Look."],
        [Badge("Stopped", "bad"), "Nothing to tell apart.", "Look."],
    ]
    assert table.fold == Fold("2 checks found nothing", ["Classes are even.", "No column is constant."])
    assert table.note == "Where they find something: warn."


def test_one_that_found_nothing_is_one_check() -> None:
    fold = verdicts_table("Data checks", [finding(Verdict.passed, "Even.")]).fold
    assert fold is not None
    assert fold.title == "1 check found nothing"


@pytest.mark.parametrize(
    "findings", [[], [finding(Verdict.passed, "Even.")]], ids=["no checks", "nothing found"]
)
def test_without_a_finding_no_row_is_shown(findings: list[Finding]) -> None:
    table = verdicts_table("Data checks", findings)
    assert (table.rows, table.empty) == ([], "Everything is in order.")


def test_where_every_check_found_something_nothing_is_folded_away() -> None:
    assert verdicts_table("Data checks", [finding(Verdict.warning, "Rare.")]).fold is None
