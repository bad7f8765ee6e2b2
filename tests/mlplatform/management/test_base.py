"""How commands print what they return."""

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError

from mlplatform.errors import InvalidInput
from mlplatform.management.base import PlatformCommand, as_text


class Echo(PlatformCommand):
    """Returns what it is told, or raises it."""

    help = "Echo."
    example = "python manage.py echo"

    def run(self, **options: Any) -> Any:
        """Return or raise the result."""
        if isinstance(options["result"], Exception):
            raise options["result"]
        return options["result"]


def printed(result: Any, *, as_json: bool = False) -> str:
    out = io.StringIO()
    Echo(stdout=out).handle(result=result, json=as_json)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "yes"),
        (False, "no"),
        (0.123456, "0.1235"),
        (7, "7"),
        ([], "none"),
        (["a", "b"], "a, b"),
        (Path("answers.csv"), "answers.csv"),
        (datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=1))), "2026-03-01 08:30 UTC"),
    ],
)
def test_values_are_words_and_no_python(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize("name", ["scores [v2]", "a [/red] b", "[bold]", "\\[x]"])
def test_brackets_in_peoples_names_are_printed_as_they_are(name: str) -> None:
    assert name in printed({"dataset": name})
    assert name in printed([{"name": name}])
    assert name in printed(name)


def test_a_list_of_rows_is_a_table_and_an_empty_one_says_so() -> None:
    lines = printed([{"name": "north", "champion": 2}, {"name": "south", "champion": None}]).splitlines()
    assert [word.strip() for word in lines[0].split("┃")] == ["name", "champion"]
    assert "None" not in "".join(lines)
    assert printed([]).strip() == "Nothing to show."


def test_what_stands_inside_is_told_line_by_line() -> None:
    text = printed({"gates": {"Signed": "It is."}, "errors": [{"index": 3, "message": "No such row."}]})
    assert "  Signed: It is." in text
    assert "No such row." in text
    assert "{" not in text


def test_nothing_is_printed_for_no_result() -> None:
    assert printed(None) == ""


def test_json_holds_times_in_utc_as_the_api_writes_them() -> None:
    berlin = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    answer = json.loads(printed({"at": berlin, "file": Path("a.csv")}, as_json=True))
    assert answer == {"at": "2026-03-01T08:30:00Z", "file": "a.csv"}
    assert json.loads(printed({"at": datetime(2026, 3, 1, tzinfo=UTC)}, as_json=True))["at"].endswith("Z")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvalidInput("The rows are wrong."), "The rows are wrong."),
        (InvalidInput("Wrong.", fields={"folds": ["Too many."]}), "Too many."),
        (ValidationError(["One.", "Two."]), "One.; Two."),
    ],
)
def test_an_expected_failure_ends_the_command_with_its_sentence(error: Exception, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        printed(error)
    assert told in str(caught.value)
    assert caught.value.returncode == 1


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        printed(ZeroDivisionError())


def test_the_help_shows_an_example() -> None:
    assert "manage.py echo" in Echo().create_parser("manage.py", "echo").format_help()
