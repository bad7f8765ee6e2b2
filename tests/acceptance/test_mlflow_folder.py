"""The real MLflow, in an environment of its own, opens what leaves as its model folder.

``ML_TEST_MLFLOW_PYTHON`` names a Python with mlflow and the folder's other requirements, and no platform.
"""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.services.serving import predict
from registry.services.version_export import export_version
from tests.factories import make_model, make_version, rows_of

PYTHON = os.environ.get("ML_TEST_MLFLOW_PYTHON", "")
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
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.any_database,
    pytest.mark.skipif(not PYTHON, reason="ML_TEST_MLFLOW_PYTHON names no Python with mlflow."),
]


@pytest.mark.parametrize("data", ["cancer", "diabetes"])
def test_mlflow_answers_as_the_platform_does(data: str, in_tenant: Tenant, tmp_path: Path) -> None:
    model = make_model(data=data)
    version, folder, rows = make_version(model), tmp_path / "model", tmp_path / "rows.json"
    archive = tmp_path / "model.zip"
    archive.write_bytes(export_version(version=version, form="mlflow", by=SYSTEM).data)
    with zipfile.ZipFile(archive) as whole:
        whole.extractall(folder)  # our own
    rows.write_text(json.dumps(rows_of(version, 20)))
    command = [PYTHON, "-I", "-c", ASK, str(folder), str(rows)]
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
