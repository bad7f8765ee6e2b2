import pandas as pd
import pytest

from registry.problems import PROBLEMS, ProblemType, UnknownProblemType, detect_problem, get_problem


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_problem_type_is_whole(problem: ProblemType) -> None:
    assert get_problem(problem.key) is problem
    assert problem.primary in problem.metrics
    assert len({metric.name for metric in problem.metrics}) == len(problem.metrics)
    assert problem.title


def test_an_unknown_problem_type_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownProblemType, match="classification, regression"):
        get_problem("astrology")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        ([0, 1, 2], "classification"),
        ([1.0, 2.0, None], "classification"),
        (pd.Categorical([1, 2]), "classification"),
        ([None], "classification"),
        (range(21), "regression"),
        ([0.5, 1.5], "regression"),
        (["0.5", "1.5"], "regression"),
    ],
)
def test_the_problem_is_read_from_the_target(values: object, expected: str) -> None:
    assert detect_problem(pd.Series(values)) == expected
