"""What an entry of the trail changed, as a table and as a line."""

from mlplatform.admin.changes import changed_fields, changes_in_short


def test_what_stayed_and_what_was_never_said_is_left_out() -> None:
    assert changed_fields(None, {"name": "a", "limit": None}) == [
        {"field": "name", "before": None, "after": "a"}
    ]
    assert changed_fields({"role": "viewer", "name": "a"}, {"role": "admin", "name": "a"}) == [
        {"field": "role", "before": "viewer", "after": "admin"}
    ]


def test_a_line_tells_the_first_changes_with_short_values() -> None:
    assert changes_in_short({"role": "viewer"}, {"role": "admin"}) == "role: viewer → admin"
    assert changes_in_short(None, {"name": "a", "is_active": False}) == "name: a, is active: False"
    assert changes_in_short({"name": "a"}, None) == "name: a"
    assert changes_in_short({"champion": None}, {"champion": 1}) == "champion: – → 1"
    assert changes_in_short(None, None) == ""


def test_long_and_nested_values_are_named_only_and_more_are_counted() -> None:
    config = {"algorithms": [{"key": "x"}]}
    assert changes_in_short(None, {"config": config, "why": "x" * 30}) == "config, why"
    assert changes_in_short({}, dict.fromkeys("abcde", 1)).endswith(", and 2 more")
