"""Why an answer is as it is, as numbers and as words."""

from collections.abc import Mapping

import msgspec

DEFAULT_TOP, MOST_TOP = 5, 50


class Contribution(msgspec.Struct, frozen=True):
    """How far one column's value moved the answer away from what is usual."""

    feature: str
    effect: float


class Explanation(msgspec.Struct, frozen=True):
    """``answer`` = ``base`` + the effects, exactly for Shapley values, nearly for a surrogate.

    ``method`` is ``shap``, ``shapley`` or ``surrogate``; ``fidelity`` the share of the model's movement
    around the row that the surrogate follows (weighted R²), None for Shapley values. The largest effects come
    first.
    """

    method: str
    base: float
    answer: float
    contributions: list[Contribution]
    fidelity: float | None = None


class Reasons(msgspec.Struct, frozen=True):
    """What stands beside an answer for those who ask why: the largest contributions, and ``others`` together.

    ``explained`` is the class whose probability is meant, None for a number.
    """

    explained: str | None
    method: str
    base: float
    answer: float
    contributions: list[Contribution]
    others: float
    sentences: list[str]
    fidelity: float | None = None


def sentence(part: Contribution, value: str) -> str:
    """Say a contribution in words; ``value`` is the column's, as it may be shown."""
    way = "pushes up by" if part.effect >= 0 else "pushes down by"
    return f"{part.feature} {value} {way} {abs(part.effect):.3g}"


def top_reasons(found: Explanation, label: str | None, values: Mapping[str, str], top: int) -> Reasons:
    """Return the ``top`` largest contributions in numbers and words, and what all others come to."""
    largest, rest = found.contributions[:top], found.contributions[top:]
    return Reasons(
        explained=label,
        method=found.method,
        base=found.base,
        answer=found.answer,
        contributions=largest,
        others=sum(part.effect for part in rest),
        sentences=[sentence(part, values.get(part.feature, "")) for part in largest],
        fidelity=found.fidelity,
    )
