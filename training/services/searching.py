"""The search for the best algorithm and parameters of a job, trial by trial.

The trials' rows are the study: what to try next follows from them alone.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from training.automl.budget import SearchSettings, hopeless, used_share, used_up
from training.automl.leaderboard import rank
from training.automl.search import cross_validate
from training.automl.study import SAMPLERS, Candidate, Past, Proposal, State, propose_defaults
from training.automl.trials import TrialResult
from training.errors import TrainingFailed
from training.models import TrainingJob, Trial
from training.models.trial import TrialState
from training.services.fitting import Material
from training.services.heartbeats import Heartbeat
from training.services.limits import limits_of
from training.services.options import decision_of
from training.services.racing import race
from training.services.reporting import JobReporter, Scores

SEARCH_FROM, SEARCH_TO = 5, 85  # percent of the job
STUDY_STATES = {TrialState.RUNNING: State.running, TrialState.COMPLETE: State.complete}


class Hopeless(Exception):
    """A trial falls behind so far that its remaining folds are not worth their time."""


class Search:
    """One job's search. ``run`` returns the best trial."""

    def __init__(
        self, job: TrainingJob, material: Material, reporter: JobReporter, heartbeat: Heartbeat
    ) -> None:
        self.material, self.reporter, self.heartbeat = material, reporter, heartbeat
        self.job = job
        self.config: dict[str, Any] = job.config
        stated = job.config.get("search")
        self.settings = msgspec.convert(stated, SearchSettings) if stated else None
        self.decision = decision_of(job.config, material.training[1])
        self.sign = 1.0 if material.problem.primary.higher_is_better else -1.0
        self.trials: list[tuple[Trial, TrialResult]] = []
        self.parts = material.folds(self.config)

    def run(self) -> TrialResult:
        """Try until the list or the budget is used up; raises TrainingFailed where nothing can be fitted."""
        if self.config.get("automl"):
            return race(self.job, self.material, self.reporter, self.heartbeat, (SEARCH_FROM, SEARCH_TO))
        started = time.monotonic()
        while (proposal := self._next(time.monotonic() - started)) is not None:
            self.heartbeat.check()
            self._try(proposal, started)
        return self._best()

    def _next(self, seconds: float) -> Proposal | None:
        if self.settings is None:
            listed = self.config["algorithms"][len(self.trials) :]
            return Proposal(self._candidate(listed[0]).spec({})) if listed else None
        past = self._past()
        reason = used_up(self.settings, past, seconds)
        if reason is not None:
            self.reporter.log(f"The search ends: {reason}.")
            return None
        candidates = [self._candidate(item) for item in self.config["algorithms"]]
        seed = self.config["seed"]
        return propose_defaults(candidates, past, seed) or SAMPLERS[self.settings.method](
            candidates, past, seed
        )

    def _candidate(self, item: dict[str, Any]) -> Candidate:
        return Candidate(item["key"], item["params"], self.config.get("preprocessing") or {})

    def _past(self) -> list[Past]:
        return [
            Past(
                trial.algorithm,
                trial.params,
                STUDY_STATES.get(TrialState(trial.state), State.failed),
                None if trial.mean is None else self.sign * trial.mean,
                trial.share,
                trial.preprocessing,
            )
            for trial, _ in self.trials
        ]

    def _try(self, proposal: Proposal, started: float) -> None:
        spec = proposal.spec
        features, target = self.material.training
        trial = self.reporter.start_trial(spec, proposal.share)
        result = cross_validate(
            spec,
            features,
            target,
            self.material.columns,
            self.material.problem,
            [(self._some(rows, proposal.share), test) for rows, test in self.parts],
            self.config["seed"],
            self._on_fold(trial, started),
            stop_on=Hopeless,
            decision=self.decision,
            threads=limits_of(self.config).cpus,
        )
        self.reporter.end_trial(trial, result)
        self.trials.append((trial, result))

    def _some(self, rows: Any, share: float) -> Any:
        """A part of a fold's training rows, the same for every trial."""
        if share == 1.0:
            return rows
        count = max(int(share * len(rows)), min(len(rows), 50))
        return np.sort(np.random.default_rng(self.config["seed"]).permutation(rows)[:count])

    def _on_fold(self, trial: Trial, started: float) -> Callable[[int, Scores], None]:
        def on_fold(fold: int, scores: Scores) -> None:
            self.reporter.add_fold(trial, scores)
            done = self._progress(fold, time.monotonic() - started)
            self.reporter.stage(
                f"Trial {len(self.trials) + 1}, {trial.algorithm}: fold {fold + 1} of {len(self.parts)}",
                SEARCH_FROM + round((SEARCH_TO - SEARCH_FROM) * done),
            )
            self.heartbeat.check()
            if self.settings is not None and fold + 1 < len(self.parts) and self._is_hopeless(trial):
                raise Hopeless

        return on_fold

    def _progress(self, fold: int, seconds: float) -> float:
        if self.settings is not None:
            return used_share(self.settings, self._past(), seconds)
        within = (fold + 1) / len(self.parts)
        return (len(self.trials) + within) / len(self.config["algorithms"])

    def _is_hopeless(self, trial: Trial) -> bool:
        others = [
            self._scores(other)
            for other, _ in self.trials
            if other.state == TrialState.COMPLETE and other.share == trial.share
        ]
        return hopeless(self._scores(trial), others)

    def _scores(self, trial: Trial) -> list[float]:
        return [self.sign * fold[trial.metric] for fold in trial.fold_scores if trial.metric in fold]

    def _best(self) -> TrialResult:
        # A score on few rows is no rival of one on all of them.
        whole = [(trial, result) for trial, result in self.trials if trial.share == 1.0]
        ranked = rank([result for _, result in whole], self.material.problem)
        places = {id(result): place for place, result in enumerate(ranked)}
        self.reporter.rank([trial for trial, _ in sorted(whole, key=lambda pair: places[id(pair[1])])])
        if not ranked or ranked[0].mean is None:
            reasons = "; ".join(dict.fromkeys(f"{result.algorithm}: {result.error}" for result in ranked))
            raise TrainingFailed(
                f"None of the algorithms could be fitted. {reasons[:2000]}", code="nothing_fitted"
            )
        return ranked[0]
