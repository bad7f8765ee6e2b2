"""The real MLflow, in an environment of its own, opens what leaves as its model folder.

The environment is made of the folder's own requirements, as MLflow's users make it, and kept between runs.
"""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.services.serving import predict
from registry.services.version_export import export_version
from tests.factories import make_model, make_version, rows_of
from tests.plugins.template import kept_folder, locked

INSTALL_SECONDS = 900
ASK = """
import json, sys
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
rows = pd.DataFrame(json.load(open(sys.argv[2])))
shares = model.predict(rows, params={"probabilities": True})
print(json.dumps({
    "labels": [value if isinstance(value, str) else float(value) for value in model.predict(rows)],
    "shares": shares.to_dict("list") if hasattr(shares, "to_dict") else {},
    "inputs": len(model.metadata.signature.inputs),
    "example": len(model.input_example),
}))
"""
pytestmark = [pytest.mark.acceptance, pytest.mark.any_database]


def python_with(requirements: Path) -> Path:
    """Return a Python that has these requirements, and no platform; made where it is missing."""
    name = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = kept_folder() / f"mlflow-{name}"
    python, ready = folder / "bin" / "python", folder / "ready"
    with locked(folder):  # the other worker may need it, too
        if not ready.exists():
            uv = Path(sys.executable).parent / "uv"
            run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder])
            run([uv, "pip", "install", "--quiet", "--python", python, "--requirements", requirements])
            ready.touch()
    return python


def run(command: Sequence[str | Path]) -> None:
    """Run it; where a package index is out of reach the test is left out, and says so."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode:
        pytest.skip(f"MLflow cannot be installed here: {done.stderr.strip()[-300:]}")


@pytest.mark.parametrize("data", ["cancer", "diabetes"])
def test_mlflow_answers_as_the_platform_does(data: str, in_tenant: Tenant, tmp_path: Path) -> None:
    model = make_model(data=data)
    version, folder, rows = make_version(model), tmp_path / "model", tmp_path / "rows.json"
    archive = tmp_path / "model.zip"
    archive.write_bytes(export_version(version=version, form="mlflow", by=SYSTEM).data)
    with zipfile.ZipFile(archive) as whole:
        whole.extractall(folder)  # our own
    rows.write_text(json.dumps(rows_of(version, 20)))
    command = [str(python_with(folder / "requirements.txt")), "-I", "-c", ASK, str(folder), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr[-3_000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    ours = predict(model=model, rows=rows_of(version, 20), version=1, by=SYSTEM).predictions
    assert (told["inputs"], told["example"]) == (len(version.features), 3)
    if data == "cancer":
        assert told["labels"] == [one.label for one in ours]
        for label, shares in told["shares"].items():
            np.testing.assert_allclose(
                shares, [one.probabilities[label] for one in ours if one.probabilities]
            )
    else:
        np.testing.assert_allclose(told["labels"], [one.value or 0.0 for one in ours])
