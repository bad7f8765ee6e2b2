"""What an entry of the audit trail changed, side by side."""

from collections.abc import Mapping
from typing import Any

from mlplatform.admin.parts import Table
from mlplatform.admin.render import words


def changed_fields(before: Any, after: Any) -> list[dict[str, Any]]:
    """Return each field that differs, with its value before and after; unchanged ones are left out."""
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    names = list(dict.fromkeys([*old, *new]))
    return [
        {"field": words(name), "before": old.get(name), "after": new.get(name)}
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    ]


def changes_table(before: Any, after: Any) -> Table | None:
    """Return the changes as a section of a page, or None where the entry holds none."""
    if before is None and after is None:
        return None
    rows = [[one["field"], one["before"], one["after"]] for one in changed_fields(before, after)]
    empty = "Nothing differs."
    return Table("Changes", ["Field", "Before", "After"], rows, empty=empty, note="Secrets are left out.")
