"""What an entry of the audit trail changed, side by side."""

from collections.abc import Mapping
from typing import Any

from mlplatform.admin.parts import Table
from mlplatform.admin.render import words

FEW, SHORT = 3, 24


def changed_fields(before: Any, after: Any) -> list[dict[str, Any]]:
    """Return each field that differs, with its value before and after; unchanged ones are left out."""
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    names = list(dict.fromkeys([*old, *new]))
    return [
        {"field": words(name), "before": old.get(name), "after": new.get(name)}
        for name in names
        if old.get(name) != new.get(name)
    ]


def changes_in_short(before: Any, after: Any) -> str:
    """Return one line for a list: the first fields that differ, short values with them, and how many more."""
    changed = changed_fields(before, after)
    told = ", ".join(_in_short(one, whole=before is None or after is None) for one in changed[:FEW])
    return f"{told}, and {len(changed) - FEW} more" if len(changed) > FEW else told


def _in_short(change: Mapping[str, Any], *, whole: bool) -> str:
    """Return the field with its values, or its name alone where a value is no short one."""
    sides = [change["before"], change["after"]]
    values = ["–" if side in (None, "") else str(side) for side in sides if not whole or side is not None]
    if any(isinstance(side, Mapping | list) for side in sides) or max(map(len, values)) > SHORT:
        return str(change["field"])
    return f"{change['field']}: {' → '.join(values)}"


def changes_table(before: Any, after: Any) -> Table | None:
    """Return the changes as a section of a page, or None where the entry holds none."""
    if before is None and after is None:
        return None
    rows = [[one["field"], one["before"], one["after"]] for one in changed_fields(before, after)]
    empty = "Nothing differs."
    return Table("Changes", ["Field", "Before", "After"], rows, empty=empty, note="Secrets are left out.")
