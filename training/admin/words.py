"""How jobs are shown."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from mlplatform.admin.parts import Badge, Fold, Meter, Table, Tone
from mlplatform.admin.render import duration, number
from training.algorithms import ALGORITHMS
from training.automl.trials import ENSEMBLE, STACK
from training.checks import Finding, Verdict
from training.models import JobState, TrainingJob, Trial
from training.models.trial import TrialState
from training.preprocessing import describe_options, parse_preprocessing
from training.services.limits import limits_of

MOST_LINES = 100
VERDICTS = {
    Verdict.warning: Badge("Look at this", "warn"),
    Verdict.impossible: Badge("Stopped", "bad"),
}
STATE_TONES: dict[str, Tone] = {
    JobState.QUEUED: "muted",
    JobState.RUNNING: "info",
    JobState.SUCCEEDED: "good",
    JobState.FAILED: "bad",
    JobState.ERRORED: "bad",
    JobState.CANCELLED: "warn",
}


def state_badge(job: TrainingJob) -> Badge:
    """Return the job's state."""
    if job.is_active and job.cancel_requested:
        return Badge("Cancelling", "warn")
    return Badge(JobState(job.state).label, STATE_TONES[job.state])


def progress_meter(job: TrainingJob) -> Meter:
    """Return how far the job is."""
    return Meter(job.progress / 100, f"{job.progress} %", STATE_TONES[job.state])


def title_of(algorithm: str) -> str:
    """Return an algorithm's name for people."""
    if algorithm == ENSEMBLE:
        return "Ensemble"
    return ALGORITHMS[algorithm].title if algorithm in ALGORITHMS else algorithm


def took(job: TrainingJob) -> str | None:
    """Return how long the job ran, or runs."""
    if job.started_at is None:
        return None
    gap: timedelta = (job.finished_at or timezone.now()) - job.started_at
    return duration(gap)


def time_left(job: TrainingJob) -> str | None:
    """Return how long the job will still take, by what it took so far."""
    seconds = job.seconds_left
    return None if seconds is None else duration(timedelta(seconds=max(1, seconds)))


def shown_limits(job: TrainingJob) -> str:
    """Return what the job may use."""
    limits = limits_of(job.config)
    cpus = "1 processor" if limits.cpus == 1 else f"{limits.cpus} processors"
    return f"{duration(timedelta(seconds=limits.seconds))}, {limits.memory_mb} MB of memory, {cpus}"


def shown_workers(job: TrainingJob) -> str:
    """Return how many workers may share the search, and which ones helped."""
    most = job.config.get("workers", 1)
    if most == 1:
        return "1"
    helped = [f"{one.number}: {one.name}" for one in job.helpers.all()]
    return f"up to {most}; helped by " + ("; ".join(helped) or "none so far")


def leaderboard(job: TrainingJob, title: str = "Leaderboard") -> Table:
    """Return the job's trials, the best first."""
    trials = sorted(job.trials.all(), key=_place)[:MOST_LINES]
    problem = job.model.problem
    metric = problem.metric(trials[0].metric) if trials else problem.primary
    by = ["Worker"] if job.config.get("workers", 1) > 1 else []
    return Table(
        title,
        ["Rank", "Algorithm", metric.title, "±", "Fit", "One answer", "Size", "Settings", "Folds", *by],
        [[*_line(trial), *([trial.worker] if by else [])] for trial in trials],
        empty="No algorithm has been tried yet.",
        note=f"By {metric.title} over the folds; "
        f"{'higher' if metric.higher_is_better else 'lower'} is better. The hold-out is not part of it. "
        "Fit: seconds of all folds together. Size: in memory.",
    )


def verdicts_table(title: str, findings: Iterable[Finding], note: str = "") -> Table:
    """Return what the checks found; those that found nothing are counted, and folded away."""
    findings = list(findings)
    found = [one for one in findings if one.verdict is not Verdict.passed]
    passed = [one.message for one in findings if one.verdict is Verdict.passed]
    counted = f"{len(passed)} check{'' if len(passed) == 1 else 's'} found nothing"
    return Table(
        title,
        ["Verdict", "Found", "What to do"],
        [[VERDICTS[one.verdict], one.message, one.hint or None] for one in found],
        empty="Everything is in order.",
        note=note,
        fold=Fold(counted, passed) if passed else None,
    )


def findings_table(job: TrainingJob) -> Table:
    """Return what the checks of the job's data found."""
    note = f"Where they find something: {job.model.get_data_checks_display().lower()}."
    return verdicts_table("Data checks", msgspec.convert(job.findings, list[Finding]), note)


def _place(trial: Trial) -> tuple[bool, int, bool, int]:
    """Ranked trials first, then the newest, those that failed last."""
    return (trial.rank is None, trial.rank or 0, bool(trial.error), -trial.pk)


def _line(trial: Any) -> list[Any]:
    rank: Any = Badge("1", "good") if trial.rank == 1 else trial.rank
    if trial.state in {TrialState.GIVEN_UP, TrialState.STOPPED}:
        rank = Badge(TrialState(trial.state).label, "muted")
    elif trial.share < 1 and trial.rank is None:
        rank = Badge(f"on {trial.share:.0%} of the rows", "muted")
    if trial.error:
        failed = Badge("Failed", "bad")
        return [
            rank,
            title_of(trial.algorithm),
            failed,
            None,
            None,
            None,
            None,
            settings_of(trial),
            trial.error,
        ]
    scores = [number(fold[trial.metric]) for fold in trial.fold_scores if trial.metric in fold]
    return [
        rank,
        title_of(trial.algorithm),
        trial.mean,
        trial.std,
        None if trial.fit_seconds is None else f"{number(trial.fit_seconds)} s",
        None if trial.predict_ms is None else f"{trial.predict_ms:.1f} ms",
        None if trial.size_bytes is None else filesizeformat(trial.size_bytes),
        settings_of(trial),
        ", ".join(scores),
    ]


def settings_of(trial: Any) -> str:
    """Return a trial's parameters and preparation of the inputs in one line."""
    if trial.algorithm == ENSEMBLE:
        members = [f"{one['weight']:.0%} {title_of(one['algorithm'])}" for one in trial.params["members"]]
        return f"{'Stacked' if trial.params.get('how') == STACK else 'Voted'}: {', '.join(members)}"
    parts = [f"{name.replace('_', ' ')} {_short(value)}" for name, value in trial.params.items()]
    parts += describe_options(parse_preprocessing(trial.preprocessing))
    return "; ".join(parts) or "Defaults"


def _short(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value).replace("_", " ")
