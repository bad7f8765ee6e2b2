"""Which counters this installation uses."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from mlplatform.tenancy.counters.base import Counters


def counters() -> Counters:
    """Return the counters that ``REQUEST_COUNTERS`` names, the same ones throughout a process."""
    return _made(settings.REQUEST_COUNTERS)


@cache
def _made(path: str) -> Counters:
    made: Counters = import_string(path)()
    return made
