"""The trainer with algorithms that make trouble: ``python -m tests.training.troubles.trainer PARENT``.

All else of it is the true program.
"""

import ctypes
import os
import signal
import sys
import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier

from training import trainer
from training.algorithms import ALGORITHMS
from training.algorithms.base import BOTH, Algorithm, Params, Traits


class NoParams(Params, frozen=True):
    """None."""


class Trouble(DummyClassifier):
    """Does something to its process when it is fitted."""

    def __init__(self, what: str = "") -> None:
        super().__init__()
        self.what = what

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BaseEstimator:
        """Make the trouble."""
        TROUBLES[self.what]()
        return super().fit(X, y, sample_weight)


def hang() -> None:
    """Never come back to Python: hold its lock in C, for ever."""
    ctypes.PyDLL(None).sleep(3600)


def eat() -> None:
    """Take memory until there is no more; a library's own allocator need not ask for leave."""
    kept = []
    while True:
        kept.append(np.ones(2_000_000))


def swallow() -> None:
    """Take shared memory, which no limit of the process counts."""
    size = 400_000_000
    memory = memoryview(bytearray(0))
    with open(f"/dev/shm/mlplatform-test-{os.getpid()}", "w+b") as file:  # noqa: PTH123  # a file descriptor
        os.unlink(file.name)  # noqa: PTH108
        os.ftruncate(file.fileno(), size)
        memory = memoryview(__import__("mmap").mmap(file.fileno(), size))
        for place in range(0, size, 4096):
            memory[place] = 1
        time.sleep(60)


def die() -> None:
    """End as by an error in C."""
    os.kill(os.getpid(), signal.SIGSEGV)


def freeze() -> None:
    """Be stopped in the middle, as by a debugger or a machine that sleeps."""
    os.kill(os.getpid(), signal.SIGSTOP)


def dawdle() -> None:
    """Take a moment."""
    time.sleep(0.7)


TROUBLES = {"hang": hang, "eat": eat, "swallow": swallow, "die": die, "freeze": freeze, "dawdle": dawdle}


def add(name: str) -> None:
    """Add a trouble to the table of algorithms."""

    def build(params: NoParams, seed: int, problem: str) -> BaseEstimator:
        return Trouble(name)

    ALGORITHMS[name] = Algorithm(name, name, BOTH, NoParams, build, Traits(), "")


if __name__ == "__main__":
    for trouble in TROUBLES:
        add(trouble)
    trainer.main(int(sys.argv[1]))
