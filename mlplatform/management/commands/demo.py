"""manage.py demo: a model's whole life on real data."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rich.console import Console

from mlplatform.demo.client import DemoFailed
from mlplatform.demo.report import Report
from mlplatform.demo.story import Keys, tell
from mlplatform.demo.tenants import set_up
from mlplatform.errors import PlatformError
from mlplatform.management.base import PlatformCommand
from mlplatform.running.stack import PROJECT_ROOT, free_port, running_stack


class DemonstrationFailed(PlatformError):
    """The demonstration did not come to its end."""

    code = "demonstration_failed"


class Command(PlatformCommand):
    """Plays the demonstration."""

    help = (
        "Play a model's whole life on real data: train, promote, predict, drift, retrain, roll back. Without "
        "--url it starts its own processes on a data folder of its own, which it removes afterwards."
    )
    example = "python manage.py demo"
    requires_system_checks = []

    def add_options(self, parser: ArgumentParser) -> None:
        """Add where to play."""
        parser.add_argument("--url", help="A running server on this data folder, e.g. http://127.0.0.1:8000")

    def run(self, **options: Any) -> Any:
        """Play; raises DemonstrationFailed."""
        if options["url"]:
            return self._play(options["url"])
        return self._play_apart(["--json"] if options["json"] else [])

    def _play(self, url: str) -> dict[str, Any]:
        report = Report(Console(file=sys.stderr, highlight=False))
        cast = set_up(self.actor)
        try:
            tell(url, Keys(cast.clinic_key, cast.winery_key), report)
        except DemoFailed as error:
            raise DemonstrationFailed(f"The demonstration failed. {error}") from error
        finally:
            report.console.print(
                f"\nSign in at {url}/admin/ as [bold]{cast.email}[/] with the password "
                f"[bold]{cast.password}[/] (shown once)"
            )
        return {"seconds": round(report.seconds, 1), "result": "every step succeeded"}

    def _play_apart(self, options: list[str]) -> None:
        # Not a cache or a temporary file of the operating system's: the data folder of a whole platform.
        with tempfile.TemporaryDirectory(prefix="mlplatform-demo-") as folder:
            environment = {"DATABASE_URL": f"sqlite:///{folder}/platform.sqlite3"}
            with running_stack(Path(folder), free_port(), environment) as stack:
                command = [sys.executable, "manage.py", "demo", "--url", stack.url, *options]
                done = subprocess.run(command, cwd=PROJECT_ROOT, env={**os.environ, **stack.env}, check=False)
                if done.returncode:
                    for log in sorted(stack.logs.glob("*.log")):
                        self.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        if done.returncode:
            raise DemonstrationFailed("The demonstration failed; see above.")
