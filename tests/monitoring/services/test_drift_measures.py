"""What a drift check keeps of each column: measures, categories by name, what drift may cost."""

from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import DriftReport
from monitoring.services.drift import check_drift
from monitoring.services.drift_words import cost_in_words, result_in_words, rule_in_words
from monitoring.services.log_treatment import treat_log
from registry.models import ModelVersion
from registry.services.personal import mark_model
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, make_model, table

MEASURES = {"psi", "jensen_shannon", "hellinger", "l_infinity", "cramers_v", "chi_square", "chi_square_p"}


@pytest.fixture
def champion(in_tenant: None) -> ModelVersion:
    """A model of a number and a category."""
    frame = table()[["mean_radius", "diagnosis"]]
    frame["ward"] = ["north", "south", "west"] * (len(frame) // 3) + ["north"] * (len(frame) % 3)
    return make_champion(make_model(), dataset=make_dataset(frame=frame))


@pytest.fixture
def report(champion: ModelVersion) -> DriftReport:
    """Sixty rows: the number twice as large, two wards that are new, one that is gone."""
    wards = ["north", "south", "annex", "annex", "barn", "north"]
    rows: list[dict[str, Any]] = [
        {"mean_radius": 2 * float(value), "ward": wards[place % len(wards)]}
        for place, value in enumerate(table()["mean_radius"][:60])
    ]
    predict(model=champion.model, rows=rows, by=SYSTEM)
    found = check_drift(model=champion.model)
    assert found is not None
    return found


def test_every_measure_is_kept_and_those_of_numbers_for_numbers_alone(report: DriftReport) -> None:
    number, ward = report.results.get(feature="mean_radius"), report.results.get(feature="ward")
    for one in (number, ward):
        assert one.measures["psi"] == one.score
        assert all(one.measures[name] >= 0 for name in MEASURES)
        assert one.measures["distances_from"] == "bins"
    assert 0.5 < number.measures["kolmogorov_smirnov"] <= 1
    assert number.measures["wasserstein"] > 0.5
    assert ward.measures["kolmogorov_smirnov"] is ward.measures["wasserstein"] is None


def test_new_and_vanished_categories_are_named(report: DriftReport) -> None:
    ward = report.results.get(feature="ward")
    assert (ward.appeared, ward.vanished) == (["annex", "barn"], ["west"])
    said = " ".join(result_in_words(report.version, ward))
    assert "New: “annex”, “barn”." in said
    assert "No longer seen: “west”." in said


def test_features_are_ranked_by_what_their_drift_may_cost(report: DriftReport) -> None:
    known = {one["feature"]: one["mean"] for one in report.version.importance}
    results = list(report.results.all())
    assert results[0].feature in known
    assert results[0].cost == pytest.approx(results[0].measures["jensen_shannon"] * 0.1)
    assert [one.cost for one in results] == sorted((one.cost for one in results), reverse=True)
    assert "at stake" in cost_in_words(report.version, results[0])
    assert cost_in_words(report.version, results[-1]) == ""


def test_the_report_says_which_rule_spoke_and_what_rate_it_holds(report: DriftReport) -> None:
    assert report.alarm
    assert report.check_rate is not None
    assert 0 < report.check_rate < 0.1
    assert "1 false alarm a month" in rule_in_words(report)


def test_names_go_where_the_column_is_marked_personal(report: DriftReport) -> None:
    model = mark_model(model=report.model, changes={"ward": "pseudonymise"}, by=SYSTEM)
    treat_log(model=model, by=SYSTEM)
    ward = report.results.get(feature="ward")
    assert (ward.appeared, ward.vanished) == ([], [])
