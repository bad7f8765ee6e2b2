"""The history of one object: its audit events as a table."""

from django.db.models import Model

from mlplatform.admin.changes import changed_fields
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Lines, Link, Table
from mlplatform.tenancy.models import AuditEvent

SHOWN = 200


def history_of(row: Model) -> Table:
    """Return the newest audit events of the object."""
    events = AuditEvent.objects.filter(object_type=row._meta.label_lower, object_id=str(row.pk))[:SHOWN]
    return Table(
        "History",
        ["When", "Who", "What", "Changes", "Details"],
        [
            [
                event.at,
                Lines(event.actor_label, [event.actor_kind.replace("_", " ")]),
                Link(event.action, page_url(event)),
                changed_fields(event.before, event.after),
                event.details,
            ]
            for event in events
        ],
        empty="Nothing was recorded for this object.",
        note=f"The newest {SHOWN} entries of the audit trail.",
    )
