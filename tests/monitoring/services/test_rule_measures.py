"""Rules on calibration, data, and how the model serves."""

from typing import Any

import pandas as pd
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.errors import InvalidRule
from monitoring.models import Alert, AlertRule
from monitoring.services.checks import run_checks
from monitoring.services.rules import create_rule
from monitoring.services.watching import condition_of, limit_words
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, rows_of, table
from tests.monitoring.conftest import Ask, tell


def alerts_of(model: RegisteredModel, metric: str, threshold: float, **fields: Any) -> list[Alert]:
    """The alerts of one check by one rule."""
    rule = create_rule(model=model, by=SYSTEM, metric=metric, threshold=threshold, **fields)
    return [one for one in run_checks(model=model, by=SYSTEM).raised if one.rule == rule]


def test_probabilities_that_do_not_keep_what_they_say_are_told(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(60), wrong=True)
    [alert] = alerts_of(model, "calibration", 0.2)
    assert alert.title.endswith("probabilities do not keep what they say")
    assert alert.evidence["value"] > alert.evidence["at_least"] > 0.2


def test_probabilities_that_are_off_by_chance_alone_are_not(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(60))
    assert alerts_of(model, "calibration", 0.2) == []


@pytest.fixture
def wards(in_tenant: Tenant) -> ModelVersion:
    """A champion that is asked for a ward as well, of which one row of the training knows nothing."""
    frame = table()
    frame.insert(0, "ward", pd.Series(["north", "south"] * (len(frame) // 2 + 1), dtype="str")[: len(frame)])
    frame.loc[5, "ward"] = None
    return make_champion(dataset=make_dataset(frame=frame))


def ask_without_ward(champion: ModelVersion, rows: int = 60) -> None:
    predict(model=champion.model, rows=[{**row, "ward": None} for row in rows_of(champion, rows)], by=SYSTEM)


def test_values_that_are_missing_are_told(wards: ModelVersion) -> None:
    ask_without_ward(wards)
    [alert] = alerts_of(wards.model, "missing_share", 0.5)
    assert (alert.evidence["column"], alert.evidence["value"]) == ("ward", 1.0)
    assert "ward is missing in 100.0% of 60 rows; it was in 0.2%" in alert.message


def test_features_that_became_worse_are_counted(wards: ModelVersion) -> None:
    ask_without_ward(wards)
    [alert] = alerts_of(wards.model, "data_quality", 0.0)
    assert alert.evidence["columns"] == ["ward"]


def test_data_like_those_of_the_training_are_no_alarm(model: RegisteredModel, ask: Ask) -> None:
    ask(60)
    assert alerts_of(model, "data_quality", 0.0) == []
    assert alerts_of(model, "missing_share", 0.0) == []


def test_slow_answers_are_told_beyond_the_limit_alone(model: RegisteredModel, ask: Ask) -> None:
    ask(40)
    Prediction.objects.update(latency_ms=80.0)
    assert alerts_of(model, "latency_p95", 1_000.0) == []
    [alert] = alerts_of(model, "latency_p95", 50.0, severity="critical")
    assert 80 <= alert.evidence["value"] < 100
    assert alert.evidence["condition"] == "above 50"


def test_too_few_rows_give_no_verdict(model: RegisteredModel, ask: Ask) -> None:
    ask(10)
    Prediction.objects.update(latency_ms=80.0)
    assert alerts_of(model, "latency_p95", 50.0) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"metric": "drift_share", "threshold": 0.0}, "at every alarm of the drift check"),
        (
            {"metric": "drift_share", "threshold": 0.5},
            "at every alarm of the drift check, with 50% of the features drifted or more",
        ),
        ({"metric": "performance", "threshold": 0.85}, "worse than 0.85"),
        ({"metric": "performance", "threshold": 0.85, "comparison": "below"}, "at or below 0.85"),
        ({"metric": "error_rate", "threshold": 0.02}, "above 0.02, beyond chance"),
        ({"metric": "latency_p95", "threshold": 250.0, "comparison": "above"}, "at or above 250"),
    ],
)
def test_a_rule_says_in_words_when_it_alerts(fields: dict[str, Any], words: str) -> None:
    rule = AlertRule(tenant_id=1, **fields)
    assert limit_words(rule) == condition_of(rule)["condition"] == words


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metric": "error_rate", "threshold": 5.0}, "threshold"),
        ({"metric": "calibration", "threshold": -0.1}, "threshold"),
        ({"metric": "latency_p95", "threshold": 0.0}, "threshold"),
        ({"metric": "error_rate", "threshold": 0.1, "slice": "sex=female"}, "slice"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(
    model: RegisteredModel, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRule) as refused:
        create_rule(model=model, by=SYSTEM, **fields)
    assert list(refused.value.fields or {}) == [field]
