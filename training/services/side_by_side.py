"""Two to five versions, or what jobs made, side by side: settings, data, scores, a paired test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from registry.errors import VersionNotFound
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
from training.services.jobs import find_job

LEAST, MOST = 2, 5
MIN_ROWS = 20
SETTINGS = ("folds", "seed", "split", "search", "automl", "preprocessing", "calibrate", "threshold")


@dataclass(frozen=True)
class Line:
    """One name with a value for each contender; ``differs`` where they are not all the same."""

    name: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether the contenders differ here."""
        return any(value != self.values[0] for value in self.values)


@dataclass(frozen=True)
class Score:
    """A metric's value on the common rows with the ends of its interval; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PairedTest:
    """How much better a contender's rows went than the first one's: a mean with its 95 % interval."""

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

    versions: list[ModelVersion]
    problem: ProblemType
    parameters: list[Line]
    data: list[Line]
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
        return [str(version) for version in self.versions]


def find_contenders(*, versions: Iterable[int] = (), jobs: Iterable[int] = ()) -> list[ModelVersion]:
    """Return the versions of these keys and those that these jobs made, each once, in this order.

    Raises VersionNotFound, JobNotFound, and NotComparableVersions where a job made none.
    """
    found: dict[int, ModelVersion] = {}
    for key in versions:
        version = ModelVersion.objects.select_related("model", "dataset").filter(pk=key).first()
        if version is None:
            raise VersionNotFound(f"There is no version with the id {key}.")
        found[version.pk] = version
    for key in jobs:
        job = find_job(key)
        if job.version is None:
            raise NotComparableVersions(f"Job {key} made no version, so there is nothing to compare.")
        found.setdefault(job.version.pk, job.version)
    return list(found.values())


def compare(versions: Sequence[ModelVersion]) -> SideBySide:
    """Put two to five versions side by side; raises NotComparableVersions."""
    if not LEAST <= len(versions) <= MOST:
        raise NotComparableVersions(
            f"Choose {LEAST} to {MOST} different versions; these are {len(versions)}."
        )
    kinds = {(version.model.problem_type, version.model.target) for version in versions}
    if len(kinds) > 1:
        raise NotComparableVersions(
            "These versions answer different questions: they predict different columns."
        )
    problem = versions[0].model.problem
    truth, answers, caveat = _asked(versions)
    labelled = problem.key == "classification"
    label = _label(versions) if labelled else None
    return SideBySide(
        list(versions),
        problem,
        _parameters(versions),
        _data(versions),
        0 if truth is None else len(truth),
        caveat,
        {} if truth is None else _scores(problem, truth, answers),
        [] if truth is None else _tests(problem, truth, answers),
        {} if truth is None or label is None else _curves(versions, truth, answers, label),
        {} if truth is None or problem.key != "regression" else _errors(versions, truth, answers),
        label,
    )


def _asked(
    versions: Sequence[ModelVersion],
) -> tuple[npt.NDArray[Any] | None, list[Predictions], str]:
    """Ask every version for the rows of the newest data that none was trained on."""
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


def _parameters(versions: Sequence[ModelVersion]) -> list[Line]:
    jobs = [getattr(version, "job", None) for version in versions]
    lines = [Line("algorithm", [version.algorithm for version in versions])]
    names = list(dict.fromkeys(name for version in versions for name in version.params))
    lines += [Line(name, [version.params.get(name) for version in versions]) for name in names]
    lines += [
        Line(f"training: {name}", values)
        for name in SETTINGS
        if any(values := [None if job is None else job.config.get(name) for job in jobs])
    ]
    return lines


def _data(versions: Sequence[ModelVersion]) -> list[Line]:
    inputs = [sorted(column["name"] for column in version.features) for version in versions]
    common = set(inputs[0]).intersection(*inputs)
    return [
        Line("dataset", [str(version.dataset) for version in versions]),
        Line("rows", [version.dataset.rows for version in versions]),
        Line("rows held out", [version.holdout_rows for version in versions]),
        Line("held out by", [version.split.get("kind", "content") for version in versions]),
        Line("inputs", [len(names) for names in inputs]),
        Line("inputs of its own", [", ".join(sorted(set(names) - common)) or "none" for names in inputs]),
        Line("size of the artefact in bytes", [version.artifact_bytes for version in versions]),
    ]


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
