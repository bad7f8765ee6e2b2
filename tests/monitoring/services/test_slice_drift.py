"""Drift of a slice: against its own training rows, for rules and over any period."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import Alert, AlertRule
from monitoring.models.alert import AlertMetric
from monitoring.services.checks import run_checks
from monitoring.services.period_drift import drift_over
from monitoring.services.periods import period_of
from monitoring.services.places import Part
from monitoring.services.slice_references import reference_of_slice
from monitoring.services.slices import set_slices, slices_named
from registry.models import ModelVersion, RegisteredModel
from registry.services.serving import predict
from tests.factories import rows_of
from tests.monitoring.conftest import Ask, tell

COLUMN = "mean_radius"
BELOW = f"{COLUMN}=below 14"


@pytest.fixture
def sliced(model: RegisteredModel) -> RegisteredModel:
    set_slices(model=model, slices={COLUMN: [14]}, by=SYSTEM)
    model.refresh_from_db()
    return model


def ask_small(champion: ModelVersion, *, moved: bool) -> None:
    """Ask all rows of the training data below the cut; the texture of them may have moved."""
    rows = [row for row in rows_of(champion, 400) if row[COLUMN] < 14]
    rows = [{**row, "mean_texture": row["mean_texture"] * (3 if moved else 1)} for row in rows]
    tell(predict(model=champion.model, rows=rows, by=SYSTEM).predictions)


def test_a_slice_is_held_against_its_own_training_rows(
    sliced: RegisteredModel, champion: ModelVersion
) -> None:
    ask_small(champion, moved=False)
    whole = drift_over(model=sliced, period=period_of())
    part = drift_over(model=sliced, period=period_of(), part=Part(COLUMN, "below 14"))
    assert whole is not None
    assert part is not None
    assert COLUMN in {one.feature for one in whole.found if one.drifted}
    assert part.drifted_features == 0


def test_what_moved_in_a_slice_is_found_there(sliced: RegisteredModel, champion: ModelVersion) -> None:
    ask_small(champion, moved=True)
    report = drift_over(model=sliced, period=period_of(), part=Part(COLUMN, "below 14"))
    assert report is not None
    assert [one.feature for one in report.found if one.drifted] == ["mean_texture"]
    empty = Part(COLUMN, "14 and above")
    assert drift_over(model=sliced, period=period_of(), part=empty) is None


def test_the_reference_counts_the_slices_training_rows(
    sliced: RegisteredModel, champion: ModelVersion
) -> None:
    names = [name for name in slices_named(sliced)[COLUMN] if name != "missing"]
    champion.model = sliced
    found = [reference_of_slice(champion, Part(COLUMN, name)) for name in names]
    rows = [sum(one["mean_texture"]["counts"]) for one in found]
    assert sum(rows) == champion.dataset.rows
    assert reference_of_slice(champion, Part(COLUMN, "missing")) == {}


def test_a_rule_on_a_slice_speaks_of_that_slice_alone(
    sliced: RegisteredModel, champion: ModelVersion
) -> None:
    AlertRule.objects.create(
        model=sliced, metric=AlertMetric.DRIFT_SHARE, threshold=0, severity="info", slice=BELOW
    )
    AlertRule.objects.create(
        model=sliced,
        metric=AlertMetric.PERFORMANCE,
        threshold=0.5,
        severity="info",
        slice=f"{COLUMN}=below 14",
    )
    ask_small(champion, moved=True)
    run_checks(model=sliced, by=SYSTEM)
    (alert,) = Alert.objects.all()
    assert alert.rule is not None
    assert (alert.rule.slice, alert.evidence["features"][0]["feature"]) == (
        f"{COLUMN}=below 14",
        "mean_texture",
    )


def test_without_rows_there_is_nothing_to_tell(model: RegisteredModel, ask: Ask) -> None:
    assert drift_over(model=model, period=period_of()) is None
