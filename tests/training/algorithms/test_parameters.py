import pytest

from training.algorithms import (
    ALGORITHMS,
    Algorithm,
    InvalidParameters,
    UnknownAlgorithm,
    UnsuitableAlgorithm,
    algorithms_for,
    describe_params,
    get_algorithm,
    parse_params,
)

FOREST = get_algorithm("random_forest")


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=list(ALGORITHMS))
def test_every_parameter_is_described_and_every_number_bounded(algorithm: Algorithm) -> None:
    for name, field in describe_params(algorithm)["properties"].items():
        variants = field.get("anyOf", [field])
        assert any("description" in variant for variant in [field, *variants]), name
        for variant in variants:
            if variant.get("type") in {"integer", "number"}:
                assert "maximum" in variant, name
                assert "minimum" in variant or "exclusiveMinimum" in variant, name


def test_defaults_are_filled_in() -> None:
    assert parse_params(FOREST, {"max_depth": 3}) == FOREST.params(max_depth=3)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"n_estimators": 10**9}, "n_estimators: Expected `int` <= 2000"),
        ({"n_estimators": -1}, "n_estimators: Expected `int` >= 1"),
        ({"n_estimators": True}, "n_estimators: Expected `int`"),
        ({"max_depth": "os.system"}, "max_depth: Expected `int | null`"),
        ({"max_features": float("nan")}, "max_features"),
        ({"n_jobs": -1}, "no parameter 'n_jobs'. Its parameters: n_estimators"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name_and_bound(raw: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        parse_params(FOREST, raw)
    assert text in caught.value.detail
    assert caught.value.fields is not None
    assert list(caught.value.fields) == list(raw)


def test_algorithms_are_offered_by_problem() -> None:
    assert {"ridge", "random_forest"} <= {a.key for a in algorithms_for("regression")}
    assert "ridge" not in {a.key for a in algorithms_for("classification")}


def test_an_unknown_algorithm_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownAlgorithm, match="ridge"):
        get_algorithm("oracle")


def test_an_algorithm_for_another_problem_is_refused() -> None:
    with pytest.raises(UnsuitableAlgorithm, match="logistic_regression"):
        get_algorithm("ridge", "classification")
