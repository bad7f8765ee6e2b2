"""Groups of people, or of anything, do not fare too differently."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.problems import Predictions, ProblemType
from registry.problems.classification import Classification

Measure = Literal["primary_metric", "selection_rate", "true_positive_rate", "false_positive_rate"]
RATES = frozenset({"selection_rate", "true_positive_rate", "false_positive_rate"})


class FairnessParameters(Parameters, frozen=True):
    """Between whom, by what, and how much."""

    column: Annotated[
        str,
        Meta(max_length=200, description="The column whose values are compared, also one that is no input."),
    ] = ""
    measure: Annotated[
        Measure,
        Meta(
            description="primary_metric compares how good the answers are; selection_rate how often the "
            "favourable answer is given (demographic parity); true_positive_rate how often where it is "
            "deserved (equal opportunity); false_positive_rate how often where it is not."
        ),
    ] = "primary_metric"
    favourable: Annotated[
        str, Meta(max_length=200, description="The answer that people hope for; the rates need it.")
    ] = ""
    gap: Annotated[
        float, Meta(ge=0, le=1e12, description="The largest difference allowed between two groups.")
    ] = 0.1
    min_rows: Annotated[
        int, Meta(ge=10, le=10_000_000, description="Groups with fewer hold-out rows are left out.")
    ] = 30


def check(evidence: Evidence, parameters: FairnessParameters) -> Verdict:
    """Compare the groups' figures on the hold-out (Hardt, Price, Srebro 2016, for the rates).

    Raises SchemaMismatch where the data have no such column.
    """
    groups = evidence.groups(parameters.column, parameters.min_rows)
    truth, answers = evidence.holdout().target.to_numpy(), evidence.answers(evidence.candidate)
    figures = {
        value: figure
        for value, rows in groups.items()
        if (figure := _figure(evidence.problem, parameters, truth[rows], answers.take(rows))) is not None
    }
    if len(figures) < 2:
        sentence = (
            f"Fewer than two groups of {parameters.column} have {parameters.min_rows} hold-out rows on which "
            "they can be compared. Train on more data, or choose another column."
        )
        return False, sentence, {"groups": len(figures)}
    return _verdict(parameters, figures)


def _verdict(parameters: FairnessParameters, figures: Mapping[str, float]) -> Verdict:
    highest, lowest = max(figures, key=figures.__getitem__), min(figures, key=figures.__getitem__)
    gap = figures[highest] - figures[lowest]
    name = parameters.measure.replace("_", " ")
    sentence = (
        f"The {name} is {figures[highest]:.4g} where {parameters.column} is {highest} and "
        f"{figures[lowest]:.4g} where it is {lowest}: {gap:.3g} apart, allowed are {parameters.gap:g}."
    )
    by_group = [{"value": value, parameters.measure: round(one, 6)} for value, one in figures.items()]
    return gap <= parameters.gap, sentence, {"gap": round(gap, 6), "allowed": parameters.gap, "by": by_group}


def _figure(
    problem: ProblemType, parameters: FairnessParameters, truth: npt.NDArray[Any], answers: Predictions
) -> float | None:
    if parameters.measure == "primary_metric":
        return problem.score(truth, answers).get(problem.primary_metric)
    chosen = np.asarray(answers.values.astype(str) == parameters.favourable)
    deserved = np.asarray(truth.astype(str) == parameters.favourable)
    among = {
        "selection_rate": np.ones(len(truth), dtype=bool),
        "true_positive_rate": deserved,
        "false_positive_rate": ~deserved,
    }[parameters.measure]
    return float(chosen[among].mean()) if among.any() else None


def unfit(problem: ProblemType, parameters: FairnessParameters) -> str:
    """Return why the measure does not suit the problem, or an empty text."""
    if not parameters.column:
        return "Name the column whose values are compared."
    if parameters.measure not in RATES:
        return ""
    if not isinstance(problem, Classification):
        return f"The measure {parameters.measure} is for classifications. Choose primary_metric."
    return "" if parameters.favourable else "Name the favourable answer, whose rates are compared."


FAIRNESS_GAP = Gate(
    "fairness_gap",
    "Fair between groups",
    "The groups of one column fare alike on the hold-out.",
    check,
    FairnessParameters,
    unfit=unfit,
)
