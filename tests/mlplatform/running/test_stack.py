"""Starting, watching and stopping the processes together, with real processes."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlplatform.running.errors import AlreadyRunning, PortTaken, StartFailed
from mlplatform.running.programs import Program
from mlplatform.running.stack import Stack, free_port
from tests.mlplatform.running.conftest import program, stacks_in

MakeStack = Callable[..., Stack]


def web(port: int) -> Program:
    return program("web", "answers_ready", port, priority=30)


def ended(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        threading.Event().wait(0.05)
    return False


@pytest.fixture
def ready(make_stack: MakeStack) -> Stack:
    return started(make_stack)


def started(make_stack: MakeStack) -> Stack:
    port = free_port()
    stack = make_stack(web(port), port=port)
    stack.start()
    stack.wait_until_ready(20)
    return stack


def test_it_is_ready_when_every_process_runs_and_the_server_answers(shared: Stack) -> None:
    assert [(state.name, state.running) for state in shared.states()] == [("web", True)]


def test_a_second_stack_on_the_same_data_is_refused(shared: Stack) -> None:
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        Stack(shared.data_dir, free_port(), programs=[program("web", "ends_at_once")]).start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is ready, for tests that only look at it."""
    with stacks_in(tmp_path_factory.mktemp("stack")) as make_stack:
        yield started(make_stack)


def test_stopping_leaves_no_process_no_answering_port_and_a_free_data_folder(
    ready: Stack, make_stack: MakeStack
) -> None:
    pid = ready.states()[0].pid
    ready.stop()
    assert ended(pid, 1)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", ready.port)) != 0
    ready.stop()  # harmless
    assert ready.states() == []
    make_stack(program("web", "ends_at_once")).start()


def test_a_crashed_process_is_started_again(ready: Stack) -> None:
    first = ready.states()[0].pid
    os.kill(first, signal.SIGKILL)
    assert ended(first)
    ready_again_by = time.monotonic() + 15
    while not any(state.running and state.pid != first for state in ready.states()):
        assert time.monotonic() < ready_again_by, "not restarted"
        threading.Event().wait(0.1)


def test_the_supervisor_stops_everything_when_its_starter_is_gone(ready: Stack) -> None:
    pid = ready.states()[0].pid
    supervisor = ready._supervisor
    assert supervisor is not None
    assert supervisor.stdin is not None
    supervisor.stdin.close()  # what the operating system does when the starter is killed
    assert supervisor.wait(15) == 0
    assert ended(pid, 1)


def test_only_the_main_process_is_asked_to_stop_so_that_its_child_may_finish(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    port = free_port()
    child, result = tmp_path / "child", tmp_path / "result"
    stack = make_stack(program("worker", "finishes_its_task", child, result), web(port), port=port)
    stack.start()
    stack.wait_until_ready(20)
    stack.stop()
    assert result.read_text() == "0"  # ended by itself; a signal would show as a negative number
    assert ended(int(child.read_text()), 1)


def test_a_process_that_ends_at_once_is_named_with_its_log_and_last_words(make_stack: MakeStack) -> None:
    stack = make_stack(program("worker", "ends_at_once"))
    stack.start()
    with pytest.raises(StartFailed) as caught:
        stack.wait_until_ready(20)
    assert "The worker process ended" in caught.value.detail
    assert str(stack.logs / "worker.log") in caught.value.detail
    assert "the broker does not answer" in caught.value.detail


def test_a_server_that_never_answers_is_given_up_after_the_deadline(make_stack: MakeStack) -> None:
    stack = make_stack(program("web", "never_answers"))
    stack.start()
    with pytest.raises(StartFailed, match="not ready after 3 seconds"):
        stack.wait_until_ready(3)


def test_waiting_ends_without_an_error_when_it_is_cancelled(make_stack: MakeStack) -> None:
    stack = make_stack(program("web", "never_answers"))
    stack.start()
    cancelled = threading.Event()
    cancelled.set()
    stack.wait_until_ready(20, cancelled)


def test_a_taken_port_is_refused_before_anything_starts(make_stack: MakeStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        stack = make_stack(program("web", "ends_at_once"), port=holder.getsockname()[1])
        with pytest.raises(PortTaken, match=r"already in use.*--port"):
            stack.start()
    assert stack.states() == []


def test_a_database_that_cannot_be_migrated_is_told_in_words(tmp_path: Path) -> None:
    broken = {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}
    with pytest.raises(StartFailed, match=r"could not be migrated\. Check DATABASE_URL"):
        Stack(tmp_path, free_port(), broken).migrate()
