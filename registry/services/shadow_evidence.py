"""The figures of a version in shadow for whoever judges it here.

They hold outcomes, of which this part of the platform knows nothing: a higher one brings what computes them.
"""

from collections.abc import Callable
from datetime import datetime

from registry.gates.figures import ShadowFigures
from registry.models import ModelVersion

Source = Callable[[ModelVersion, ModelVersion, datetime | None], ShadowFigures]
_sources: list[Source] = []


def provide(source: Source) -> Source:
    """Let the function compute the figures, of a version and the one that was heard, since a moment."""
    _sources[:] = [source]
    return source


def shadow_figures(
    version: ModelVersion, heard: ModelVersion, since: datetime | None = None
) -> ShadowFigures:
    """Return what is known of the version in shadow of the one that was heard, by default of seven days."""
    (source,) = _sources
    return source(version, heard, since)
