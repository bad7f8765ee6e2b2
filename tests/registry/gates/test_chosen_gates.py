"""The gates that a model may demand beside the standard ones: each with a version that passes and one not."""

from typing import Any

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from registry.errors import InvalidGates
from registry.gates import GATES
from registry.models import ModelVersion
from registry.services.card_words import write_words
from registry.services.demands import choose_gates
from registry.services.gates import GateResult, evaluate_gates
from registry.services.personal import mark_model
from tests.factories import make_champion, make_dataset, make_model, make_version, table, train

pytestmark = pytest.mark.usefixtures("in_tenant")


def verdict(gate: str, version: ModelVersion, **parameters: Any) -> GateResult:
    """What the gate says of the version once its model demands it with these parameters."""
    choose_gates(model=version.model, gates={gate: parameters}, by=SYSTEM)
    results = evaluate_gates(model=version.model, candidate=version)
    return next(one for one in results if one.name == gate)


@pytest.fixture
def version(in_tenant: None) -> ModelVersion:
    return make_version()


@pytest.fixture
def weak(in_tenant: None) -> ModelVersion:
    """A version that learnt from shuffled labels, against a good champion."""
    model, data = make_model(), make_dataset()
    make_champion(model, dataset=data)
    shuffled = table().assign(diagnosis=np.random.default_rng(0).permutation(table()["diagnosis"]))
    noise = train(model, make_dataset("noise", shuffled))
    return make_version(model, dataset=data, pipeline=noise.pipeline)


def test_every_gate_of_the_table_can_be_demanded_and_says_what_it_found(version: ModelVersion) -> None:
    needed: dict[str, dict[str, Any]] = {
        "minimum_metrics": {"bounds": {"f1": 0.5}},
        "fairness_gap": {"column": "mean_radius", "gap": 1},
    }
    chosen = {gate.name: needed.get(gate.name, {}) for gate in GATES}
    choose_gates(model=version.model, gates=chosen, by=SYSTEM)
    results = evaluate_gates(model=version.model, candidate=version)
    assert [one.name for one in results] == [gate.name for gate in GATES]
    assert all(one.detail.endswith(".") for one in results)


@pytest.mark.parametrize(
    ("bounds", "passed", "said"),
    [
        ({"f1": 0.8}, True, "asked for at least 0.8"),
        ({"f1": 0.9999}, False, "asked for at least 0.9999"),
        ({"log_loss": 1.0}, True, "asked for at most 1"),
        ({"log_loss": 0.0001}, False, "asked for at most 0.0001"),
        ({"f1": 0.5, "recall": 0.9999}, False, "Recall"),
    ],
)
def test_metrics_must_reach_their_bounds_in_their_own_direction(
    version: ModelVersion, bounds: dict[str, float], passed: bool, said: str
) -> None:
    result = verdict("minimum_metrics", version, bounds=bounds)
    assert (result.passed, said in result.detail) == (passed, True)
    assert all(result.numbers[f"{name}_bound"] == bound for name, bound in bounds.items())


def test_a_metric_that_was_not_measured_is_not_reached(in_tenant: None) -> None:
    unmeasured = make_version(metrics={"accuracy": 1.0})
    result = verdict("minimum_metrics", unmeasured, bounds={"f1": 0.1})
    assert not result.passed
    assert "was not measured" in result.detail


def test_metrics_of_too_few_rows_do_not_count(version: ModelVersion) -> None:
    result = verdict("minimum_metrics", version, bounds={"f1": 0.1}, min_rows=10_000)
    assert not result.passed
    assert "10000 are asked for" in result.detail


@pytest.mark.parametrize(("allowed", "passed"), [(60_000, True), (0.001, False)])
def test_the_time_for_a_row_is_measured_here(version: ModelVersion, allowed: float, passed: bool) -> None:
    result = verdict("latency", version, milliseconds=allowed, calls=20)
    assert result.passed is passed
    assert 0 < result.numbers["p50_ms"] <= result.numbers["p95_ms"]
    assert result.numbers["batch_ms_per_row"] < result.numbers["p50_ms"]


@pytest.mark.parametrize(("allowed", "passed"), [(100, True), (0.0001, False)])
def test_the_artefact_must_not_be_larger_than_asked(
    version: ModelVersion, allowed: float, passed: bool
) -> None:
    result = verdict("artifact_size", version, megabytes=allowed)
    assert result.passed is passed
    assert result.numbers["megabytes"] == pytest.approx(version.artifact_bytes / 1e6, abs=1e-3)


def test_a_version_of_no_training_job_has_no_checks_on_record(version: ModelVersion) -> None:
    result = verdict("data_checks", version)
    assert not result.passed
    assert "No training job tells" in result.detail


@pytest.mark.parametrize("test", ["bootstrap", "mcnemar", "delong"])
def test_each_test_tells_a_bad_version_from_one_as_good(weak: ModelVersion, test: str) -> None:
    assert not verdict("not_worse_than_champion", weak, test=test).passed
    alike = make_version(weak.model, dataset=weak.dataset)
    result = verdict("not_worse_than_champion", alike, test=test)
    assert result.passed
    assert result.numbers["difference"] == 0
    assert result.numbers["test"].lower().endswith(test)


def test_the_margin_decides_what_may_be_lost(weak: ModelVersion) -> None:
    result = verdict("not_worse_than_champion", weak, test="mcnemar", margin=1.0)
    assert result.numbers["margin"] == 1.0
    assert result.numbers["low"] >= -1.0
    assert not result.passed  # within the margin, but the loss is proven


def test_fewer_rows_than_asked_for_are_not_compared(weak: ModelVersion) -> None:
    result = verdict("not_worse_than_champion", weak, min_rows=100_000)
    assert "needs at least 100000" in result.detail


def test_a_part_of_the_rows_that_provably_loses_stops_a_version(weak: ModelVersion) -> None:
    result = verdict("not_worse_than_champion", weak, slices=["mean_radius"], slice_min_rows=20)
    assert not result.passed
    assert "Where mean_radius is" in result.detail
    assert {part["column"] for part in result.numbers["slices"]} == {"mean_radius"}


def test_parts_that_lose_nothing_do_not_stop_a_version(weak: ModelVersion) -> None:
    alike = make_version(weak.model, dataset=weak.dataset)
    result = verdict("not_worse_than_champion", alike, slices=["mean_radius"], slice_min_rows=20)
    assert result.passed
    assert "None of 4 parts of the rows provably loses more" in result.detail


def test_a_part_of_one_class_is_told_as_not_compared(weak: ModelVersion) -> None:
    alike = make_version(weak.model, dataset=weak.dataset)
    result = verdict("not_worse_than_champion", alike, test="delong", slices=["diagnosis"])
    assert result.passed
    assert all("two rows of each class" in part["not_compared"] for part in result.numbers["slices"])


def test_a_column_that_is_not_there_is_a_failed_gate_with_a_reason(weak: ModelVersion) -> None:
    result = verdict("not_worse_than_champion", weak, slices=["colour"])
    assert not result.passed
    assert "no column 'colour'" in result.detail


@pytest.mark.parametrize(
    ("measure", "gap", "passed"),
    [
        ("primary_metric", 1.0, True),
        ("selection_rate", 1.0, True),
        ("selection_rate", 0.1, False),  # small tumours are benign far more often than large ones
        ("false_positive_rate", 1.0, True),
    ],
)
def test_groups_may_lie_as_far_apart_as_allowed(
    version: ModelVersion, measure: str, gap: float, passed: bool
) -> None:
    result = verdict(
        "fairness_gap",
        version,
        column="mean_radius",
        measure=measure,
        favourable="benign",
        gap=gap,
        min_rows=15,
    )
    assert result.passed is passed
    assert len(result.numbers["by"]) >= 2
    assert 0 <= result.numbers["gap"] <= 1


def test_a_single_group_cannot_be_compared(version: ModelVersion) -> None:
    result = verdict("fairness_gap", version, column="mean_radius", min_rows=1000)
    assert not result.passed
    assert "Fewer than two groups" in result.detail


def test_values_of_a_personal_column_are_not_told(version: ModelVersion) -> None:
    mark_model(model=version.model, changes={"mean_radius": "pseudonymise"}, by=SYSTEM)
    version.model.refresh_from_db()
    result = verdict("fairness_gap", version, column="mean_radius", min_rows=15)
    assert {one["value"] for one in result.numbers["by"]} <= {f"group {place}" for place in range(1, 6)}


def test_a_card_must_have_the_sections_that_are_asked_for(version: ModelVersion) -> None:
    lacking = verdict("model_card_complete", version, sections=["purpose", "limits", "metrics", "intervals"])
    assert not lacking.passed
    assert lacking.numbers == {
        "asked": 4,
        "filled": 2,
        "missing": [{"section": "purpose"}, {"section": "limits"}],
    }
    assert "lacks purpose, limits: 2 of 4" in lacking.detail
    write_words(target=version.model, changes={"purpose": "Triage.", "limits": "Adults alone."}, by=SYSTEM)
    version.refresh_from_db()
    complete = verdict("model_card_complete", version, sections=["purpose", "limits", "metrics", "intervals"])
    assert (complete.passed, complete.numbers["missing"]) == (True, [])


def test_a_card_cannot_be_asked_for_a_section_that_there_is_not(version: ModelVersion) -> None:
    with pytest.raises(InvalidGates, match="model_card_complete"):
        choose_gates(model=version.model, gates={"model_card_complete": {"sections": ["colour"]}}, by=SYSTEM)
    with pytest.raises(InvalidGates, match="model_card_complete"):
        choose_gates(model=version.model, gates={"model_card_complete": {"sections": []}}, by=SYSTEM)
