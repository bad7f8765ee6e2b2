"""The search for the best algorithm and parameters of a job, trial by trial.

The trials' rows are the study: what to try next follows from them alone, so that several workers share it.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from django.db import IntegrityError
from django.utils import timezone
from msgspec.structs import replace

from mlplatform.tenancy.scope import tenant_transaction
from training.automl.budget import SearchSettings, used_share
from training.automl.course import Course, Plan, Step, Told
from training.automl.leaderboard import rank
from training.automl.search import Folds, cross_validate
from training.automl.study import Candidate, Past, State
from training.automl.trials import TrialResult, TrialSpec
from training.errors import TrainingFailed
from training.models import TrainingJob, Trial
from training.models.trial import TrialState
from training.services.fitting import Material
from training.services.heartbeats import Heartbeat
from training.services.helpers import close_search, open_search, release_lost
from training.services.limits import limits_of
from training.services.options import decision_of
from training.services.racing import race
from training.services.reporting import JobReporter, Scores

SEARCH_FROM, SEARCH_TO = 5, 85  # percent of the job
LOOK_EVERY = 0.2  # seconds between two looks at what others have tried, where nothing can be begun
STUDY_STATES = {
    TrialState.WAITING: State.running,
    TrialState.RUNNING: State.running,
    TrialState.COMPLETE: State.complete,
}


class Hopeless(Exception):
    """A trial falls behind so far that its remaining folds are not worth their time."""


class Search:
    """One job's search, by its own worker or by a helper: ``run`` by the one, ``work`` by the other."""

    def __init__(
        self,
        job: TrainingJob,
        material: Material,
        reporter: JobReporter,
        heartbeat: Heartbeat,
        began: datetime | None = None,
    ) -> None:
        self.job, self.material, self.reporter, self.heartbeat = job, material, reporter, heartbeat
        self.config: dict[str, Any] = job.config
        self.decision = decision_of(job.config, material.training[1])
        self.sign = 1.0 if material.problem.primary.higher_is_better else -1.0
        self.parts: Folds = material.folds(self.config)
        self.helpers = int(self.config.get("workers", 1)) - 1
        self.began = began or timezone.now()
        self.rows: dict[int, Trial] = {}
        self.results: dict[int, TrialResult] = {}  # of the trials that were made here
        self.course = Course(self._plan())

    def run(self) -> TrialResult:
        """Try until the list or the budget is used up; raises TrainingFailed where nothing can be fitted."""
        if self.config.get("automl"):
            return race(self.job, self.material, self.reporter, self.heartbeat, (SEARCH_FROM, SEARCH_TO))
        if self.helpers:
            open_search(claim=self.reporter.claim, places=self.helpers)
        ended = self.work()
        if self.helpers:
            close_search(claim=self.reporter.claim)
            self._look()  # at what came in meanwhile
        self.course.finish()
        if ended and self.course.plan.settings is not None:
            self.reporter.log(f"The search ends: {ended}.")
        self._write_what_was_settled()
        return self._best()

    def work(self, goes_on: Callable[[], bool] = lambda: True) -> str | None:
        """Make trials until there is none left; return why the search ends, in words.

        ``goes_on`` is asked before each trial; where it says no, None is returned.
        """
        while goes_on():
            self.heartbeat.check()
            self._look()
            found = self.course.next((timezone.now() - self.began).total_seconds())
            if isinstance(found, str):
                return found
            if found is None:
                self._wait()
            elif (trial := self._taken(found)) is not None:
                self._try(trial)
        return None

    def _plan(self) -> Plan:
        stated, prepared = self.config.get("search"), self.config.get("preprocessing") or {}
        candidates = [Candidate(item["key"], item["params"], prepared) for item in self.config["algorithms"]]
        settings = msgspec.convert(stated, SearchSettings) if stated else None
        return Plan(candidates, settings, len(self.parts), self.config["seed"])

    def _look(self) -> None:
        """Learn what others have tried; alone, nothing happens that is not known."""
        if not self.helpers:
            return
        with tenant_transaction():
            news = list(Trial.objects.filter(job=self.job, number__gte=len(self.course.settled)))
        for trial in sorted(news, key=lambda one: one.number or 0):
            self._tell(trial)

    def _tell(self, trial: Trial) -> None:
        place = trial.number or 0
        self.rows[place] = trial
        past = Past(
            trial.algorithm,
            trial.params,
            STUDY_STATES.get(TrialState(trial.state), State.failed),
            None if trial.mean is None else self.sign * trial.mean,
            trial.share,
            trial.preprocessing,
        )
        seen = tuple(None if score is None else self.sign * score for score in trial.seen)
        scores = tuple(self.sign * fold[trial.metric] for fold in trial.fold_scores if trial.metric in fold)
        self.course.tell(Told(place, past, seen, scores, trial.state == TrialState.WAITING))

    def _wait(self) -> None:
        """Let others end what they try; what a lost helper left is for anyone to take."""
        release_lost(job_id=self.job.pk, now=timezone.now())
        threading.Event().wait(LOOK_EVERY)

    def _taken(self, step: Step) -> Trial | None:
        """Begin the trial; None where another worker was quicker."""
        known = self.rows.get(step.place)
        if known is not None:
            trial = known if self.reporter.take_trial(known) else None
        else:
            try:
                trial = self.reporter.start_trial(step.proposal.spec, step.proposal.share, step.place)
            except IntegrityError:
                return None
        if trial is not None:
            self._tell(trial)
        return trial

    def _try(self, trial: Trial) -> None:
        features, target = self.material.training
        result = cross_validate(
            TrialSpec(trial.algorithm, trial.params, trial.preprocessing),
            features,
            target,
            self.material.columns,
            self.material.problem,
            [(self._some(rows, trial.share), test) for rows, test in self.parts],
            self.config["seed"],
            self._on_fold(trial),
            stop_on=Hopeless,
            decision=self.decision,
            threads=limits_of(self.config).cpus,
        )
        self.reporter.end_trial(trial, result)
        self.results[trial.number or 0] = result
        self._tell(trial)

    def _some(self, rows: Any, share: float) -> Any:
        """A part of a fold's training rows, the same for every trial."""
        if share == 1.0:
            return rows
        count = max(int(share * len(rows)), min(len(rows), 50))
        return np.sort(np.random.default_rng(self.config["seed"]).permutation(rows)[:count])

    def _on_fold(self, trial: Trial) -> Callable[[int, Scores], None]:
        place = trial.number or 0

        def on_fold(fold: int, scores: Scores) -> None:
            self.reporter.add_fold(trial, scores)
            self.reporter.stage(
                f"Trial {place + 1}, {trial.algorithm}: fold {fold + 1} of {len(self.parts)}",
                SEARCH_FROM + round((SEARCH_TO - SEARCH_FROM) * self._done(fold)),
            )
            self.heartbeat.check()
            seen = [None if score is None else self.sign * score for score in trial.seen]
            may_stop = self.course.plan.settings is not None and fold + 1 < len(self.parts)
            if may_stop and self.course.is_hopeless(place, seen):
                raise Hopeless

        return on_fold

    def _done(self, fold: int) -> float:
        """How much of the search is done, 0 to 1."""
        past, settings = self.course.past(), self.course.plan.settings
        ended = [one for one in past if one.state is not State.running]
        if settings is not None:
            return used_share(settings, ended, (timezone.now() - self.began).total_seconds())
        return min(1.0, (len(ended) + (fold + 1) / len(self.parts)) / self.course.plan.places)

    def _write_what_was_settled(self) -> None:
        """Let the rows say what one worker alone would have left."""
        changed = []
        for place, folds in self.course.given_up.items():
            trial = self.rows[place]
            if trial.state != TrialState.GIVEN_UP:
                trial.state, trial.mean, trial.std = TrialState.GIVEN_UP, None, None
                trial.fold_scores, trial.error = trial.fold_scores[:folds], ""
                changed.append(trial)
        settled = {one.place for one in self.course.settled}
        for place, trial in self.rows.items():
            if place not in settled and trial.state != TrialState.STOPPED:
                trial.state, trial.mean, trial.std = TrialState.STOPPED, None, None
                changed.append(trial)
        with tenant_transaction():
            self.reporter.hold()
            Trial.objects.bulk_update(changed, ["state", "mean", "std", "fold_scores", "error"])

    def _best(self) -> TrialResult:
        # A score on few rows is no rival of one on all of them.
        settled = [self.rows[one.place] for one in self.course.settled]
        whole = [(trial, self._result(trial)) for trial in settled if trial.share == 1.0]
        ranked = rank([result for _, result in whole], self.material.problem)
        places = {id(result): place for place, result in enumerate(ranked)}
        self.reporter.rank([trial for trial, _ in sorted(whole, key=lambda pair: places[id(pair[1])])])
        if not ranked or ranked[0].mean is None:
            reasons = "; ".join(dict.fromkeys(f"{result.algorithm}: {result.error}" for result in ranked))
            raise TrainingFailed(
                f"None of the algorithms could be fitted. {reasons[:2000]}", code="nothing_fitted"
            )
        winner = next(trial for trial, result in whole if result is ranked[0])
        return self._in_full(winner, ranked[0])

    def _result(self, trial: Trial) -> TrialResult:
        made_here = self.results.get(trial.number or 0)
        if made_here is not None and trial.state != TrialState.GIVEN_UP:
            return made_here
        return TrialResult(
            trial.algorithm,
            trial.params,
            trial.fold_scores,
            trial.mean,
            trial.std,
            trial.fit_seconds or 0.0,
            trial.error or None,
            given_up=trial.state == TrialState.GIVEN_UP,
            preprocessing=trial.preprocessing,
            predict_ms=trial.predict_ms,
            size_bytes=trial.size_bytes,
        )

    def _in_full(self, trial: Trial, result: TrialResult) -> TrialResult:
        """The result with the answers of its folds, which only the worker has that made the trial."""
        if trial.worker == self.reporter.worker or not self.material.problem.needs_target:
            return result
        self.reporter.stage(f"Worker {trial.worker} found the winner: fitting its folds once more", SEARCH_TO)
        features, target = self.material.training
        again = cross_validate(
            result.spec,
            features,
            target,
            self.material.columns,
            self.material.problem,
            self.parts,
            self.config["seed"],
            lambda *_: self.heartbeat.check(),
            decision=self.decision,
            threads=limits_of(self.config).cpus,
        )
        return replace(result, out_of_fold=again.out_of_fold)
