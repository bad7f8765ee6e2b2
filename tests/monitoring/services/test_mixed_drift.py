"""Drift of columns of every kind: numbers, truths, categories, and values that go missing."""

from typing import Any

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from monitoring.frames import unwatched
from monitoring.models import DriftReport, DriftResult
from monitoring.services.checks import run_checks
from monitoring.services.drift import check_drift
from monitoring.services.log_treatment import Treated, treat_log
from registry.models import ModelVersion, Prediction
from registry.services.personal import mark_model
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, make_model, table

Row = dict[str, Any]
WARDS = ["north", "south", "west"]


@pytest.fixture
def champion(in_tenant: None) -> ModelVersion:
    """A model of 569 patients: two measurements, one with gaps, a truth, a category and a date."""
    draw = np.random.default_rng(5)
    frame = table()[["mean_radius", "mean_texture", "diagnosis"]]
    frame.loc[draw.random(len(frame)) < 0.2, "mean_texture"] = np.nan
    frame["smoker"] = draw.random(len(frame)) < 0.3
    frame["ward"] = draw.choice(WARDS, len(frame), p=[0.5, 0.3, 0.2])
    frame["seen"] = [f"2026-01-{day:02d}" for day in draw.integers(1, 29, len(frame))]
    return make_champion(make_model(), dataset=make_dataset(frame=frame))


def ask(champion: ModelVersion, changes: dict[str, Any], count: int = 300) -> DriftReport:
    """Ask rows like those of the training, with some columns drawn otherwise, and check."""
    draw = np.random.default_rng(6)
    radius, texture = table()["mean_radius"].to_numpy(), table()["mean_texture"].to_numpy()
    drawn: dict[str, Any] = {
        "mean_radius": lambda: float(draw.choice(radius)),
        "mean_texture": lambda: None if draw.random() < 0.2 else float(draw.choice(texture)),
        "smoker": lambda: bool(draw.random() < 0.3),
        "ward": lambda: str(draw.choice(WARDS, p=[0.5, 0.3, 0.2])),
        "seen": lambda: f"2026-01-{draw.integers(1, 29):02d}",
    } | changes
    rows: list[Row] = [{name: make() for name, make in drawn.items()} for _ in range(count)]
    predict(model=champion.model, rows=rows, by=SYSTEM)
    report = check_drift(model=champion.model)
    assert report is not None
    return report


def drifted(report: DriftReport) -> set[str]:
    found = report.results.filter(drifted=True).exclude(feature="prediction")
    return set(found.values_list("feature", flat=True))


def test_rows_like_those_of_the_training_have_not_drifted(champion: ModelVersion) -> None:
    report = ask(champion, {})
    assert drifted(report) == set()
    assert report.drifted_features == 0


def test_dates_are_not_compared_for_time_always_moves_on(champion: ModelVersion) -> None:
    report = ask(champion, {"seen": lambda: "2031-12-24"}, 40)
    assert report.features == 4
    assert "seen" not in set(report.results.values_list("feature", flat=True))


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        ("mean_radius", [40.0]),
        ("mean_texture", [None]),
        ("mean_texture", [18.0]),
        ("smoker", [True]),
        ("smoker", [False]),
        ("ward", ["west"]),
        ("ward", ["north", "a new ward"]),
    ],
)
def test_the_column_that_moved_is_found_and_no_other(
    champion: ModelVersion, feature: str, values: list[Any]
) -> None:
    turn = iter(range(10_000))
    report = ask(champion, {feature: lambda: values[next(turn) % len(values)]})
    assert drifted(report) == {feature}


def test_counts_of_every_column_add_up_to_the_window(champion: ModelVersion) -> None:
    for result in ask(champion, {}, 60).results.all():
        counted = result.current
        assert sum(counted["counts"]) + counted.get("other", 0) + counted["missing"] == 60, result.feature


def test_a_new_category_is_counted_apart_from_gaps(champion: ModelVersion) -> None:
    report = ask(champion, {"ward": lambda: "a new ward"}, 60)
    ward = report.results.get(feature="ward")
    assert (ward.current["other"], ward.current["missing"]) == (60, 0)
    assert ward.current["categories"] == WARDS


PERSONAL = {"ward": "pseudonymise", "mean_radius": "pseudonymise", "seen": "drop"}


def test_a_personal_category_is_compared_by_its_pseudonyms(champion: ModelVersion) -> None:
    mark_model(model=champion.model, changes=PERSONAL, by=SYSTEM)
    champion.model.refresh_from_db()
    assert drifted(ask(champion, {})) == set()
    Prediction.objects.all().delete()
    report = ask(champion, {"ward": lambda: "west"})
    assert drifted(report) == {"ward"}
    assert "west" not in str([result.current for result in report.results.all()])


def test_personal_numbers_and_dates_are_said_not_to_be_watched(champion: ModelVersion) -> None:
    mark_model(model=champion.model, changes=PERSONAL, by=SYSTEM)
    champion.model.refresh_from_db()
    report = ask(champion, {"mean_radius": lambda: 99.0})
    assert drifted(report) == set()
    assert set(report.results.values_list("feature", flat=True)) == {
        "mean_texture", "smoker", "ward", "prediction",
    }  # fmt: skip
    assert unwatched(report.version) == ["mean_radius", "seen"]
    notes = run_checks(model=champion.model, by=SYSTEM).notes
    assert "Not watched for drift, because personal: mean_radius, seen." in notes


def test_rows_logged_before_and_after_the_mark_are_compared_alike(champion: ModelVersion) -> None:
    ask(champion, {}, count=150)
    champion.model = mark_model(model=champion.model, changes=PERSONAL, by=SYSTEM)
    assert drifted(ask(champion, {}, count=150)) == set()


def test_treating_the_log_treats_what_checks_found_too(champion: ModelVersion) -> None:
    ask(champion, {})
    model = mark_model(model=champion.model, changes=PERSONAL, by=SYSTEM)
    found = DriftResult.objects.filter(feature__in=PERSONAL)
    assert "west" in str([result.current for result in found])
    assert treat_log(model=model, by=SYSTEM) == Treated(predictions=300, drift_results=2)
    assert "west" not in str([result.current for result in found.all()])
    assert DriftResult.objects.get(feature="mean_radius").current == {}
    assert treat_log(model=model, by=SYSTEM) == Treated(0, 0)
    told = AuditEvent.objects.filter(action="model.log_treated").order_by("sequence")[0]
    assert (told.details["predictions"], told.details["personal"]) == (300, PERSONAL)
