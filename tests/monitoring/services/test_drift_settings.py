"""By which rule drift is judged: defaults, changes, what checks then do, all the doors."""

from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from monitoring.errors import InvalidDriftSettings
from monitoring.models import DriftSettings
from monitoring.services.drift import check_drift
from monitoring.services.drift_settings import drift_settings_of, update_drift_settings
from monitoring.services.drift_words import rule_in_words
from registry.models import RegisteredModel
from tests.monitoring.conftest import Ask


def test_a_model_without_settings_holds_one_false_alarm_a_month(model: RegisteredModel) -> None:
    found = drift_settings_of(model)
    assert found.terms == {"rule": "calibrated", "false_alarms_a_month": 1.0}
    assert (found.psi_limit, found.drift_share) == (0.1, 0.3)
    assert not DriftSettings.objects.exists()


def test_a_change_is_stored_once_and_leaves_an_entry(model: RegisteredModel) -> None:
    update_drift_settings(model=model, by=SYSTEM, false_alarms_a_month=0.5)
    update_drift_settings(model=model, by=SYSTEM, rule="classic", psi_limit=0.25)
    assert DriftSettings.objects.get().terms == {"rule": "classic", "psi_limit": 0.25, "drift_share": 0.3}
    entries = AuditEvent.objects.filter(action="drift_settings.updated").order_by("sequence")
    assert entries[0].before == {"false_alarms_a_month": 1.0}
    assert entries[1].after == {"rule": "classic", "psi_limit": 0.25}


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "moon"},
        {"false_alarms_a_month": 0.0},
        {"false_alarms_a_month": 1e9},
        {"false_alarms_a_month": float("nan")},
        {"psi_limit": -1.0},
        {"psi_limit": float("nan")},
        {"drift_share": 1.1},
        {"colour": "red"},
    ],
)
def test_what_cannot_work_is_refused_by_field(model: RegisteredModel, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidDriftSettings) as caught:
        update_drift_settings(model=model, by=SYSTEM, **wrong)
    assert set(caught.value.fields or {}) == set(wrong)
    assert not DriftSettings.objects.exists()


def test_the_next_check_judges_by_the_new_rule_though_no_row_came(model: RegisteredModel, ask: Ask) -> None:
    ask(60, drifted=6)
    calibrated = check_drift(model=model)
    assert calibrated is not None
    assert calibrated.alarm  # 6 of 30 features
    update_drift_settings(model=model, by=SYSTEM, rule="classic")
    classic = check_drift(model=model)
    assert classic is not None
    assert classic.pk != calibrated.pk
    assert classic.check_rate is None
    assert {one.threshold for one in classic.results.all()} == {0.1}
    assert classic.alarm == (classic.drifted_features >= 9)
    assert "no rate of false alarms" in rule_in_words(classic)
    assert check_drift(model=model) == classic
