"""An automatic search: algorithms and preparations together, within a time, to one model or an ensemble."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from registry.problems import Metric
from training.automl.again import SHARE, looked_again
from training.automl.blending import blend
from training.automl.budget import AutoMLSettings, since_best
from training.automl.costs import Size, expected_seconds, learnt_seconds
from training.automl.field import Field, Observer, OutOfTime
from training.automl.leaderboard import flattery, unproven_lead
from training.automl.nearby import propose_near
from training.automl.search import cross_validate
from training.automl.starting import first_share, first_specs, varied, whole_key
from training.automl.study import Candidate, Past, Proposal, State, key_of
from training.automl.trials import ENSEMBLE, STACK, VOTE, TrialResult, TrialSpec

__all__ = ["Field", "Observer", "Race"]

TRIALS_WANTED = 12  # a search on all rows must at least get so far, or it begins on a part of them
LARGEST_TRIAL = 0.1  # of the whole time: one slow trial must not cost ten quick ones
OVERRUN = 2.0  # times that: then a trial that was expected to be quick is given up
PROMOTE_AFTER = 0.5  # of the search's time, where it works on a part of the rows
PROMOTED = 6
IN_TIME = 0.97  # of the time; what is expected is never exact
LAST_STEPS = 0.5  # seconds for choosing the ensemble
EQUAL = 1e-12  # less is no difference
MOST_AFTER = 0.4  # of the time: what the last fits may keep from the search


def _nothing(milliseconds: float) -> float:
    return 0.0


class Race:
    """One automatic search.

    Args:
        began: when the time began to run, by ``time.monotonic``: what was done before counts.
        spare: seconds that the caller needs after the last fit, for each model that is part of the winner,
            given its time of one answer in milliseconds. last: seconds besides that the caller needs at the
            end, whatever wins. clock: seconds, as ``began`` counts them.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.field, self.settings, self.observer = field, settings, observer
        self.began, self.spare, self.clock = began, spare, clock
        self.last = min(last, MOST_AFTER * settings.seconds)
        self.metric: Metric = field.problem.metric(settings.metric or field.problem.primary_metric)
        self.sign = 1.0 if self.metric.higher_is_better else -1.0
        self.candidates = [varied(candidate, field, self.metric.name) for candidate in candidates]
        self.flattered = self.unproven = 0.0
        self.results: list[tuple[Any, TrialResult, float]] = []
        self.measured: list[tuple[TrialSpec, Size, float]] = []
        self.portfolio = first_specs(self.candidates, field)
        self.share = self._first_share()

    def run(self) -> TrialResult | None:
        """Search, look at the best again, let them answer together; the best by the stated rate, or None."""
        while (proposal := self._next()) is not None:
            self.observer.check()
            self._try(proposal)
        self._look_again()
        if self.settings.ensemble:
            self._let_answer_together()
        return self.best()

    @property
    def used(self) -> float:
        """Seconds since the time began to run."""
        return self.clock() - self.began

    def ranked(self) -> list[tuple[Any, TrialResult]]:
        """Trials that may win, the best first: those on the largest share of rows that any was scored on.

        Those that were looked at again come before those that were not.
        """
        largest = self._largest_share()
        rivals = [
            (trial, result)
            for trial, result, share in self.results
            if result.mean is not None and share == largest
        ]

        def place(one: tuple[Any, TrialResult]) -> tuple[float, ...]:
            result = one[1]
            return (-len(result.fold_scores), -self.worth(result), result.std or 0.0, result.fit_seconds)

        return sorted(rivals, key=place)

    def best(self) -> TrialResult | None:
        """The winner so far."""
        ranked = self.ranked()
        return ranked[0][1] if ranked else None

    def _largest_share(self) -> float:
        """The largest share of the rows that any trial was scored on."""
        return max((share for _, result, share in self.results if result.mean is not None), default=1.0)

    def worth(self, result: TrialResult) -> float:
        """The metric, higher is better, less what the answer's time costs.

        The single models' lacks what the choice among them flatters, once there are ensembles: these are
        scored on folds that did not choose them. The vote's lacks a lead over the stack that may be chance:
        the stack's weights were learnt from fewer rows for each fold than those that it is served with.
        """
        mean = -np.inf if result.mean is None else self.sign * result.mean
        if result.algorithm != ENSEMBLE:
            mean -= self.flattered
        elif result.params["how"] == VOTE:
            mean -= self.unproven
        return mean - self.settings.per_millisecond * (result.predict_ms or 0.0)

    def _first_share(self) -> float:
        """The share of the rows to begin with, by the first trials that may be made on all of them."""
        size, folds = self.field.size(), len(self.field.folds)
        seconds = self.settings.seconds * self.field.threads / folds
        most = LARGEST_TRIAL * seconds
        allowed = [spec for spec in self.portfolio if expected_seconds(spec, size) < most]
        first = allowed if len(allowed) >= TRIALS_WANTED // 2 else self.portfolio
        return first_share(first[:TRIALS_WANTED], size, seconds)

    def _next(self) -> Proposal | None:
        left = self._search_seconds() - self.used
        if left <= 0 and not self.results:
            quickest = min(self.portfolio, key=lambda spec: self._seconds(spec, self.share))
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
        for spec in self.portfolio:
            if whole_key(spec) not in tried and self._affordable(spec, self.share, left):
                return Proposal(spec, self.share)
        return self._nearby(past, tried, left)

    def _nearby(self, past: list[Past], tried: set[bytes], left: float) -> Proposal | None:
        if not self.results:  # nothing seems to fit: then what takes least, so that there is a model
            return Proposal(min(self.portfolio, key=lambda spec: self._seconds(spec, self.share)), self.share)
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
        return expected < min(left, most)

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
        """When the trials must end, so that the second look, the ensemble and the last fit come in time."""
        return self._last_moment() - (SHARE * self.settings.seconds if self.field.again else 0.0)

    def _last_moment(self) -> float:
        """When the ensemble must be chosen, so that the last fit comes in time."""
        ranked = self.ranked()[:8]
        share = self._largest_share()
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
        if proposal.share == self.share:  # the last ones, on all rows, may take what they need
            until = min(until, self.used + OVERRUN * LARGEST_TRIAL * self.settings.seconds)

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
            field.part(proposal.share),
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

    def _look_again(self) -> None:
        """Score the best on other folds, where the rows are so few that the first ones decide by chance."""
        if not self.field.again or self._largest_share() < 1.0:
            return
        finalists = looked_again(
            self.ranked(),
            self.field,
            self.metric,
            self.observer.check,
            lambda: self._last_moment() - self.used,
        )
        looked = {id(trial): result for trial, result in finalists if result.again}
        if looked:
            self.observer.note(
                f"The rows are few: the best {len(looked)} were cross-validated again, on other folds."
            )
        for trial, result in finalists:
            self.observer.revised(trial, result)
        self.results = [
            (trial, looked.get(id(trial), result), share) for trial, result, share in self.results
        ]

    def _let_answer_together(self) -> None:
        self.observer.check()
        rivals = [result for _, result in self.ranked()]
        self.flattered = flattery([self._fold_values(one) for one in rivals])
        left = IN_TIME * self.settings.seconds - self.used - self.last
        allowed = max(0.0, left * self.field.threads)
        share = self._largest_share()
        together = {}
        for result in blend(rivals, self.field, self.metric, allowed, self.refit_seconds):
            trial = self.observer.begun(result.spec, share)
            self.observer.ended(trial, result)
            self.results.append((trial, result, share))
            together[result.params["how"]] = self._fold_values(result)
        if len(together) == 2 and (lead := unproven_lead(together[VOTE], together[STACK])):
            self.unproven = lead + EQUAL

    def _fold_values(self, result: TrialResult) -> list[float]:
        return [self.sign * fold[self.metric.name] for fold in result.fold_scores if self.metric.name in fold]
