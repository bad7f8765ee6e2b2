"""Work for several at once: none waits alone, each gets its own answer, and one's fault is its own."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from mlplatform.lines import Line, NotDone

SECONDS = 30


class Works:
    """Doubles numbers, refuses negative ones, and holds the first call until ``go``."""

    def __init__(self, *, held: bool) -> None:
        self.calls: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        if not held:
            self.go.set()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        """Work for all."""
        self.calls.append(list(numbers))
        self.begun.set()
        assert self.go.wait(SECONDS)
        if any(number < 0 for number in numbers):
            raise ValueError(f"negative: {numbers}")
        return [2 * number for number in numbers]

    def line(self, largest: int = 10) -> Line[int, int]:
        """A line of those who wait for it; the size of a number is 1."""
        return Line(self, size=lambda _: 1, largest=largest, failures=(ValueError,))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads to ask from."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def crowd(
    line: Line[int, int], works: Works, threads: ThreadPoolExecutor, numbers: Sequence[int]
) -> list[Future[int]]:
    """Ask for the first number, and for the others while that is being worked on; then let it go on."""
    asked = [threads.submit(line.ask, numbers[0])]
    assert works.begun.wait(SECONDS)
    for place, number in enumerate(numbers[1:], 1):
        asked.append(threads.submit(line.ask, number))
        while len(line._waiting) < place:  # they stand in the line in this order
            threading.Event().wait(0.001)
    works.go.set()
    return asked


def test_one_alone_is_worked_for_at_once() -> None:
    works = Works(held=False)
    line = works.line()
    assert [line.ask(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert works.calls == [[1], [2], [3]]


def test_those_who_come_meanwhile_are_worked_for_together(threads: ThreadPoolExecutor) -> None:
    works = Works(held=True)
    asked = crowd(works.line(), works, threads, [1, 2, 3, 4])
    assert [one.result(SECONDS) for one in asked] == [2, 4, 6, 8]
    assert works.calls == [[1], [2, 3, 4]]


def test_no_more_are_worked_for_at_once_than_fit(threads: ThreadPoolExecutor) -> None:
    works = Works(held=True)
    asked = crowd(works.line(largest=2), works, threads, [1, 2, 3, 4, 5, 6])
    assert [one.result(SECONDS) for one in asked] == [2, 4, 6, 8, 10, 12]
    assert works.calls == [[1], [2, 3], [4, 5], [6]]


def test_one_that_is_too_large_is_worked_for_alone() -> None:
    line = Line[int, int](list, size=lambda one: one, largest=5, failures=(ValueError,))
    assert line.ask(9) == 9


def test_whoever_is_at_fault_keeps_no_other_from_an_answer(threads: ThreadPoolExecutor) -> None:
    works = Works(held=True)
    asked = crowd(works.line(), works, threads, [1, 2, -3, 4])
    assert [one.result(SECONDS) for one in (asked[0], asked[1], asked[3])] == [2, 4, 8]
    with pytest.raises(ValueError, match=r"negative: \[-3\]"):
        asked[2].result(SECONDS)
    assert works.calls == [[1], [2, -3, 4], [2], [-3], [4]]


def test_a_breakdown_is_told_to_all_and_the_line_goes_on(threads: ThreadPoolExecutor) -> None:
    begun, go, broken = threading.Event(), threading.Event(), [False]

    def work(numbers: Sequence[int]) -> list[int]:
        begun.set()
        assert go.wait(SECONDS)
        if 2 in numbers and not broken[0]:
            broken[0] = True
            raise MemoryError
        return list(numbers)

    line = Line[int, int](work, size=lambda _: 1, largest=10, failures=(ValueError,))
    asked = [threads.submit(line.ask, 1)]
    assert begun.wait(SECONDS)
    for place, number in enumerate((2, 3), 1):
        asked.append(threads.submit(line.ask, number))
        while len(line._waiting) < place:
            threading.Event().wait(0.001)
    go.set()
    assert asked[0].result(SECONDS) == 1
    raised = [one.exception(SECONDS) for one in asked[1:]]
    assert [type(one) for one in raised] == [MemoryError, NotDone]
    assert line.ask(4) == 4
