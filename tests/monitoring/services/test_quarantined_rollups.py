"""Outcomes that are set aside are in no figure; released ones are in it once."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from feedback.models import LabelTally, Outcome, Quarantine
from feedback.services.feedback_settings import update_feedback_settings
from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.quarantines import reject, release
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from monitoring.services.histories import present_of
from monitoring.services.lineage_counts import outcomes_of
from monitoring.services.rollups import roll_up
from monitoring.services.sums import sums_between
from registry.models import ModelVersion, Prediction
from tests.monitoring.conftest import Ask

KEY = Actor(ActorKind.API_KEY, "laboratory")
DAY = timedelta(days=1)


def tell(rows: list[Prediction], *labels: str) -> None:
    items = [OutcomeItem(row.pk, labels[place % len(labels)]) for place, row in enumerate(rows)]
    record_outcomes(items=items, source="api", by=KEY)


def figures(version: ModelVersion) -> tuple[int, object]:
    """Return how many outcomes are counted, and what they come to."""
    roll_up()
    now = timezone.now()
    sums = sums_between(version, now - timedelta(days=9), now + timedelta(hours=1))
    assert outcomes_of([version.pk])[version.pk].rows == sums.labelled
    return sums.labelled, sums.quality["confusion"]


@pytest.fixture
def known(champion: ModelVersion, ask: Ask) -> list[Prediction]:
    """Sixty answers of which the outcome has been known since yesterday."""
    update_feedback_settings(model=champion.model, by=SYSTEM, least_labels=20)
    rows = ask(60)
    tell(rows, "benign", "malignant")
    Outcome.objects.update(received_at=F("received_at") - DAY)
    for tally in LabelTally.objects.all():
        LabelTally.objects.filter(pk=tally.pk).update(day=tally.day - DAY, since=tally.since - DAY)
    return rows


@pytest.mark.parametrize("counted_before", [True, False])
def test_set_aside_labels_leave_the_figures_and_released_ones_come_back_once(
    champion: ModelVersion, known: list[Prediction], ask: Ask, counted_before: bool
) -> None:
    before = figures(champion)
    assert before[0] == 60
    rows = ask(40)
    tell(rows[:16], "malignant")
    if counted_before:
        assert figures(champion)[0] == 76
    tell(rows[16:], "malignant")
    assert figures(champion) == before
    case = Quarantine.objects.get()
    release(case=case, reason="right", by=SYSTEM)
    assert figures(champion)[0] == 100
    assert figures(champion)[0] == 100
    reject(case=case, reason="wrong", by=SYSTEM)
    assert figures(champion) == before
    release(case=case, reason="right after all", by=SYSTEM)
    assert figures(champion)[0] == 100


def test_a_rejected_correction_brings_the_earlier_outcome_back_into_the_figures(
    champion: ModelVersion, known: list[Prediction]
) -> None:
    before = figures(champion)
    tell(known[:10], "malignant")
    assert figures(champion)[0] == 60
    tell(known[10:], "malignant")
    assert Quarantine.objects.exists()
    assert figures(champion) == before
    release(case=Quarantine.objects.get(), reason="right", by=SYSTEM)
    counted, quality = figures(champion)
    assert (counted, quality == before[1]) == (60, False)


def test_policies_do_not_count_what_is_set_aside(
    champion: ModelVersion, known: list[Prediction], ask: Ask
) -> None:
    tell(ask(40), "malignant")
    assert Quarantine.objects.get().labels == 40
    assert present_of(champion.model, timezone.now()).outcomes.numbers == [0]
    release(case=Quarantine.objects.get(), reason="right", by=SYSTEM)
    assert present_of(champion.model, timezone.now()).outcomes.numbers == [40]
