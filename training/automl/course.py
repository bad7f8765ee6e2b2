"""The course of a search that several workers may share: what is tried at which place, and when it ends.

Every trial has a place: the one it would have if a single worker made all of them in turn. What is proposed
at a place, whether a trial is given up, and where the search ends follow from the trials at earlier places
alone, so many workers find what one would. Only TPE takes what is known so far, whoever told it first.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from training.automl.budget import SearchSettings, hopeless, since_best
from training.automl.study import BRACKET, SAMPLERS, Candidate, Past, Proposal, State

AHEAD = sum(BRACKET)  # places after the first open one that may be begun before it
UNBEGUN = Past("", {}, State.running, share=0.0)


class Told(msgspec.Struct, frozen=True):
    """A trial at its place.

    ``seen`` has the score of each fold as it was made, None where it is undefined; ``scores`` those that
    stand in the end, which a chosen threshold may have corrected. In both higher is better.
    """

    place: int
    past: Past
    seen: tuple[float | None, ...] = ()
    scores: tuple[float, ...] = ()
    waiting: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether it will not change any more."""
        return self.past.state is not State.running


class Plan(msgspec.Struct, frozen=True):
    """What is searched: without ``settings`` each candidate once, with what is fixed of it."""

    candidates: list[Candidate]
    settings: SearchSettings | None
    folds: int
    seed: int

    @property
    def places(self) -> int:
        """How many trials there are at most."""
        return len(self.candidates) if self.settings is None else self.settings.trials


class Step(msgspec.Struct, frozen=True):
    """A trial to begin now."""

    place: int
    proposal: Proposal


class Course:
    """Where a search stands, as far as it was told."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.told: dict[int, Told] = {}
        self.settled: list[Told] = []  # all up to the first that has not ended, as they stand for good
        self.given_up: dict[int, int] = {}  # place -> folds after which it counts as given up
        self.over: str | None = None  # why no more places are needed, in words

    def tell(self, trial: Told) -> None:
        """Learn how a trial stands."""
        self.told[trial.place] = trial
        while self.over is None and (found := self.told.get(len(self.settled))) and found.has_ended:
            self._settle(found)

    def finish(self) -> None:
        """Settle what has ended although trials before it have not: nothing more is tried."""
        places = {one.place for one in self.settled}
        for place in sorted(self.told):
            if self.over is None and place not in places and self.told[place].has_ended:
                self._settle(self.told[place])

    def next(self, seconds: float) -> Step | str | None:
        """The trial to begin now; why the search ends, in words; or None: others must end first.

        Args:
            seconds: since the search began.
        """
        settings = self.plan.settings
        if self.over is not None:
            return self.over
        if settings and settings.seconds is not None and seconds >= settings.seconds:
            return None if self._others_run() else f"the {settings.seconds} seconds are over"
        for place in self._open_places():
            proposal = self._proposal(place)
            if proposal is not None:
                return Step(place, proposal)
        if self._others_run():
            return None
        made = len(self.settled)
        return f"all {made} trials were made" if made >= self.plan.places else "everything was tried"

    def is_hopeless(self, place: int, seen: Sequence[float | None]) -> bool:
        """Whether the trial will be given up after these folds, whatever becomes of those before it."""
        share = self.told[place].past.share
        rivals = self._rivals(self.settled[:place], share)
        return hopeless(_known(seen), rivals, unknown=max(0, place - len(self.settled)))

    def past(self) -> list[Past]:
        """The trials that were begun."""
        return [self._as_it_stands(place) for place in sorted(self.told)]

    def _settle(self, trial: Told) -> None:
        if (folds := self._folds_until_given_up(trial)) is not None:
            self.given_up[trial.place] = folds
            trial = replace(trial, past=replace(trial.past, state=State.failed, value=None))
        self.settled.append(trial)
        patience = self.plan.settings.patience if self.plan.settings else None
        if patience is not None and since_best([one.past for one in self.settled]) >= patience:
            self.over = f"{patience} trials in a row were no better"

    def _folds_until_given_up(self, trial: Told) -> int | None:
        """After how many folds one worker alone would have given the trial up; None where it would not."""
        if self.plan.settings is None:
            return None
        rivals = self._rivals(self.settled, trial.past.share)
        for folds in range(1, min(len(trial.seen), self.plan.folds - 1) + 1):
            if hopeless(_known(trial.seen[:folds]), rivals):
                return folds
        return None

    @staticmethod
    def _rivals(trials: Sequence[Told], share: float) -> list[Sequence[float]]:
        return [one.scores for one in trials if one.past.state is State.complete and one.past.share == share]

    def _others_run(self) -> bool:
        return any(not one.has_ended and not one.waiting for one in self.told.values())

    def _open_places(self) -> Iterator[int]:
        """Places of trials that lost their worker, then those that nobody has begun."""
        yield from sorted(place for place, one in self.told.items() if one.waiting)
        first = next(place for place in range(len(self.told) + 1) if place not in self.told)
        for place in range(first, min(first + AHEAD, self.plan.places)):
            if place not in self.told:
                yield place

    def _proposal(self, place: int) -> Proposal | None:
        if place in self.told:
            return Proposal(self.told[place].past.spec, self.told[place].past.share)
        candidates = self.plan.candidates
        if place < len(candidates):
            return Proposal(candidates[place].spec({}))
        if self.plan.settings is None:
            return None
        before = [self._as_it_stands(earlier) for earlier in range(place)]
        return SAMPLERS[self.plan.settings.method](candidates, before, self.plan.seed)

    def _as_it_stands(self, place: int) -> Past:
        if place < len(self.settled):
            return self.settled[place].past
        past = self.told[place].past if place in self.told else UNBEGUN
        if self.plan.settings is not None and self.plan.settings.method == "tpe":
            return past
        return replace(past, state=State.running, value=None)


def _known(seen: Sequence[float | None]) -> list[float]:
    return [score for score in seen if score is not None]
