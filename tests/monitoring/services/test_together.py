"""All columns together, from rows: what is found, when it is due, and where rows are gone."""

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import DriftReport
from monitoring.services import together
from monitoring.services.drift import check_drift
from monitoring.services.drift_words import together_in_words
from registry.models import Dataset, ModelVersion
from registry.services.samples import dataset_sample
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, make_model, table


@pytest.fixture
def champion(in_tenant: None) -> ModelVersion:
    """A model of two numbers that belong together, and a category."""
    frame = table()[["mean_radius", "diagnosis"]]
    frame["mean_area"] = frame["mean_radius"] ** 2
    frame["ward"] = np.where(frame["mean_radius"] > 14, "north", "south")
    return make_champion(make_model(), dataset=make_dataset(frame=frame))


def report_of(champion: ModelVersion, *, apart: bool = False, rows: int = 150) -> DriftReport:
    """Ask training rows, with their columns shuffled ``apart`` from each other or not, and check."""
    asked = table()[["mean_radius"]].sample(rows, random_state=1)
    asked["mean_area"] = (asked["mean_radius"] ** 2).to_numpy()[:: -1 if apart else 1]
    asked["ward"] = np.where(asked["mean_radius"] > 14, "north", "south")
    predict(model=champion.model, rows=asked.to_dict("records"), by=SYSTEM)
    report = check_drift(model=champion.model)
    assert report is not None
    return report


def test_columns_that_no_longer_belong_together_are_told_apart(champion: ModelVersion) -> None:
    report = together.compare_together(report=report_of(champion, apart=True))
    assert report.drifted_features == 0
    assert report.together["domain_classifier"]["area"] > 0.8
    assert report.together["reconstruction"]["p_value"] < 0.01
    assert "A classifier tells the two apart" in " ".join(together_in_words(report))


def test_rows_give_exact_distances_of_numbers_and_leave_the_rest_as_it_was(champion: ModelVersion) -> None:
    report = report_of(champion)
    before = {one.feature: one.measures for one in report.results.all()}
    together.compare_together(report=report)
    assert report.together["domain_classifier"]["p_value"] > 0.001
    radius, ward = (report.results.get(feature=name) for name in ("mean_radius", "ward"))
    assert radius.measures["distances_from"] == "rows"
    on_bins = before["mean_radius"]["kolmogorov_smirnov"]
    assert radius.measures["kolmogorov_smirnov"] == pytest.approx(on_bins, abs=0.03)
    assert radius.measures["kolmogorov_smirnov_p"] > 0.01
    assert radius.measures["psi"] == before["mean_radius"]["psi"]
    assert ward.measures == before["ward"]


def test_it_is_due_once_in_six_hours_and_when_an_alarm_begins(champion: ModelVersion) -> None:
    first = report_of(champion)
    assert together.is_due(first)
    together.compare_together(report=first)
    assert not together.is_due(first)
    second = report_of(champion, rows=5)
    assert not together.is_due(second)
    second.alarm = True
    assert together.is_due(second)


def test_too_few_rows_and_lost_training_rows_are_said(champion: ModelVersion) -> None:
    few = together.compare_together(report=report_of(champion, rows=40))
    assert "100 of either are needed" in few.together["why_not"]
    Dataset.objects.filter(pk=champion.dataset_id).update(file="")
    champion.refresh_from_db()
    lost = DriftReport.objects.get(pk=few.pk)
    together.compare_together(report=lost)
    assert "kept no more" in together_in_words(lost)[0]


def test_a_sample_is_the_same_each_time_and_never_larger_than_the_data(champion: ModelVersion) -> None:
    one, again = (dataset_sample(champion.dataset, ["mean_area"], 50) for _ in range(2))
    assert one.equals(again)
    assert len(dataset_sample(champion.dataset, ["ward", "mean_area"], 10_000)) == 569
