"""An automatic search: algorithms and preparations together, within a time, to one model or an ensemble."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from msgspec.structs import replace

from registry.problems import Metric, ProblemType
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType
from training.automl.blending import blend
from training.automl.budget import AutoMLSettings, since_best
from training.automl.costs import Size, learnt_seconds
from training.automl.deciding import Decision
from training.automl.nearby import propose_near
from training.automl.portfolio import PORTFOLIO
from training.automl.search import AS_IT_IS, Folds, cross_validate
from training.automl.starting import first_share, whole_key
from training.automl.study import Candidate, Past, Proposal, State, key_of
from training.automl.trials import ENSEMBLE, TrialResult, TrialSpec

TRIALS_WANTED = 12  # a search on all rows must at least get so far, or it begins on a part of them
LARGEST_TRIAL = 0.25  # of the whole time
PROMOTE_AFTER = 0.5  # of the search's time, where it works on a part of the rows
PROMOTED = 6
IN_TIME = 0.97  # of the time; what is expected is never exact
LAST_STEPS = 0.5  # seconds for choosing the ensemble
MOST_AFTER = 0.4  # of the time: what the last fits may keep from the search


class OutOfTime(Exception):
    """A trial has not ended when the search must."""


class Observer(Protocol):
    """Whoever follows a race: a job with its rows, or nobody."""

    def check(self) -> None:
        """Raise where the race is to stop."""

    def begun(self, spec: TrialSpec, share: float) -> Any:
        """A trial begins; what is returned names it from now on."""

    def fold(self, trial: Any, index: int, scores: dict[str, float], done: float) -> None:
        """A fold was scored; ``done`` is the share of the time that is used."""

    def ended(self, trial: Any, result: TrialResult) -> None:
        """A trial has ended."""

    def note(self, text: str) -> None:
        """Something that a reader wants to know."""


@dataclass(frozen=True)
class Field:
    """What is raced on: canonical features, cleaned target, and the folds of their rows."""

    features: pd.DataFrame
    target: "pd.Series[Any]"
    columns: Sequence[Column]
    problem: ProblemType
    folds: Folds
    seed: int
    decision: Decision = AS_IT_IS
    threads: int = 1

    def size(self, share: float = 1.0) -> Size:
        """The size of one fold's fit on a share of the rows."""
        classes = self.target.nunique() if self.problem.key == "classification" else 1
        return Size(int(share * len(self.folds[0][0])), len(self.columns), classes)


def _nothing(milliseconds: float) -> float:
    return 0.0


class Race:
    """One automatic search.

    Args:
        began: when the time began to run, by ``time.monotonic``: what was done before counts.
        spare: seconds that the caller needs after the last fit, for each model that is part of the winner,
            given its time of one answer in milliseconds. last: seconds besides that the caller needs at the
            end, whatever wins.
    """

    def __init__(
        self,
        field: Field,
        settings: AutoMLSettings,
        candidates: Sequence[Candidate],
        observer: Observer,
        *,
        began: float,
        spare: Callable[[float], float] = _nothing,
        last: float = LAST_STEPS,
    ) -> None:
        self.field, self.settings, self.observer = field, settings, observer
        self.candidates = [self._fitting(candidate) for candidate in candidates]
        self.began, self.spare = began, spare
        self.last = min(last, MOST_AFTER * settings.seconds)
        self.metric: Metric = field.problem.metric(settings.metric or field.problem.primary_metric)
        self.sign = 1.0 if self.metric.higher_is_better else -1.0
        self.results: list[tuple[Any, TrialResult, float]] = []
        self.measured: list[tuple[TrialSpec, Size, float]] = []
        first = self._portfolio()[:TRIALS_WANTED]
        self.share = first_share(first, field.size(), settings.seconds * field.threads / len(field.folds))

    def run(self) -> TrialResult | None:
        """Search, then let the best answer together; the best by the stated exchange rate, or None."""
        while (proposal := self._next()) is not None:
            self.observer.check()
            self._try(proposal)
        if self.settings.ensemble:
            self._let_answer_together()
        return self.best()

    @property
    def used(self) -> float:
        """Seconds since the time began to run."""
        return time.monotonic() - self.began

    def ranked(self) -> list[tuple[Any, TrialResult]]:
        """Trials that may win, the best first: those on the largest share of rows that any was scored on."""
        scored = [one for one in self.results if one[1].mean is not None]
        largest = max((share for _, _, share in scored), default=1.0)
        rivals = [(trial, result) for trial, result, share in scored if share == largest]
        return sorted(rivals, key=lambda one: (-self.worth(one[1]), one[1].std, one[1].fit_seconds))

    def best(self) -> TrialResult | None:
        """The winner so far."""
        ranked = self.ranked()
        return ranked[0][1] if ranked else None

    def worth(self, result: TrialResult) -> float:
        """The metric, higher is better, less what the answer's time costs."""
        mean = -np.inf if result.mean is None else self.sign * result.mean
        return mean - self.settings.per_millisecond * (result.predict_ms or 0.0)

    def _fitting(self, candidate: Candidate) -> Candidate:
        """The candidate without options for columns that there are not."""
        kinds = {column.type for column in self.field.columns}
        idle = set() if ColumnType.category in kinds else {"encode"}
        idle |= set() if kinds & NUMBER_TYPES else {"scale"}
        return replace(
            candidate, vary_inputs=tuple(name for name in candidate.vary_inputs if name not in idle)
        )

    def _portfolio(self) -> list[TrialSpec]:
        known = {candidate.algorithm: candidate for candidate in self.candidates}
        found = []
        for spec in PORTFOLIO.get(self.field.problem.key, ()):
            if (candidate := known.get(spec.algorithm)) is not None:
                params = {**spec.params, **candidate.fixed}
                inputs = {
                    name: value for name, value in spec.preprocessing.items() if name in candidate.vary_inputs
                }
                found.append(TrialSpec(spec.algorithm, params, {**inputs, **candidate.prepared}))
        without = [one for key, one in known.items() if key not in {spec.algorithm for spec in found}]
        return found + [candidate.spec({}) for candidate in without]

    def _next(self) -> Proposal | None:
        left = self._search_seconds() - self.used
        if left <= 0 and not self.results:
            quickest = min(self._portfolio(), key=lambda spec: self._seconds(spec, self.share))
            return Proposal(quickest, self.share)
        if left <= 0:
            self.observer.note(f"The search ends: its part of the {self.settings.seconds} seconds is over.")
            return None
        past = self.past()
        if self.settings.trials is not None and len(past) >= self.settings.trials:
            self.observer.note(f"The search ends: all {self.settings.trials} trials were made.")
            return None
        if self.settings.patience is not None and since_best(past) >= self.settings.patience:
            self.observer.note(f"The search ends: {self.settings.patience} trials in a row were no better.")
            return None
        if self.share < 1.0 and self.used > PROMOTE_AFTER * self._search_seconds():
            return self._promotion(past, left)
        tried = {whole_key(trial.spec) for trial in past}
        for spec in self._portfolio():
            if whole_key(spec) not in tried and self._affordable(spec, self.share, left):
                return Proposal(spec, self.share)
        return self._nearby(past, tried, left)

    def _nearby(self, past: list[Past], tried: set[bytes], left: float) -> Proposal | None:
        for attempt in range(50):
            spec = propose_near(self.candidates, past, self.field.seed + attempt)
            if whole_key(spec) not in tried and self._affordable(spec, self.share, left):
                return Proposal(spec, self.share)
        self.observer.note("The search ends: nothing that is left to try would fit into the time.")
        return None

    def _promotion(self, past: list[Past], left: float) -> Proposal | None:
        """The best of those on a part of the rows, once more on all of them."""
        gone_on = {key_of(trial.spec) for trial in past if trial.share == 1.0}
        partial = sorted(
            (trial for trial in past if trial.value is not None), key=lambda one: -(one.value or 0)
        )
        if len(gone_on) < PROMOTED:
            for trial in (one for one in partial if one.share < 1.0):
                if key_of(trial.spec) not in gone_on and self._seconds(trial.spec, 1.0) < left:
                    return Proposal(trial.spec, 1.0)
        self.observer.note("The search ends: the best were tried on all rows.")
        return None

    def _affordable(self, spec: TrialSpec, share: float, left: float) -> bool:
        expected = self._seconds(spec, share)
        most = LARGEST_TRIAL * self.settings.seconds
        return expected < left and (expected < most or not self.measured)

    def _seconds(self, spec: TrialSpec, share: float) -> float:
        """What a trial is expected to take."""
        one = learnt_seconds(spec, self.field.size(share), self.measured)
        return one * len(self.field.folds) / self.field.threads

    def refit_seconds(self, result: TrialResult, share: float = 1.0) -> float:
        """What the trial's model will take once the search is over, fit and all, in seconds of one core."""
        folds = len(self.field.folds)
        one = result.fit_seconds / max(1, len(result.fold_scores))
        fit = one * (folds / (folds - 1)) / share * 1.1
        return fit + self.field.threads * self.spare(result.predict_ms or 0.0)

    def _search_seconds(self) -> float:
        """When the trials must end, so that the ensemble and the last fit come in time."""
        ranked = self.ranked()[:8]
        share = max((share for _, result, share in self.results if result.mean is not None), default=1.0)
        refits = [self.refit_seconds(result, share) for _, result in ranked if result.algorithm != ENSEMBLE]
        after = min(sum(refits) / self.field.threads, MOST_AFTER * self.settings.seconds)
        return IN_TIME * self.settings.seconds - after - self.last

    def past(self) -> list[Past]:
        """The trials so far, as proposals are made from them."""
        return [
            Past(
                result.algorithm,
                result.params,
                State.failed if result.mean is None else State.complete,
                None if result.mean is None else self.sign * result.mean,
                share,
                result.preprocessing,
            )
            for _, result, share in self.results
        ]

    def _try(self, proposal: Proposal) -> None:
        trial = self.observer.begun(proposal.spec, proposal.share)
        field = self.field
        until = self._search_seconds()

        def on_fold(index: int, scores: dict[str, float]) -> None:
            self.observer.fold(trial, index, scores, min(1.0, self.used / self.settings.seconds))
            if self.used > until and index + 1 < len(field.folds) and self.best() is not None:
                raise OutOfTime

        result = cross_validate(
            proposal.spec,
            field.features,
            field.target,
            field.columns,
            field.problem,
            [(self._some(rows, proposal.share), test) for rows, test in field.folds],
            field.seed,
            on_fold,
            OutOfTime,
            metric=self.metric,
            decision=field.decision,
            threads=field.threads,
        )
        self.observer.ended(trial, result)
        self.results.append((trial, result, proposal.share))
        if result.fold_scores:
            one = result.fit_seconds / len(result.fold_scores)
            self.measured.append((proposal.spec, field.size(proposal.share), one))

    def _some(self, rows: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
        """A part of a fold's training rows, the same for every trial."""
        if share == 1.0:
            return rows
        return np.sort(np.random.default_rng(self.field.seed).permutation(rows)[: int(share * len(rows))])

    def _let_answer_together(self) -> None:
        self.observer.check()
        rivals = [result for _, result in self.ranked()]
        left = IN_TIME * self.settings.seconds - self.used - self.last
        allowed = max(0.0, left * self.field.threads)
        result = blend(rivals, self.field, self.metric, allowed, self.refit_seconds)
        if result is not None:
            trial = self.observer.begun(result.spec, 1.0)
            self.observer.ended(trial, result)
            share = max(share for _, one, share in self.results if one.mean is not None)
            self.results.append((trial, result, share))
