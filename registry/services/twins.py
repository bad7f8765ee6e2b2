"""Storing and loading the twins of versions: sealed like artefacts, parsed only when they prove right."""

from typing import Any

import msgspec
from django.conf import settings
from django.core.cache import cache

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.artifacts.signing import seal
from registry.errors import ArtifactCorrupt
from registry.inference.twins import StoredTwin, Twin, TwinReport, open_twin
from registry.models import ModelVersion
from registry.services.damage import note_refusal, refusal_of
from registry.services.loading import CACHE, owner_label, verified_bytes
from registry.storage import content_path, write_once

FOLDER = "twins"
TWIN_UNPACKED = 2  # the file is not compressed; the session keeps the graph and what it has prepared
TOLD_EVERY_SECONDS = 3600


def store_twin(twin: StoredTwin | None) -> dict[str, Any]:
    """Seal and store the twin where there is one; return the version's columns that tell of it."""
    if twin is None:
        return {}
    about = {"twin": msgspec.to_builtins(twin.report)}
    if not twin.data:
        return about
    sealed = seal(twin.data, key=settings.ARTIFACT_KEY, owner=owner_label(current_tenant_id()))
    path = content_path(FOLDER, sealed.sha256)
    write_once(path, twin.data)
    return {
        **about,
        "twin_file": path,
        "twin_hash": sealed.sha256,
        "twin_signature": sealed.signature,
        "twin_bytes": len(twin.data),
    }


def load_twin(version: ModelVersion) -> Twin | None:
    """Return the version's twin, from memory where this process holds it, None where there is none.

    A twin that is damaged or gone is not parsed: the trail and the log tell of it, and the original answers.
    """
    if not version.twin_file:
        return None
    key = (current_tenant_id(), version.twin_hash, version.twin_signature)
    known = CACHE.get(key)
    if known is not None:
        return known  # type: ignore[no-any-return]  # the cache holds what was put under this hash
    if refusal_of(version, "twin") is not None:
        return None
    try:
        twin = open_twin(verified_bytes(version, "twin"))
    except ArtifactCorrupt as error:
        _refuse(version, error)
        return None
    CACHE.put(key, twin, size=TWIN_UNPACKED * version.twin_bytes)
    return twin


def twin_facts(version: ModelVersion) -> dict[str, Any]:
    """Return what is known of the version's twin, as the API and the command tell it."""
    report = msgspec.convert(version.twin, TwinReport)
    made, walked = bool(version.twin_file), report.walked
    gone = "It is kept no more." if version.twin_hash else "Versions had no twin yet when this one was made."
    untold = "" if made else gone
    return {
        "made": made,
        "reason": report.reason or untold,
        "rows": report.rows,
        "labels_differing": report.labels,
        "difference": report.difference,
        "tolerance": report.tolerance,
        "bytes": version.twin_bytes,
        "sha256": version.twin_hash,
        "walked": walked is not None and not walked.reason,
        "walked_reason": "" if walked is None else walked.reason,
    }


def _refuse(version: ModelVersion, error: ArtifactCorrupt) -> None:
    note_refusal(version, error, "twin")
    if cache.add(f"twin-refused:{version.pk}", 1, TOLD_EVERY_SECONDS):  # one entry tells the tale
        with tenant_transaction():
            record(by=SYSTEM, action="version.twin_refused", target=version, detail=error.detail)
