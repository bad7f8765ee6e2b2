"""What a version must pass, and what each gate says where it does not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.models import ModelVersion
from registry.services.gates import GateResult, evaluate_gates, holdout_rows
from registry.tabular.schema import Column, ColumnType, columns_from_json
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table, train

pytestmark = pytest.mark.usefixtures("in_tenant")


def verdicts(candidate: ModelVersion) -> dict[str, GateResult]:
    """Every gate's verdict, by name."""
    return {result.name: result for result in evaluate_gates(model=candidate.model, candidate=candidate)}


def with_features(version: ModelVersion, features: list[Column]) -> dict[str, GateResult]:
    """The verdicts on a version that says it takes these features."""
    return verdicts(make_version(version.model, features=features))


STANDARD = ["artifact_integrity", "smoke_prediction", "schema_compatible", "not_worse_than_champion"]


def test_every_standard_gate_gives_a_verdict_in_words() -> None:
    results = verdicts(make_version())
    assert list(results) == STANDARD
    assert all(result.passed and result.detail for result in results.values())


def test_the_comparison_is_made_on_rows_that_training_held_out() -> None:
    champion = make_champion()
    result = verdicts(make_version(champion.model))["not_worse_than_champion"]
    assert result.passed
    assert result.numbers["rows"] == champion.holdout_rows
    assert result.numbers["difference"] == 0


def test_regressions_are_compared_by_absolute_error() -> None:
    champion = make_champion(make_model(data="diabetes"))
    result = verdicts(make_version(champion.model))["not_worse_than_champion"]
    assert result.passed
    assert "mean absolute error" in result.detail
    assert result.numbers["margin"] == pytest.approx(0.1 * champion.metrics["mae"], abs=1e-5)


def test_too_small_a_hold_out_cannot_prove_anything() -> None:
    champion = make_champion()
    few = make_dataset(frame=table().head(40))
    result = verdicts(make_version(champion.model, dataset=few))["not_worse_than_champion"]
    assert not result.passed
    assert "needs at least 20" in result.detail


def test_a_champion_that_cannot_read_the_new_data_is_not_compared() -> None:
    champion = make_champion()
    narrower = make_dataset(frame=table().drop(columns="mean_radius"))
    result = verdicts(make_version(champion.model, dataset=narrower))["not_worse_than_champion"]
    assert not result.passed
    assert "mean_radius" in result.detail


def test_a_damaged_artefact_fails_the_gates_that_need_it(settings: Any) -> None:
    version = make_version()
    (settings.STORAGES["default"]["OPTIONS"]["location"] / version.artifact_file).unlink()
    results = verdicts(version)
    assert not results["artifact_integrity"].passed
    assert not results["smoke_prediction"].passed
    assert results["schema_compatible"].passed


def changed(version: ModelVersion, **change: Any) -> list[Column]:
    """The version's features with the first one changed."""
    first, *others = columns_from_json(version.features)
    fields = {"name": first.name, "type": first.type, "nullable": first.nullable, **change}
    return [Column(**fields), *others]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"name": "new_feature"},
            "asks for new_feature, which clients do not send; no longer takes mean_radius",
        ),
        ({"type": ColumnType.category}, "reads mean_radius as category instead of numeric"),
    ],
)
def test_a_version_that_breaks_clients_is_stopped(change: dict[str, Any], said: str) -> None:
    champion = make_champion()
    result = with_features(champion, changed(champion, **change))["schema_compatible"]
    assert not result.passed
    assert said in result.detail


def test_a_version_that_stops_taking_null_is_stopped() -> None:
    model = make_model()
    features = [*changed(make_version(model), nullable=True)]
    champion = make_champion(model, features=features)
    result = with_features(champion, changed(champion, nullable=False))["schema_compatible"]
    assert "no longer takes null for mean_radius" in result.detail


def test_whole_numbers_and_decimals_are_the_same_to_clients() -> None:
    champion = make_champion()
    assert with_features(champion, changed(champion, type=ColumnType.integer))["schema_compatible"].passed


def test_a_lost_class_is_stopped() -> None:
    champion = make_champion()
    result = verdicts(make_version(champion.model, classes=["benign"]))["schema_compatible"]
    assert "can no longer answer 'malignant'" in result.detail


def test_the_hold_out_is_disjoint_from_the_training_rows() -> None:
    version = make_version()
    held = holdout_rows(version.model, version)
    assert len(held.target) == version.holdout_rows == len(held.frame)
    assert set(held.target.unique()) == {"benign", "malignant"}


def test_an_honestly_better_model_passes_against_a_weak_champion() -> None:
    model = make_model()
    dataset = make_dataset()
    shuffled = table().assign(diagnosis=np.random.default_rng(0).permutation(table()["diagnosis"]))
    weak = train(model, make_dataset("noise", pd.DataFrame(shuffled)))
    make_champion(model, pipeline=weak.pipeline)
    result = verdicts(make_version(model, dataset=dataset))["not_worse_than_champion"]
    assert result.passed
    assert result.numbers["low"] > 0


def test_rows_of_a_version_fit_it() -> None:
    assert len(rows_of(make_version(), 3)) == 3
