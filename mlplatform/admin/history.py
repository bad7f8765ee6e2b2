"""The history of one object, whether it is still there or not: its audit events as a table."""

from mlplatform.admin.changes import changes_in_short
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Lines, Link, Table
from mlplatform.tenancy.models import AuditEvent

SHOWN = 200


def history_of(kind: str, key: str) -> Table:
    """Return the newest audit events of the object, of a kind such as ``registry.dataset``."""
    events = AuditEvent.objects.about(kind, key)[:SHOWN]
    return Table(
        "History",
        ["When", "Who", "What", "Changes", "Details"],
        [
            [
                event.at,
                Lines(event.actor_label, [event.actor_kind.replace("_", " ")]),
                Link(event.action, page_url(event)),
                changes_in_short(event.before, event.after),
                event.details,
            ]
            for event in events
        ],
        empty="Nothing was recorded for this object.",
        note=f"The newest {SHOWN} entries of the audit trail.",
    )


def name_when_last_seen(kind: str, key: str) -> str | None:
    """Return what the trail last called the object, or None where it tells of no such object."""
    events = AuditEvent.objects.about(kind, key)
    return events.values_list("object_label", flat=True).first()
