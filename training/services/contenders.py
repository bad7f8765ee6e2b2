"""Who stands side by side: versions and jobs, and what each is known to be."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.errors import VersionNotFound
from registry.models import ModelVersion, RegisteredModel
from training.models import TrainingJob, Trial
from training.models.trial import TrialState
from training.services.jobs import find_job

SETTINGS = (
    *("folds", "seed", "holdout", "split", "fairness", "search", "automl"),
    *("preprocessing", "calibrate", "threshold", "limits"),
)


@dataclass(frozen=True)
class Contender:
    """A version with the job that made it, where there is one, or a job that has made no version."""

    version: ModelVersion | None
    job: TrainingJob | None
    model: RegisteredModel

    @property
    def title(self) -> str:
        """The version's name; the job's where it has none."""
        return str(self.version or self.job)

    @property
    def config(self) -> dict[str, Any] | None:
        """How the job was told to train; None where none did here."""
        return None if self.job is None else self.job.config


@dataclass(frozen=True)
class Line:
    """One name with a value for each contender; ``differs`` where they are not all the same."""

    name: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether the contenders differ here."""
        return any(value != self.values[0] for value in self.values)


def find_contenders(*, versions: Iterable[int] = (), jobs: Iterable[int] = ()) -> list[Contender]:
    """Return the versions and jobs of these keys in this order; a job stands for the version that it made.

    Each is there once. Raises VersionNotFound and JobNotFound.
    """
    found: dict[tuple[str, int], Contender] = {}
    for key in versions:
        version = ModelVersion.objects.select_related("model", "dataset", "job").filter(pk=key).first()
        if version is None:
            raise VersionNotFound(f"There is no version with the id {key}.")
        found["version", key] = of_version(version)
    for key in jobs:
        job = find_job(key)
        if job.version is None:
            found["job", key] = Contender(None, job, job.model)
        else:
            found.setdefault(("version", job.version.pk), of_version(job.version))
    return list(found.values())


def of_version(version: ModelVersion) -> Contender:
    """Return the version as a contender."""
    return Contender(version, getattr(version, "job", None), version.model)


def parameters_of(contenders: Sequence[Contender]) -> list[Line]:
    """Return algorithm, parameters and settings; of a job without a version, of its best trial so far."""
    chosen = [_chosen(one) for one in contenders]
    lines = [Line("algorithm", [algorithm for algorithm, _ in chosen])]
    names = list(dict.fromkeys(name for _, params in chosen for name in params))
    lines += [Line(name, [params.get(name) for _, params in chosen]) for name in names]
    return lines + [
        Line(f"training: {name}", values)
        for name in SETTINGS
        if any(values := [None if one.config is None else one.config.get(name) for one in contenders])
    ]


def data_of(contenders: Sequence[Contender]) -> list[Line]:
    """Return what each learnt from; what only a version knows is None for a job without one."""
    datasets = [one.version.dataset if one.version else one.job.dataset for one in contenders]  # type: ignore[union-attr]  # one of the two
    inputs = [_inputs(one) for one in contenders]
    known = [set(names) for names in inputs if names is not None]
    common = set.intersection(*known) if known else set()
    own = [None if names is None else ", ".join(sorted(set(names) - common)) or "none" for names in inputs]
    return [
        Line("dataset", [str(dataset) for dataset in datasets]),
        Line("rows", [dataset.rows for dataset in datasets]),
        _of_versions("rows held out", contenders, lambda one: one.holdout_rows),
        _of_versions("held out by", contenders, lambda one: one.split.get("kind", "content")),
        Line("inputs", [None if names is None else len(names) for names in inputs]),
        Line("inputs of its own", own),
        _of_versions("size of the artefact in bytes", contenders, lambda one: one.artifact_bytes),
    ]


def training_of(contenders: Sequence[Contender]) -> list[Line]:
    """Return how each one's training went: state, error, duration, what was tried; None without a job."""
    jobs = [one.job for one in contenders]
    trials = [[] if job is None else list(job.ranked_trials) for job in jobs]
    best = [_best(some) for some in trials]
    return [
        Line("job", [None if job is None else job.pk for job in jobs]),
        Line("state", [None if job is None else job.state for job in jobs]),
        Line("error", [None if job is None else job.error or None for job in jobs]),
        Line("seconds", [_seconds(job) for job in jobs]),
        Line("trials", [None if job is None else len(some) for job, some in zip(jobs, trials, strict=True)]),
        Line("best trial", [None if one is None else one.algorithm for one in best]),
        Line("metric over the folds", [None if one is None else one.metric for one in best]),
        Line("its mean", [None if one is None else one.mean for one in best]),
        Line("its deviation", [None if one is None else one.std for one in best]),
    ]


def _of_versions(name: str, contenders: Sequence[Contender], of: Callable[[ModelVersion], Any]) -> Line:
    return Line(name, [None if one.version is None else of(one.version) for one in contenders])


def _inputs(one: Contender) -> list[str] | None:
    return None if one.version is None else [column["name"] for column in one.version.features]


def _chosen(one: Contender) -> tuple[str | None, dict[str, Any]]:
    if one.version is not None:
        return one.version.algorithm, one.version.params
    best = None if one.job is None else _best(list(one.job.ranked_trials))
    return (None, {}) if best is None else (best.algorithm, best.params)


def _best(trials: Sequence[Trial]) -> Trial | None:
    """Return the first of the leaderboard; while the job runs there are no ranks, and the first whole one."""
    whole = [one for one in trials if one.state == TrialState.COMPLETE and one.mean is not None]
    if not whole or whole[0].rank is not None:
        return whole[0] if whole else None
    higher = whole[0].job.model.problem.metric(whole[0].metric).higher_is_better
    return max(whole, key=lambda one: (one.mean or 0.0) * (1 if higher else -1))


def _seconds(job: TrainingJob | None) -> float | None:
    if job is None or job.started_at is None or job.finished_at is None:
        return None
    return round((job.finished_at - job.started_at).total_seconds(), 1)
