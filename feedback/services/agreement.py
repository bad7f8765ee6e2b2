"""How far the people who label agree, by pair and overall."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from feedback.models import Label, LabelItem
from feedback.services.feedback_settings import feedback_settings_of
from feedback.statistics.agreement import cohen_kappa, numbers_agree
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import RegisteredModel

NEWEST = 10_000


@dataclass(frozen=True)
class Agreed:
    """Rows that two people labelled, of how many they said the same, and Cohen's kappa.

    ``kappa`` is None for numbers, and where it is not defined.
    """

    rows: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        """The share of rows on which they agreed."""
        return self.agreed / self.rows if self.rows else None


@dataclass(frozen=True)
class PairAgreed(Agreed):
    """The same of one pair of people."""

    people: tuple[str, str]


@dataclass(frozen=True)
class Agreement:
    """Overall, the first opinions held against the second ones, and by pair, the busiest first."""

    overall: Agreed
    pairs: list[PairAgreed]


def agreement_of(model: RegisteredModel) -> Agreement:
    """Return the agreement over the newest 10,000 rows of the model that two people labelled."""
    tolerance = feedback_settings_of(model).number_tolerance
    with tenant_transaction():
        twice = (
            LabelItem.objects.filter(model=model, second=True).order_by("-pk").values_list("pk", flat=True)
        )
        labels = Label.objects.filter(item__among=list(twice[:NEWEST]), skipped=False).order_by("pk")
        by_item: defaultdict[int, list[Label]] = defaultdict(list)
        for one in labels:
            by_item[one.item_id].append(one)
    both = [given[:2] for given in by_item.values() if len(given) > 1]
    by_pair: defaultdict[tuple[str, str], list[list[Label]]] = defaultdict(list)
    for given in both:
        first, second = sorted(given, key=lambda one: one.person)
        by_pair[first.person, second.person].append([first, second])
    pairs = [PairAgreed(*_figures(rows, tolerance), people=people) for people, rows in by_pair.items()]
    pairs.sort(key=lambda one: (-one.rows, one.people))
    return Agreement(Agreed(*_figures(both, tolerance)), pairs)


def _figures(rows: Sequence[Sequence[Label]], tolerance: float) -> tuple[int, int, float | None]:
    agreed = sum(_same(one, other, tolerance) for one, other in rows)
    if any(label.value is not None for row in rows for label in row):
        return len(rows), agreed, None
    first, second = ([row[side].label for row in rows] for side in (0, 1))
    return len(rows), agreed, cohen_kappa(first, second)


def _same(one: Label, other: Label, tolerance: float) -> bool:
    if one.value is None or other.value is None:
        return one.label == other.label
    return numbers_agree(one.value, other.value, tolerance)
