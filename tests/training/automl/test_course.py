"""Many workers on one search: whoever is quicker, they find what one worker would."""

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import pytest
from msgspec.structs import replace

from training.automl.budget import SearchSettings
from training.automl.course import Course, Plan, Step, Told
from training.automl.study import Candidate, Past, Proposal, State, key_of

FOREST, LOGISTIC = Candidate("random_forest", {"n_estimators": 50}), Candidate("logistic_regression")
FOLDS = 4
LONG = 1e9


def plan(method: str = "random", trials: int = 30, **settings: int) -> Plan:
    stated = SearchSettings(method=method, trials=trials, **settings)  # type: ignore[arg-type]  # a literal
    return Plan([FOREST, LOGISTIC], stated, FOLDS, seed=5)


def scores_of(proposal: Proposal) -> list[float]:
    """Return made-up scores of the folds, which follow from what is tried alone."""
    told = crc32(key_of(proposal.spec))
    level, *noise = np.random.default_rng([told, round(1000 * proposal.share)]).normal(size=FOLDS + 1)
    return [float(0.5 + 0.1 * level + 0.02 * one) for one in noise]


@dataclass
class Worker:
    """One that makes a trial fold by fold."""

    step: Step | None = None
    seen: list[float] = field(default_factory=list)

    def told(self, state: State) -> Told:
        assert self.step is not None
        spec, share = self.step.proposal.spec, self.step.proposal.share
        value = float(np.mean(self.seen)) if state is State.complete else None
        past = Past(spec.algorithm, spec.params, state, value, share)
        return Told(self.step.place, past, tuple(self.seen), tuple(self.seen))


def follow(plan: Plan, workers: int, seed: int = 0) -> Course:
    """Let so many workers make the search, in an order by lot; return how it ended."""
    rng, course = np.random.default_rng(seed), Course(plan)
    crew = [Worker() for _ in range(workers)]
    idle = 0
    while idle < 1000:
        worker = crew[int(rng.integers(workers))]
        if worker.step is None:
            found = course.next(0)
            if isinstance(found, str) and all(one.step is None for one in crew):
                break
            if isinstance(found, Step):
                worker.step, worker.seen = found, []
                course.tell(worker.told(State.running))
            idle += 1
            continue
        idle = 0
        fold(course, worker)
    assert idle < 1000, "nobody does anything any more"
    course.finish()
    return course


def fold(course: Course, worker: Worker) -> None:
    assert worker.step is not None
    worker.seen.append(scores_of(worker.step.proposal)[len(worker.seen)])
    if len(worker.seen) == FOLDS:
        course.tell(worker.told(State.complete))
        worker.step = None
    elif course.is_hopeless(worker.step.place, worker.seen):
        course.tell(worker.told(State.failed))
        worker.step = None


def outcome(course: Course) -> list[tuple[object, ...]]:
    return [
        (one.place, key_of(one.past.spec), one.past.share, one.past.state, one.past.value)
        for one in course.settled
    ]


@pytest.mark.parametrize("method", ["random", "grid", "halving"])
@pytest.mark.parametrize("workers", [2, 3, 7])
class TestManyWorkers:
    def test_find_what_one_finds(self, method: str, workers: int) -> None:
        alone = follow(plan(method), 1)
        for seed in range(5):
            together = follow(plan(method), workers, seed)
            assert outcome(together) == outcome(alone)
            assert together.given_up == alone.given_up

    def test_end_where_one_ends_for_want_of_patience(self, method: str, workers: int) -> None:
        alone = follow(plan(method, patience=3), 1)
        together = follow(plan(method, patience=3), workers, seed=workers)
        assert (outcome(together), together.over) == (outcome(alone), alone.over)


def test_something_is_given_up_in_these_searches() -> None:
    assert len(follow(plan("random"), 1).given_up) > 3


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_tpe_keeps_to_its_budget_however_many_work_on_it(workers: int) -> None:
    course = follow(plan("tpe", trials=14), workers)
    assert len(course.settled) == 14
    drawn = [key_of(one.past.spec) for one in course.settled]
    assert len(set(drawn)) == 14


@pytest.mark.parametrize("method", ["random", "halving", "tpe"])
def test_two_workers_seldom_wait(method: str) -> None:
    course = Course(plan(method))
    waits = begun = 0
    running: list[Worker] = []
    while not isinstance(found := course.next(0), str):
        if isinstance(found, Step):
            begun += 1
            running.append(Worker(found, scores_of(found.proposal)))
            course.tell(running[-1].told(State.running))
        waits += found is None and begun < 30
        if found is None or len(running) == 2:
            course.tell(running.pop(0).told(State.complete))
    assert waits <= 2


def test_without_a_search_each_is_tried_once_in_its_order() -> None:
    listed = Plan([FOREST, LOGISTIC, replace(FOREST, fixed={"n_estimators": 9})], None, FOLDS, 0)
    course = follow(listed, 2)
    assert [one.past.params for one in course.settled] == [{"n_estimators": 50}, {}, {"n_estimators": 9}]
    assert course.next(LONG) == "all 3 trials were made"


def test_a_trial_that_lost_its_worker_is_the_next() -> None:
    course = Course(plan("random"))
    first = course.next(0)
    assert isinstance(first, Step)
    lost = Worker(first)
    course.tell(lost.told(State.running))
    second = course.next(0)
    assert isinstance(second, Step)
    assert second.place == 1
    course.tell(replace(lost.told(State.running), waiting=True))
    assert course.next(0) == first


def test_no_trial_begins_after_the_time_but_what_runs_is_waited_for() -> None:
    course = Course(plan("random", seconds=60))
    first = course.next(59)
    assert isinstance(first, Step)
    worker = Worker(first)
    course.tell(worker.told(State.running))
    assert course.next(60) is None
    worker.seen = scores_of(first.proposal)
    course.tell(worker.told(State.complete))
    assert course.next(60) == "the 60 seconds are over"


def test_what_ended_counts_although_a_trial_before_it_was_lost_as_the_time_ran_out() -> None:
    course = Course(plan("random", seconds=60))
    steps = []
    for _ in range(2):
        step = course.next(0)
        assert isinstance(step, Step)
        steps.append(Worker(step, scores_of(step.proposal)))
        course.tell(steps[-1].told(State.running))
    course.tell(steps[1].told(State.complete))
    course.tell(replace(steps[0].told(State.running), waiting=True))
    assert course.settled == []
    assert course.next(60) == "the 60 seconds are over"
    course.finish()
    assert [one.place for one in course.settled] == [1]


def test_nothing_is_called_hopeless_that_unknown_rivals_might_save() -> None:
    course = Course(plan("random"))
    workers = []
    for place in range(12):
        step = course.next(0)
        assert isinstance(step, Step)
        workers.append(Worker(step, [0.5 + 0.01 * place] * FOLDS))
        course.tell(workers[-1].told(State.running))
    for worker in workers[:6]:
        course.tell(worker.told(State.complete))
    assert course.is_hopeless(6, [0.4])  # worse than all six, and none is unknown
    assert course.is_hopeless(6, [0.51])
    assert not course.is_hopeless(11, [0.51])  # the five between may turn out worse
    assert course.is_hopeless(11, [0.4])  # even so the six make up more than half
