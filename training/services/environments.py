"""What beside data, settings and seed a fit's numbers may depend on."""

import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from training.models import TrainingJob
from training.services.limits import limits_of

LIBRARIES = ("scikit-learn", "numpy", "scipy", "pandas", "pyarrow", "joblib", "xgboost-cpu", "lightgbm")


def environment_of(job: TrainingJob) -> dict[str, Any]:
    """Return all beside data, settings and seed that a fit's numbers may depend on."""
    return {
        "python": platform.python_version(),
        **_releases(),
        "machine": platform.machine(),
        "threads": limits_of(job.config).cpus,
    }


@cache
def _releases() -> dict[str, str]:
    """Return the releases of the libraries that compute; those that are not installed are left out."""
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
