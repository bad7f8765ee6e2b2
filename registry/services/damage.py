"""Files of versions that were refused: what this process knows of them, and how others are told.

A damaged file is read again only after a while, so that no client can have a server read it for each request;
a restored one is taken up by itself within that time.
"""

import logging
import threading
import time

from django.core.cache import cache

from registry.errors import ArtifactCorrupt
from registry.models import ModelVersion
from registry.signals import file_refused

logger = logging.getLogger(__name__)
ASKED_AGAIN_SECONDS = 10.0
TOLD_AGAIN_SECONDS = 60  # by all processes together
# A version's files that are signed: what their columns begin with, and what people call them.
SIGNED_FILES = {"artifact": "artefact", "twin": "twin"}

_Refusal = tuple[float, ArtifactCorrupt]
_refused: dict[tuple[int, str], _Refusal] = {}
_lock = threading.Lock()


def refusal_of(version: ModelVersion, kind: str = "artifact") -> ArtifactCorrupt | None:
    """Return why this process refused the version's file a moment ago, None where it may be tried."""
    with _lock:
        refused = _refused.get((version.pk, kind))
        if refused is None or time.monotonic() - refused[0] >= ASKED_AGAIN_SECONDS:
            return None
        return refused[1]


def note_refusal(version: ModelVersion, error: ArtifactCorrupt, kind: str = "artifact") -> None:
    """Remember that the file was refused, and have whoever watches over the tenant look at it."""
    with _lock:
        _refused[version.pk, kind] = time.monotonic(), error
    logger.error("The %s of version %s is not used: %s", SIGNED_FILES[kind], version.pk, error.detail)
    if cache.add(f"file-refused:{kind}:{version.pk}", 1, TOLD_AGAIN_SECONDS):
        file_refused.send_robust(
            sender=ModelVersion, tenant_id=version.tenant_id, version_id=version.pk, kind=kind
        )


def forget_refusals() -> None:
    """Try every file again, as a process does that has just started."""
    with _lock:
        _refused.clear()
