"""Work for several who ask at once, done together by the first of them. Knows no Django.

Whoever finds nobody at work does its own at once, so one alone never waits. Those who come meanwhile wait;
when the work is done the first of them works for all. Nobody waits for more than the work that is being done
and what was before it in the line.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class NotDone(Exception):
    """The work was not done, and nothing says why: a bug in whoever did it."""


@dataclass
class _Waiting(Generic[Item, Answer]):
    """One who asks, and the door that opens when its work is done, or is its own to do."""

    item: Item
    door: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    answer: list[Answer] = field(default_factory=list)
    error: Exception | None = field(default_factory=NotDone)


class Line(Generic[Item, Answer]):
    """A line of those who ask for the same kind of work.

    Args:
        work: does it for several items at once and returns an answer for each, in their order.
        size: how large an item is. largest: how large the items may be together; one alone may be larger.
        failures: what the work raises where an item is at fault. Then each is tried by itself, so that it
            keeps nobody else from an answer.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        size: Callable[[Item], int],
        largest: int,
        failures: tuple[type[Exception], ...],
    ) -> None:
        self._work, self._size, self._largest, self._failures = work, size, largest, failures
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[Item, Answer]] = []
        self._busy = False

    def ask(self, item: Item) -> Answer:
        """Return the answer for the item; raises what kept it from having one."""
        mine = _Waiting[Item, Answer](item)
        mine.door.acquire()
        with self._lock:
            self._waiting.append(mine)
            must_wait, self._busy = self._busy, True
        if must_wait:
            mine.door.acquire()
        if not mine.done:
            self._work_for_all()
        if mine.error is not None:
            raise mine.error
        return mine.answer[0]

    def _work_for_all(self) -> None:
        with self._lock:
            batch = self._next_batch()
        try:
            self._do(batch)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for one in batch:
                one.done = True
            for one in [*batch, *following]:
                one.door.release()

    def _next_batch(self) -> list[_Waiting[Item, Answer]]:
        """Take as many as fit, in their order, and always the first."""
        taken, size = 1, self._size(self._waiting[0].item)
        while taken < len(self._waiting):
            size += self._size(self._waiting[taken].item)
            if size > self._largest:
                break
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    def _do(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        """Work for all at once, or where that fails for each by itself."""
        try:
            answers = self._work([one.item for one in batch])
        except self._failures as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for one in batch:
                self._do([one])
        else:
            for one, answer in zip(batch, answers, strict=True):
                one.answer, one.error = [answer], None
