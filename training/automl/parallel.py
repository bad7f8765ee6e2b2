"""A few pieces of work side by side, in threads: the libraries let go of the interpreter while they fit."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Result = TypeVar("Result")


def in_order(work: Callable[[int], Result], count: int, threads: int) -> Generator[Result]:
    """``work(0)`` ... ``work(count - 1)`` in this order, up to ``threads`` of them computed at once.

    What runs at once is held to one core each, so that fits do not wait for each other's threads. Whoever
    stops asking, or an error, keeps what has not begun from beginning; what has is waited for.
    """
    if threads == 1 or count == 1:
        for place in range(count):
            yield work(place)
        return
    pool = ThreadPoolExecutor(min(threads, count), initializer=_one_core)
    try:
        # The linear algebra's limit holds for the whole process, the loops' for each thread.
        with threadpool_limits(1, user_api="blas"):
            for future in [pool.submit(work, place) for place in range(count)]:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one_core() -> None:
    threadpool_limits(1, user_api="openmp")
