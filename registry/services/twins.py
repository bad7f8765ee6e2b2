"""Storing and loading the twins of versions: sealed like artefacts, parsed only when they prove right."""

import logging
import threading
import time
from typing import Any

import msgspec
from django.conf import settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.artifacts.signing import seal
from registry.errors import ArtifactCorrupt
from registry.inference.twins import StoredTwin, Twin, TwinReport, open_twin
from registry.models import ModelVersion
from registry.services.loading import CACHE, owner_label, verified_bytes
from registry.storage import content_path, write_once

logger = logging.getLogger(__name__)
FOLDER = "twins"
ASKED_AGAIN_SECONDS = 60.0  # a damaged file is not read for each request

_refused: dict[int, float] = {}
_lock = threading.Lock()


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
    if _is_refused(version):
        return None
    try:
        twin = open_twin(verified_bytes(version, "twin"))
    except ArtifactCorrupt as error:
        _refuse(version, error)
        return None
    CACHE.put(key, twin, limit=settings.MODEL_CACHE_SIZE)
    return twin


def twin_facts(version: ModelVersion) -> dict[str, Any]:
    """Return what is known of the version's twin, as the API and the command tell it."""
    report = msgspec.convert(version.twin, TwinReport)
    made = bool(version.twin_file)
    untold = "" if made else "Versions had no twin yet when this one was made."
    return {
        "made": made,
        "reason": report.reason or untold,
        "rows": report.rows,
        "labels_differing": report.labels,
        "difference": report.difference,
        "tolerance": report.tolerance,
        "bytes": version.twin_bytes,
        "sha256": version.twin_hash,
    }


def _is_refused(version: ModelVersion) -> bool:
    with _lock:
        since = _refused.get(version.pk)
    return since is not None and time.monotonic() - since < ASKED_AGAIN_SECONDS


def _refuse(version: ModelVersion, error: ArtifactCorrupt) -> None:
    with _lock:
        first = version.pk not in _refused
        _refused[version.pk] = time.monotonic()
    logger.error("The twin of version %s is not used: %s", version.pk, error.detail)
    if first:  # one entry of each process tells the tale
        with tenant_transaction():
            record(by=SYSTEM, action="version.twin_refused", target=version, detail=error.detail)
