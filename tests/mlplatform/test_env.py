"""Settings are read strictly: what cannot be understood stops the start."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mlplatform.env import Environment
from mlplatform.secret_key import kept_secret_key


@pytest.mark.parametrize(("text", "meaning"), [("true", True), ("ON", True), ("0", False), ("no", False)])
def test_switch_is_read(text: str, meaning: bool) -> None:
    assert Environment({"X": text}).boolean("X", not meaning) is meaning


@pytest.mark.parametrize("text", ["ture", "enabled", "", "2"])
def test_switch_that_is_neither_true_nor_false_stops_the_start(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="neither true nor false"):
        Environment({"X": text}).boolean("X", False)


def test_missing_text_without_default_says_what_to_set() -> None:
    with pytest.raises(ImproperlyConfigured, match="is not set"):
        Environment({}).text("X")


def test_number_is_checked_against_its_smallest_value() -> None:
    assert Environment({"X": "7"}).integer("X", 1, minimum=7) == 7
    with pytest.raises(ImproperlyConfigured, match="below the smallest value, 8"):
        Environment({"X": "7"}).integer("X", 1, minimum=8)


@pytest.mark.parametrize("text", ["seven", "1.5", "nan"])
def test_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        Environment({"X": text}).integer("X", 1)


def test_not_a_number_is_no_decimal_either() -> None:
    with pytest.raises(ImproperlyConfigured, match="below the smallest"):
        Environment({"X": "nan"}).decimal("X", 1.0)


def test_default_stands_where_nothing_is_set() -> None:
    env = Environment({})
    assert env.integer("X", 3) == 3
    assert env.decimal("X", 0.5) == 0.5
    assert env.boolean("X", True) is True
    assert env.optional("X") is None
    assert env.items("X", "a, b,,") == ["a", "b"]


def test_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    assert Environment({"X_FILE": str(tmp_path / "secret")}).text("X") == "s3cret"


def test_secret_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"X_FILE=.*cannot be read"):
        Environment({"X_FILE": str(tmp_path / "absent")}).text("X")


def test_paths_are_absolute() -> None:
    assert Environment({"X": "here"}).path("X", Path("/")).is_absolute()


def test_kept_key_is_made_once_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    first = kept_secret_key(tmp_path / "data")
    assert len(first) >= 50
    assert kept_secret_key(tmp_path / "data") == first
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "data").iterdir()) == [tmp_path / "data" / "secret_key"]
