"""A data folder of the test run's own, chosen before the settings are read.

Each worker of a parallel run has its own; the folder goes away at the end, so no test ever meets the
data of a platform that runs in this checkout.
"""

import os
import shutil
import tempfile

import pytest

FOLDER = tempfile.mkdtemp(prefix="mlplatform-tests-")
os.environ["ML_DATA_DIR"] = FOLDER


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Remove the folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
