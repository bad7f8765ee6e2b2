"""What stands beside answers for those who ask: how sure they are, and why they are so.

Of a request whose rows a rollout dealt to two versions each row is told by the one that answered it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from registry.errors import NoBounds
from registry.inference.bounds import Bounds, bounds_of
from registry.inference.conformal import Calibration
from registry.inference.reasons import Reasons
from registry.models import ModelVersion
from registry.services.explanations import version_reasons
from registry.services.forks import Given
from registry.services.plans import plan_for
from registry.tabular.errors import TooFewRows

T = TypeVar("T")


def bounds_for(given: Sequence[Given], coverage: float | None) -> Sequence[Bounds | None]:
    """Return what holds the truth at least so often, for each row; raises NoBounds.

    Nothing where ``coverage`` is None.
    """
    if coverage is None:
        return [None] * len(given)

    def of_version(version: ModelVersion, places: Sequence[int]) -> Sequence[Bounds]:
        if version.conformal is None:
            raise NoBounds(
                f"{version} cannot say how sure its answers are: its training kept nothing to judge that by. "
                "Ask without intervals, or train the model again with an algorithm that gives probabilities."
            )
        answers = [given[place].answer for place in places]
        try:
            return bounds_of(answers, msgspec.convert(version.conformal, Calibration), coverage)
        except TooFewRows as error:
            raise NoBounds(f"{version}: {error.detail}") from error

    return _by_version(given, of_version)


def reasons_for(
    given: Sequence[Given], rows: Sequence[dict[str, Any]], top: int | None
) -> Sequence[Reasons | None]:
    """Return the ``top`` largest contributions to each row's answer; raises NotExplainable and InvalidRows.

    Nothing where ``top`` is None.
    """
    if top is None:
        return [None] * len(given)

    def of_version(version: ModelVersion, places: Sequence[int]) -> Sequence[Reasons]:
        answers = [given[place].answer for place in places]
        return version_reasons(version, plan_for(version), [rows[place] for place in places], answers, top)

    return _by_version(given, of_version)


def _by_version(
    given: Sequence[Given], of_version: Callable[[ModelVersion, Sequence[int]], Sequence[T]]
) -> list[T]:
    """Ask once for each version, with the places of its rows; return what it says in the rows' order."""
    found: dict[int, T] = {}
    for version in {one.version.pk: one.version for one in given}.values():
        places = [place for place, one in enumerate(given) if one.version.pk == version.pk]
        found |= zip(places, of_version(version, places), strict=True)
    return [found[place] for place in range(len(given))]
