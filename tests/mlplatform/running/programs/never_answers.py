"""A web server that hangs."""

import signal

signal.pause()
