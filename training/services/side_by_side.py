"""Two to five versions or jobs side by side: settings, data, scores, a paired test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from registry.frames import dataset_frame
from registry.models import ModelVersion
from registry.problems import Predictions, ProblemType, paired_bootstrap
from registry.services.gates import unseen_rows
from registry.services.plans import plan_for
from registry.tabular.schema import coerce_frame
from training.errors import NotComparableVersions
from training.evaluation.curves import Curve, classification_curves
from training.evaluation.report import ClassCurves
from training.evaluation.resampling import metric_intervals
from training.services.contenders import Contender, Line, data_of, parameters_of, training_of

LEAST, MOST = 2, 5
MIN_ROWS = 20


@dataclass(frozen=True)
class Score:
    """A metric's value on the common rows with the ends of its interval; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PairedTest:
    """How much better a version's rows went than the first one's: a mean with its 95 % interval."""

    contender: int
    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Say whether the difference is proven: ``better``, ``worse`` or ``open``."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "open"


@dataclass(frozen=True)
class SideBySide:
    """The comparison; what needs common rows is empty where ``caveat`` says why there are none."""

    contenders: list[Contender]
    problem: ProblemType
    parameters: list[Line]
    data: list[Line]
    training: list[Line]
    rows: int
    caveat: str
    scores: dict[str, list[Score]]
    tests: list[PairedTest]
    curves: dict[str, ClassCurves]
    errors: dict[str, Curve]
    label: str | None

    @property
    def titles(self) -> list[str]:
        """The contenders' names."""
        return [one.title for one in self.contenders]

    @property
    def versions(self) -> list[ModelVersion]:
        """The versions among the contenders, which the paired tests number."""
        return [one.version for one in self.contenders if one.version is not None]


def compare(contenders: Sequence[Contender]) -> SideBySide:
    """Put two to five versions or jobs side by side; raises NotComparableVersions.

    Those without a version have no answers, so scores, tests and curves are of the others.
    """
    if not LEAST <= len(contenders) <= MOST:
        raise NotComparableVersions(
            f"Choose {LEAST} to {MOST} different versions or jobs; these are {len(contenders)}."
        )
    kinds = {(one.model.problem_type, one.model.target) for one in contenders}
    if len(kinds) > 1:
        raise NotComparableVersions("These answer different questions: they predict different columns.")
    problem = contenders[0].model.problem
    versions = [one.version for one in contenders if one.version is not None]
    truth, answers, caveat = _asked(versions)
    label = _label(versions) if problem.key == "classification" and versions else None
    scores: dict[str, list[Score]] = {} if truth is None else _scores(problem, truth, answers)
    return SideBySide(
        list(contenders),
        problem,
        parameters_of(contenders),
        data_of(contenders),
        training_of(contenders),
        0 if truth is None else len(truth),
        caveat,
        {name: _aligned(contenders, values) for name, values in scores.items()},
        [] if truth is None else _tests(problem, truth, answers),
        {} if truth is None or label is None else _curves(versions, truth, answers, label),
        {} if truth is None or problem.key != "regression" else _errors(versions, truth, answers),
        label,
    )


def _aligned(contenders: Sequence[Contender], values: Sequence[Score]) -> list[Score]:
    """Return a score for each contender: one without a value where it has no version."""
    left = iter(values)
    return [Score(None) if one.version is None else next(left) for one in contenders]


def _asked(
    versions: Sequence[ModelVersion],
) -> tuple[npt.NDArray[Any] | None, list[Predictions], str]:
    """Ask every version for the rows of the newest data that none was trained on."""
    if not versions:
        return None, [], "None of these jobs has made a version that could be asked."
    newest = max(versions, key=lambda version: version.created_at)
    model = newest.model
    if not model.target:
        return None, [], "Without a known truth there are no rows on which to say who is right."
    try:
        with tenant_transaction():
            dataset = newest.dataset
        frame = dataset_frame(dataset)
        rows = frame[unseen_rows(frame, model, versions)]
        target = model.problem.clean_target(model.problem.target_of(rows, model.target))
        if len(target) < MIN_ROWS:
            caveat = f"Only {len(target)} rows are unseen by all; {MIN_ROWS} are needed to compare on them."
            return None, [], caveat
        rows = rows.loc[target.index]
        return target.to_numpy(), [_answered(version, rows) for version in versions], ""
    except PlatformError as error:
        return None, [], f"They cannot be asked for the same rows. {error.detail}"


def _answered(version: ModelVersion, rows: pd.DataFrame) -> Predictions:
    plan = plan_for(version)
    return plan.predict(coerce_frame(rows, plan.columns))


def _scores(
    problem: ProblemType, truth: npt.NDArray[Any], answers: Sequence[Predictions]
) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    values = [problem.score(truth, one) for one in answers]
    ends = [metric_intervals(problem, truth, one) for one in answers]
    for metric in problem.metrics:
        if any(metric.name in one for one in values):
            found[metric.name] = [
                Score(one.get(metric.name), *(around.get(metric.name) or (None, None)))
                for one, around in zip(values, ends, strict=True)
            ]
    return found


def _tests(problem: ProblemType, truth: npt.NDArray[Any], answers: Sequence[Predictions]) -> list[PairedTest]:
    if problem.key not in {"classification", "regression"}:
        return []
    first, *others = (problem.row_scores(truth, one) for one in answers)
    differences = [paired_bootstrap(one, first) for one in others]
    return [PairedTest(place, one.mean, one.low, one.high) for place, one in enumerate(differences, 1)]


def _label(versions: Sequence[ModelVersion]) -> str | None:
    common = [
        label for label in versions[0].classes or [] if all(label in (v.classes or []) for v in versions)
    ]
    return common[-1] if common else None


def _curves(
    versions: Sequence[ModelVersion], truth: npt.NDArray[Any], answers: Sequence[Predictions], label: str
) -> dict[str, ClassCurves]:
    found = {}
    for version, one in zip(versions, answers, strict=True):
        if one.probabilities is not None and one.classes is not None:
            curves = classification_curves(truth, one.probabilities, one.classes, most=len(one.classes))
            if label in curves:
                found[str(version)] = ClassCurves(**curves[label])  # type: ignore[arg-type]  # by name
    return found


def _errors(
    versions: Sequence[ModelVersion], truth: npt.NDArray[Any], answers: Sequence[Predictions]
) -> dict[str, Curve]:
    """The share of rows whose error is at most x (regression error characteristic: Bi and Bennett 2003)."""
    shares = np.linspace(0, 1, 101)
    return {
        str(version): Curve(
            np.quantile(np.abs(truth.astype("float64") - one.values.astype("float64")), shares).tolist(),
            shares.tolist(),
        )
        for version, one in zip(versions, answers, strict=True)
    }
