"""On the same rows, the candidate is not worse than the champion.

A test of non-inferiority (Piaggio et al., JAMA 2012;308:2594): it asks whether the data rule out that
the candidate is worse by more than a margin, for "no significant difference" on few rows proves nothing.
Both are asked for the rows of the candidate's frozen hold-out. Which side a row falls on depends on its
content alone, so these rows were held out from the champion, too.

Parts of the rows are judged the other way round: a part fails where the data prove a loss beyond the margin.
So few rows cannot rule much out, and demanding that they do would stop every version.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.problems import Comparison, NotComparable, Predictions, ProblemType
from registry.problems.classification import Classification
from registry.problems.paired import delong, mcnemar
from registry.tabular.groups import MAX_GROUPS

Test = Literal["bootstrap", "mcnemar", "delong"]


class ComparisonParameters(Parameters, frozen=True):
    """Which test, how much may be lost, on how many rows."""

    test: Annotated[
        Test,
        Meta(
            description="bootstrap compares what suits the problem (accuracy, absolute error, average "
            "precision); mcnemar compares accuracy; delong the area under the ROC curve of two classes."
        ),
    ] = "bootstrap"
    margin: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=1e12,
                description="How much may be lost, in the unit of what is compared. Left out: 0.05 of "
                "accuracy, 0.02 of the area, a tenth of the champion's error.",
            ),
        ]
        | None
    ) = None
    min_rows: Annotated[
        int, Meta(ge=2, le=10_000_000, description="Fewest hold-out rows on which to compare.")
    ] = 20
    slices: Annotated[
        list[Annotated[str, Meta(max_length=200)]],
        Meta(
            max_length=20,
            description="Columns by whose values to compare as well: no part of the rows may provably lose "
            "more than the margin.",
        ),
    ] = []
    slice_min_rows: Annotated[
        int, Meta(ge=10, le=10_000_000, description="Parts with fewer rows are left out.")
    ] = 30


def check(evidence: Evidence, parameters: ComparisonParameters) -> Verdict:
    """Compare row by row; passes where a loss beyond the margin is ruled out and none is proven.

    Raises NotComparable where the test does not suit the answers.
    """
    if evidence.champion is None:
        return True, "There is no champion yet to compare with.", {}
    truth = evidence.holdout().target.to_numpy()
    if len(truth) < parameters.min_rows:
        detail = f"The hold-out has {len(truth)} rows; a comparison needs at least {parameters.min_rows}."
        return False, f"{detail} Train on more data, or override with a reason.", {"rows": len(truth)}
    ours, theirs = evidence.answers(evidence.candidate), evidence.answers(evidence.champion)
    found = _compared(parameters, evidence.problem, truth, ours, theirs)
    parts = list(_by_slice(evidence, parameters, truth, ours, theirs))
    lost = [part for part in parts if part.get("high", 0.0) < -part.get("margin", 0.0)]
    numbers = _numbers(found) | ({"slices": parts} if parts else {})
    sentence = " ".join([_sentence(found), *map(_of_slice, lost)])
    if parts and not lost:
        sentence += f" None of {len(parts)} parts of the rows provably loses more."
    return found.passed and not lost, sentence, numbers


def _compared(
    parameters: ComparisonParameters,
    problem: ProblemType,
    truth: npt.NDArray[Any],
    ours: Predictions,
    theirs: Predictions,
) -> Comparison:
    match parameters.test:
        case "mcnemar":
            right = [problem.row_scores(truth, one) == 1 for one in (ours, theirs)]
            found = mcnemar(*right)
        case "delong":
            found = delong(*_ranked(truth, ours, theirs))
        case _:
            found = problem.compare(truth, ours, theirs)
    return found if parameters.margin is None else replace(found, margin=parameters.margin)


def _ranked(
    truth: npt.NDArray[Any], ours: Predictions, theirs: Predictions
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    classes = ours.classes or []
    if len(classes) != 2 or sorted(theirs.classes or []) != sorted(classes):
        raise NotComparable("DeLong's test compares versions of the same two classes. Choose another test.")
    looked_for = classes[1]
    scores = [_probability(one, looked_for) for one in (ours, theirs)]
    return np.asarray(truth.astype(str) == looked_for), scores[0], scores[1]


def _probability(answers: Predictions, label: str) -> npt.NDArray[np.float64]:
    if answers.probabilities is None or answers.classes is None:
        raise NotComparable("DeLong's test needs probabilities, which one of the versions does not give.")
    return answers.probabilities[:, answers.classes.index(label)]


def _by_slice(
    evidence: Evidence,
    parameters: ComparisonParameters,
    truth: npt.NDArray[Any],
    ours: Predictions,
    theirs: Predictions,
) -> Iterator[dict[str, Any]]:
    for column in parameters.slices:
        for value, rows in evidence.groups(column, parameters.slice_min_rows).items():
            try:
                found = _compared(
                    parameters, evidence.problem, truth[rows], ours.take(rows), theirs.take(rows)
                )
            except NotComparable as error:
                yield {"column": column, "value": value, "rows": len(rows), "not_compared": error.detail}
                continue
            yield {"column": column, "value": value} | _numbers(found)


def _numbers(found: Comparison) -> dict[str, Any]:
    told = {name: value for name, value in asdict(found).items() if name != "caveat"}
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in told.items()
        if value is not None
    }


def _sentence(found: Comparison) -> str:
    verdict = "not worse than" if found.passed else "not shown to be as good as"
    told = (
        f"On the same {found.rows} hold-out rows the {found.what} is {found.candidate:.4g} against the "
        f"champion's {found.champion:.4g}: {verdict} the champion "
    )
    if found.caveat:
        return f"{told}(allowed {-found.margin:+.3g}). {found.caveat}"
    return f"{told}(95 % bound {found.low:+.3g}, allowed {-found.margin:+.3g})."


def _of_slice(part: dict[str, Any]) -> str:
    return (
        f"Where {part['column']} is {part['value']} ({part['rows']} rows) it is worse by "
        f"{-part['difference']:.3g}, at least {-part['high']:.3g}."
    )


def unfit(problem: ProblemType, parameters: ComparisonParameters) -> str:
    """Return why the test does not suit the problem, or an empty text."""
    if parameters.test == "bootstrap" or isinstance(problem, Classification):
        return ""
    return f"The test {parameters.test} is for classifications. Choose bootstrap."


NOT_WORSE_THAN_CHAMPION = Gate(
    "not_worse_than_champion",
    "Not worse than the champion",
    f"On the same frozen hold-out rows; of a column's values the {MAX_GROUPS} most frequent are compared.",
    check,
    ComparisonParameters,
    standard=True,
    unfit=unfit,
)
