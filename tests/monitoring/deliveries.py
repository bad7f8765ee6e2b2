"""A channel, an alert that it carries, and what its receiver was told."""

import json
from typing import Any

from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import Alert, Channel
from monitoring.services.channels import create_channel
from registry.models import RegisteredModel
from tests.web import Asked

KEY = "a-key-of-16-letters"


def webhook(url: str, **plain: Any) -> Channel:
    return create_channel(name="Pager", kind="webhook", settings={"url": url}, secret=KEY, by=SYSTEM, **plain)


def alert_of(model: RegisteredModel, severity: str = "warning", **fields: Any) -> Alert:
    words = {"title": "Inputs have drifted", "message": "3 of 10 features."}
    return Alert.objects.create(
        model=model,
        severity=severity,
        last_seen_at=timezone.now(),
        evidence={"share": 0.3},
        **words,
        **fields,
    )


def told(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked.body)
    return found
