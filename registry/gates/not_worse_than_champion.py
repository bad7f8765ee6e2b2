"""On the same rows, the candidate is not worse than the champion.

A test of non-inferiority (Piaggio et al., JAMA 2012;308:2594): it asks whether the data rule out that
the candidate is worse by more than a margin, for "no significant difference" on few rows proves nothing.
Both are asked for the rows of the candidate's frozen hold-out. Which side a row falls on depends on its
content alone, so these rows were held out from the champion, too.
"""

from typing import Any

from registry.gates.base import Evidence, Gate, HoldOut
from registry.inference.plan import Plan
from registry.problems import Comparison, Predictions, get_problem
from registry.tabular.schema import coerce_frame

MIN_ROWS = 20


def check(evidence: Evidence) -> tuple[bool, str, dict[str, Any]]:
    """Compare row by row; passes where a loss beyond the margin is ruled out and none is proven.

    What is compared is the problem type's own (``ProblemType.compare``); raises NotComparable.
    """
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
    ours = _answers(evidence.plan(evidence.candidate), holdout)
    theirs = _answers(evidence.plan(evidence.champion), holdout)
    found = get_problem(evidence.problem_type).compare(holdout.target.to_numpy(), ours, theirs)
    numbers = {
        "rows": found.rows,
        "candidate": round(found.candidate, 6),
        "champion": round(found.champion, 6),
        "difference": round(found.difference, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "margin": round(found.margin, 6),
    }
    return found.passed, _sentence(found), numbers


def _answers(plan: Plan, holdout: HoldOut) -> Predictions:
    return plan.predict(coerce_frame(holdout.frame, plan.columns))


def _sentence(found: Comparison) -> str:
    verdict = "not worse than" if found.passed else "not shown to be as good as"
    told = (
        f"On the same {found.rows} hold-out rows the {found.what} is {found.candidate:.4g} against the "
        f"champion's {found.champion:.4g}: {verdict} the champion "
    )
    if found.caveat:
        return f"{told}(allowed {-found.margin:+.3g}). {found.caveat}"
    return f"{told}(95 % bound {found.low:+.3g}, allowed {-found.margin:+.3g})."


NOT_WORSE_THAN_CHAMPION = Gate("not_worse_than_champion", "Not worse than the champion", check)
