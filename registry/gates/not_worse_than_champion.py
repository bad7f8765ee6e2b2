"""On the same rows, the candidate is not worse than the champion.

A test of non-inferiority (Piaggio et al., JAMA 2012;308:2594): it asks whether the data rule out that
the candidate is worse by more than a margin, for "no significant difference" on few rows proves nothing.
Both are asked for the rows of the candidate's frozen hold-out. Which side a row falls on depends on its
content alone, so these rows were held out from the champion, too.
"""

from typing import Any

import numpy as np

from registry.gates.base import Evidence, Gate, HoldOut
from registry.inference.plan import Plan
from registry.problems import ProblemType, get_problem, paired_bootstrap
from registry.problems.classification import Classification
from registry.tabular.schema import coerce_frame

MIN_ROWS = 20
CONFIDENCE = 0.9  # two-sided, so each bound holds with 95 %
ACCURACY_MARGIN = 0.05
RELATIVE_ERROR_MARGIN = 0.1


def check(evidence: Evidence) -> tuple[bool, str, dict[str, Any]]:
    """Compare row by row; passes where a loss beyond the margin is ruled out and none is proven."""
    if evidence.champion is None:
        return True, "There is no champion yet to compare with.", {}
    holdout = evidence.holdout()
    if len(holdout.target) < MIN_ROWS:
        detail = f"The hold-out has {len(holdout.target)} rows; a comparison needs at least {MIN_ROWS}."
        return (
            False,
            f"{detail} Train on more data, or override with a reason.",
            {"rows": len(holdout.target)},
        )
    problem = get_problem(evidence.problem_type)
    ours = _row_scores(problem, evidence.plan(evidence.candidate), holdout)
    theirs = _row_scores(problem, evidence.plan(evidence.champion), holdout)
    difference = paired_bootstrap(ours, theirs, confidence=CONFIDENCE)
    margin = _margin(problem, theirs)
    numbers = {
        "rows": difference.n,
        "candidate": round(float(abs(ours.mean())), 6),
        "champion": round(float(abs(theirs.mean())), 6),
        "difference": round(difference.mean, 6),
        "low": round(difference.low, 6),
        "high": round(difference.high, 6),
        "margin": round(margin, 6),
    }
    passed = difference.low >= -margin and difference.high >= 0
    return passed, _sentence(problem, numbers, passed), numbers


def _row_scores(
    problem: ProblemType, plan: Plan, holdout: HoldOut
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    answers = plan.predict(coerce_frame(holdout.frame, plan.columns))
    return problem.row_scores(holdout.target.to_numpy(), answers)


def _margin(problem: ProblemType, champion_scores: "np.ndarray[Any, np.dtype[np.float64]]") -> float:
    if problem.key == Classification.key:
        return ACCURACY_MARGIN
    return RELATIVE_ERROR_MARGIN * float(abs(champion_scores.mean()))


def _sentence(problem: ProblemType, numbers: dict[str, Any], passed: bool) -> str:
    what = "accuracy" if problem.key == Classification.key else "mean absolute error"
    verdict = "not worse than" if passed else "not shown to be as good as"
    return (
        f"On the same {numbers['rows']} hold-out rows the {what} is {numbers['candidate']:.4g} against the "
        f"champion's {numbers['champion']:.4g}: {verdict} the champion (95 % bound {numbers['low']:+.3g}, "
        f"allowed {-numbers['margin']:+.3g})."
    )


NOT_WORSE_THAN_CHAMPION = Gate("not_worse_than_champion", "Not worse than the champion", check)
