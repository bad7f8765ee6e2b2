import time

import pytest

from mlplatform.tenancy import pacing
from mlplatform.tenancy.pacing import break_after


def test_the_break_is_as_long_as_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    clock = iter([10.0, 10.25, 20.0, 27.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with break_after():
        pass
    with break_after():
        pass
    assert slept == [0.25, pacing.LONGEST_BREAK]


def test_work_that_fails_is_not_followed_by_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with pytest.raises(ValueError, match="broken"), break_after():
        raise ValueError("broken")
    assert slept == []
