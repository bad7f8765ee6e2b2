"""Texts that only one tenant has, in every text field of every table, and the finding of them elsewhere.

A canary is lower-case letters and digits: no escaping, in HTML, JSON, CSV or an address, changes it. Beside
what is planted, everything counts that is in this tenant's rows and not in the other's: keys, hashes,
identifiers.
"""

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
from django.db import models

from mlplatform.tenancy.models import AuditEvent, AuditHead, Membership, Tenant, TenantModel, User
from mlplatform.tenancy.walls import tenant_models
from tests.plugins.application_role import unlocked_history

PLANTED = re.compile(r"qanari\d{4}")
TOKEN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-z]{8,}", re.IGNORECASE
)
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
# Texts that the program itself reads: another one in its place would break the tenant's own pages.
READ_BY_CODE = {
    "feedback.HeldOutcome": {"digest", "sender_kind", "source"},
    "feedback.HistoryImport": {"content_hash"},
    "feedback.Outcome": {"source"},
    "feedback.Rating": {"source"},
    "monitoring.Channel": {"credential"},
    "monitoring.DriftResult": {"statistic"},
    "registry.Alias": {"name"},
    "registry.Dataset": {"file", "content_hash"},
    "registry.Deployment": {"alias", "actor_kind"},
    "registry.ModelVersion": {"algorithm", "artifact_file", "artifact_hash", "artifact_signature"},
    "registry.RegisteredModel": {"target"},
    "tenancy.ApiKey": {"prefix", "secret_hash"},
    "training.DataSource": {"credential"},
    "training.JobLogLine": {"level"},
    "training.RetrainingSchedule": {"cron", "unit", "timezone"},
    "training.TrainingJob": {"error_code"},
    "training.Trial": {"algorithm", "metric"},
}
# The trail is append-only: its canaries came with what was recorded.
NOT_REWRITTEN = (AuditEvent, AuditHead)


class Canaries:
    """A supply of canaries, each of which remembers where it was planted."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def new(self, place: str) -> str:
        """Return a text that is nowhere else."""
        canary = f"qanari{len(self.places):04d}"
        self.places[canary] = place
        return canary

    def place_of(self, found: str) -> str:
        """Return where what was found was planted."""
        return self.places.get(found, "a row")

    def plant(self) -> None:
        """Put a canary of its own into every free text of the newest row of each of the tenant's tables."""
        for model in tenant_models():
            if issubclass(model, NOT_REWRITTEN):
                continue
            texts = {field: self.new(f"{model._meta.label}.{field}") for field in free_texts(model)}
            newest = model.objects.order_by("-pk").values("pk")[:1]
            if texts:
                with unlocked_history():
                    model.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(**texts)


def free_texts(model: type[TenantModel]) -> list[str]:
    """Return the names of the fields in which people's words stand."""
    kept = READ_BY_CODE.get(model._meta.label, set())
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not (field.choices or field.name in kept)
        and (field.max_length is None or field.max_length >= 10)
    ]


def everything_of(tenant: Tenant) -> set[str]:
    """Return every text and key in the tenant's rows and in its people's; call it in the tenant's scope."""
    people = User.objects.filter(memberships__in=list(Membership.objects.all()))
    rows: Iterable[models.Model] = [tenant, *people]
    found = {text for row in rows for text in texts_in(vars(row))}
    for model in tenant_models():
        for values in model.objects.values():
            found |= set(texts_in({name: value for name, value in values.items() if name != "tenant_id"}))
    return found


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a value, however deep; whole numbers of many digits are keys, so texts too."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from texts_in(name)
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif value is not None:
        yield str(value)


class Secrets:
    """What is one tenant's alone."""

    def __init__(self, canaries: Canaries, own: set[str], others: set[str]) -> None:
        self.canaries = canaries
        self.tokens = {text.lower() for text in own - others if TOKEN.fullmatch(text)}

    def in_text(self, text: str) -> set[str]:
        """Return what of the tenant stands in the text."""
        plain = text.lower()
        planted = set(PLANTED.findall(plain)) if "qanari" in plain else set()
        return planted | (set(TOKEN.findall(THOUSANDS.sub("", plain))) & self.tokens)

    def in_bytes(self, content: bytes) -> set[str]:
        """Return what of the tenant stands in an answer or a file, archives and tables opened."""
        if content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = set().union(*(self.in_text(name) for name in archive.namelist()))
                return names.union(*(self.in_bytes(archive.read(name)) for name in archive.namelist()))
        if content.startswith(b"PAR1"):
            return self.in_text(pd.read_parquet(io.BytesIO(content)).to_csv())
        text = content.decode(errors="replace")
        return self.in_text(text).union(*(self.in_text(inner) for inner in decoded(text)))

    def named(self, found: Iterable[str]) -> str:
        """Return what was found with the places where it was planted."""
        return ", ".join(f"{one} ({self.canaries.place_of(one)})" for one in sorted(found))


def decoded(text: str) -> Iterator[str]:
    """Yield what stands in base64 in a text; cursors of lists do."""
    for found in ENCODED.findall(text) if len(text) < 200_000 else ():
        padded = found.rstrip("=") + "=" * (-len(found.rstrip("=")) % 4)
        try:
            inner = base64.urlsafe_b64decode(padded)
        except (binascii.Error, ValueError):
            continue
        if inner.isascii():
            yield inner.decode()
