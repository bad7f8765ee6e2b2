"""Loading a version beside the requests before it answers: until then, the one before it goes on."""

import threading
from contextvars import copy_context

from django.db import connection

from registry.errors import ArtifactCorrupt
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.services.damage import refusal_of
from registry.services.loading import is_loaded
from registry.services.plans import plan_for
from registry.services.rollout_ends import give_up

_warming: set[int] = set()
_answering: dict[int, ModelVersion] = {}  # by model: the champion that answered last
_lock = threading.Lock()


def warmed(champion: ModelVersion) -> ModelVersion:
    """Return the champion where it is in memory, else the one that answered before while it is being loaded.

    It is the champion as well where no other has answered in this process, and whoever asks waits for it; and
    where its file was refused a moment ago, which is for others to deal with.
    """
    if refusal_of(champion) is not None:
        return champion
    with _lock:
        before = _answering.get(champion.model_id)
    if before is None or before.pk == champion.pk or is_loaded(champion) or not _is_usable(before):
        with _lock:
            _answering[champion.model_id] = champion
        return champion
    warm(champion)
    before.model = champion.model
    return before


def warm(version: ModelVersion) -> None:
    """Load the version in a thread of its own, once, in the active tenant's scope."""
    with _lock:
        if version.pk in _warming:
            return
        _warming.add(version.pk)
    context = copy_context()
    threading.Thread(
        target=context.run, args=(_load, version), name=f"warm {version.pk}", daemon=True
    ).start()


def forget() -> None:
    """Know of no champion, as a process does that has just started."""
    with _lock:
        _answering.clear()


def _is_usable(version: ModelVersion) -> bool:
    ready = ModelVersion.objects.filter(pk=version.pk, status=VersionStatus.READY)
    return is_loaded(version) and ready.exists()


def _load(version: ModelVersion) -> None:
    try:
        plan_for(version)
    except ArtifactCorrupt as error:  # which is noted; the next request meets what stands in
        give_up(challenger=version, why=error.detail)
    finally:
        with _lock:
            _warming.discard(version.pk)
        connection.close()
