"""Messages in plain words, for people who read them in a letter or a chat."""

from collections.abc import Mapping
from typing import Any


def lines_of(payload: Mapping[str, Any]) -> list[str]:
    """Return the message as paragraphs, the first of which says what happened."""
    told = [*map(_alert, payload.get("alerts", ())), *payload.get("lines", ())]
    count = len(payload.get("alerts", ()))
    where = [f"{count} alerts of {payload['model']}."] if count > 1 else []
    return [
        *where,
        *told,
        f"You hear of this through {payload['channel']}, a channel of {payload['tenant_name']}.",
    ]


def _alert(alert: Mapping[str, Any]) -> str:
    return (
        f"[{alert['severity']}] {alert['title']}. {alert['message']} "
        f"Console: Alerts. By program: GET /api/v1/alerts/{alert['id']}"
    )
