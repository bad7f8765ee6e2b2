"""A worker whose child needs time to end: ``finishes_its_task.py CHILD_PID_FILE RESULT_FILE``."""

import pathlib
import signal
import subprocess
import sys
import threading

asked = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: asked.set())
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
asked.wait()
child.communicate(timeout=5)
pathlib.Path(sys.argv[2]).write_text(str(child.returncode))
