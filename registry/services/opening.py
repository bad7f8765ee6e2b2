"""Having a file from outside opened by a process of its own that can do little else.

The process knows no secret and no database, may open no connection and start no program, and has limits of
memory, processor time and written bytes (``registry.exchange.limiting``). What it answers is checked like
anything else that comes from outside.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ForeignModelRefused
from registry.exchange.content import Form
from registry.exchange.orders import Order, Reply
from registry.tabular.schema import Column

logger = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent.parent
MEMORY_MB, SECONDS, WAIT_SECONDS = 1_500, 60, 120
LARGEST_REPLY = 4_000_000
# The platform's package without its application: the opener has no use for Celery or Django.
START = (
    "import sys, types; root = sys.argv[1]; sys.path.insert(0, root); "
    "bare = types.ModuleType('mlplatform'); bare.__path__ = [root + '/mlplatform']; "
    "sys.modules['mlplatform'] = bare; "
    "from registry.exchange.opener import main; main()"
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def open_apart(
    data: bytes,
    form: Form,
    *,
    columns: list[Column],
    classes: list[str] | None,
    rows: list[dict[str, Any]],
    spare: bool,
    memory_mb: int = MEMORY_MB,
    seconds: int = SECONDS,
) -> Reply:
    """Return what the opener found; raises ForeignModelRefused where it refused, or did not come back."""
    with tempfile.TemporaryDirectory(prefix="opening-") as folder:
        path = Path(folder) / "model"
        path.write_bytes(data)
        order = Order(str(path), form, columns, classes, rows, spare, memory_mb, seconds)
        told, code = _run(msgspec.json.encode(order) + b"\n", folder)
    try:
        reply = msgspec.json.decode(told.strip().rpartition(b"\n")[2], type=Reply)
    except msgspec.MsgspecError as error:
        logger.warning("The opener ended with %s: %s", code, told[-2_000:].decode(errors="replace"))
        raise ForeignModelRefused(_death(code, memory_mb, seconds)) from error
    if reply.refused:
        raise ForeignModelRefused(reply.refused)
    return reply


def _run(order: bytes, folder: str) -> tuple[bytes, int]:
    """Return what the process wrote, and how it ended; it is killed where it takes too long."""
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": folder, **ONE_THREAD}
    command = [sys.executable, "-I", "-c", START, str(ROOT)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as process:
        clock = threading.Timer(WAIT_SECONDS, process.kill)
        clock.start()
        told = b""
        try:
            with process.stdin as orders:  # type: ignore[union-attr]  # pipes both
                orders.write(order)
            told = process.stdout.read(LARGEST_REPLY)  # type: ignore[union-attr]
        except BrokenPipeError:  # it ended before it was told anything
            logger.warning("The opener did not start.")
        finally:
            if len(told) == LARGEST_REPLY:
                process.kill()
            code = process.wait()
            clock.cancel()
    return told, code


def _death(code: int, memory_mb: int, seconds: int) -> str:
    if code == -signal.SIGXCPU:
        return (
            f"Opening the file took more than {seconds} seconds of work: it was stopped. Send a smaller one."
        )
    return (
        "The process that opened the file did not survive it: the file is damaged, was made to do harm, or "
        f"needs more than {memory_mb:,} MB. Nothing was stored. Save it anew, or convert it to ONNX."
    )
