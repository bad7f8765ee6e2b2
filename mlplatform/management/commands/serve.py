"""manage.py serve: the whole platform in one terminal."""

import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from mlplatform.management.base import PlatformCommand
from mlplatform.running.ports import LOOPBACK
from mlplatform.running.programs import platform_programs
from mlplatform.running.serving import run_child, serve_until_stopped
from mlplatform.running.stack import PROJECT_ROOT, Stack
from mlplatform.tenancy.models import Tenant


class Command(PlatformCommand):
    """Run web server, Celery worker and Celery beat together, until Ctrl-C."""

    help = "Start web server, worker and scheduler together, and stop them together on Ctrl-C."
    example = "python manage.py serve --port 8000"
    requires_system_checks = []

    def add_options(self, parser: ArgumentParser) -> None:
        """Add where to listen and how much to start."""
        add = parser.add_argument
        add("--host", default=LOOPBACK, help="Address to listen on (default: %(default)s).")
        add("--port", type=int, default=8000, help="Port (default: %(default)s).")
        add("--web-workers", type=int, default=2, help="Web processes (default: %(default)s).")
        add("--concurrency", type=int, default=2, help="Tasks at a time (default: %(default)s).")
        add("--demo-on-first-start", action="store_true", help="Run the demonstration when no tenant exists.")

    def run(self, **options: Any) -> None:
        """Serve; raises StartFailed, PortTaken, AlreadyRunning or ProcessLost."""
        host, port = options["host"], options["port"]
        programs = platform_programs(
            host, port, web_workers=options["web_workers"], concurrency=options["concurrency"]
        )
        stack = Stack(settings.DATA_DIR, port, host=host, programs=programs, allowed_host=probe_host())
        serve_until_stopped(
            stack,
            say=self._say,
            when_ready=lambda stop: self._welcome(stack, stop, demo=options["demo_on_first_start"]),
        )

    def _welcome(self, stack: Stack, stop: threading.Event, *, demo: bool) -> None:
        first = not Tenant.objects.exists()
        if first and demo:
            self._demonstrate(stack, stop)
        self._say(f"\nThe console is at {stack.url}/admin/ and the API at {stack.url}/api/v1/docs/")
        if first and not demo:
            self._say("There is no tenant yet. Make one: python manage.py create_tenant --help")
        elif first:
            self._say("Sign in with the address and the password above; the password is shown only once.")
        else:
            self._say("Sign in with your e-mail address. Forgotten? python manage.py changepassword ADDRESS")
        self._say(f"Logs are in {stack.logs}. Ctrl-C stops everything.")

    def _demonstrate(self, stack: Stack, stop: threading.Event) -> None:
        command = [sys.executable, "manage.py", "demo", "--url", stack.url]
        code = run_child(command, cwd=PROJECT_ROOT, env=stack.env, stop=stop)
        if code not in {0, None}:
            self.stderr.write(f"The demonstration failed (code {code}). The logs are in {stack.logs}.")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def probe_host() -> str | None:
    """Return the host name to ask this server with, or None where the plain address is allowed."""
    hosts = settings.ALLOWED_HOSTS
    if not hosts or "*" in hosts or LOOPBACK in hosts:
        return None
    return str(hosts[0]).removeprefix(".")
