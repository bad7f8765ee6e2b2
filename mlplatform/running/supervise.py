"""The supervisor as a process of its own: ``python -m mlplatform.running.supervise CONFIGURATION``.

Its standard input is a lifeline held open by the process that started it. When that process ends, in
whatever way, the line closes and the supervisor stops everything: no orphan is left behind.
"""

import os
import signal
import sys
import threading

from supervisor import supervisord


def stop_when_closed(descriptor: int) -> None:
    """Wait until ``descriptor`` is closed at its other end, then ask this process to stop."""
    while os.read(descriptor, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(configuration: str) -> None:
    """Run supervisord in the foreground until it is told to stop."""
    threading.Thread(target=stop_when_closed, args=(sys.stdin.fileno(),), daemon=True).start()
    supervisord.main(["--nodaemon", "--configuration", configuration])


if __name__ == "__main__":
    main(sys.argv[1])
