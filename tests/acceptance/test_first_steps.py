"""What somebody meets who does things in the wrong order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlplatform.running.stack import PROJECT_ROOT

pytestmark = pytest.mark.acceptance


def test_command_before_the_first_migration_says_what_to_do(tmp_path: Path) -> None:
    environment = {"ML_DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    done = subprocess.run(
        [sys.executable, "manage.py", "list_models", "--tenant", "clinic"],
        cwd=PROJECT_ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "python manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr
