"""Realized quality."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.models import PerformanceSnapshot
from monitoring.services.performance import measure, realized
from registry.models import RegisteredModel
from registry.services.serving import predict
from tests.factories import make_champion, make_model, rows_of
from tests.monitoring.conftest import Ask, tell


def test_quality_over_the_known_outcomes(model: RegisteredModel, ask: Ask) -> None:
    predictions = ask(40)
    tell(predictions[:20])
    tell(predictions[20:30], wrong=True)
    snapshot = measure(model=model)
    assert snapshot is not None
    assert (snapshot.predictions, snapshot.labelled) == (40, 30)
    assert snapshot.metrics["accuracy"] == pytest.approx(20 / 30)
    assert snapshot.metrics["log_loss"] > 0


def test_a_regression_is_measured_in_its_own_metrics(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    rows = predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM).predictions
    items = [OutcomeItem(row.pk, (row.value or 0) + 10) for row in rows]
    record_outcomes(items=items, source="api", by=SYSTEM)
    snapshot = measure(model=champion.model)
    assert snapshot is not None
    assert snapshot.metrics["mae"] == pytest.approx(10)


def test_without_outcomes_nothing_is_stored(model: RegisteredModel, ask: Ask) -> None:
    ask(5)
    assert measure(model=model) is None
    found = realized(model=model)
    assert found is not None
    assert (found.predictions, found.labelled, found.metrics) == (5, 0, {})


def test_nothing_new_gives_the_last_snapshot_again(model: RegisteredModel, ask: Ask) -> None:
    predictions = ask(10)
    tell(predictions[:5])
    first = measure(model=model)
    assert measure(model=model) == first
    tell(predictions[5:])
    assert measure(model=model) != first
    assert PerformanceSnapshot.objects.count() == 2


def test_a_correction_is_measured_anew(model: RegisteredModel, ask: Ask) -> None:
    predictions = ask(10)
    tell(predictions)
    measure(model=model)
    tell(predictions[:5], wrong=True)
    snapshot = measure(model=model)
    assert snapshot is not None
    assert snapshot.metrics["accuracy"] == 0.5


def test_a_window_can_be_named(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(10))
    later = timezone.now() + timedelta(hours=1)
    found = realized(model=model, since=later, until=later + timedelta(hours=1))
    assert found is not None
    assert found.predictions == 0
    with pytest.raises(InvalidInput, match="ends before"):
        realized(model=model, since=later, until=later)


def test_without_a_champion_there_is_nothing_to_measure(in_tenant: Tenant) -> None:
    assert measure(model=make_model()) is None
