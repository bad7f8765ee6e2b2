"""A thread that does a server process's work beside its requests."""

import atexit
import os
import threading
from abc import ABC, abstractmethod
from multiprocessing.util import Finalize

STOP_WITHIN = 4.0  # seconds; the web server is given five


class BackgroundThread(ABC):
    """Begun with the first piece of work, anew after a fork, and given time to finish at a clean stop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._process = 0

    @abstractmethod
    def _work_on(self) -> None:
        """Work until ``_stopping``, and then finish what there is."""

    def stop(self) -> None:
        """Have everything finished that can be in time, and take no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread if self._process == os.getpid() else None
        if thread is not None and thread.is_alive():
            thread.join(STOP_WITHIN)

    def _start(self) -> None:
        """Start the thread of this process, once; call it with the lock held."""
        if self._process == os.getpid() and self._thread is not None and self._thread.is_alive():
            return
        if self._process != os.getpid():
            # A server's worker is a forked process, which ends without what ``atexit`` knows.
            Finalize(self, self.stop, exitpriority=100)
            atexit.register(self.stop)
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._work_on, name=self._name, daemon=True)
        self._thread.start()
