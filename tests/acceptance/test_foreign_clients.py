"""Clients that were written for other servers ask our models, unchanged.

They are installed into an environment of their own below ``build/``, once; where they cannot be fetched, the
test says so and is left out.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from mlplatform.running.stack import PROJECT_ROOT
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from registry.models import ModelVersion, Prediction
from registry.services.serving import predict
from tests.factories import make_champion, rows_of

pytestmark = [pytest.mark.acceptance, pytest.mark.any_database]
PACKAGES = ("open-inference-openapi==2.0.0.1", "tritonclient[http]==2.73.0", "mlflow-skinny==3.17.2", "httpx")
FOLDER = PROJECT_ROOT / "build" / "foreign-clients"
SCRIPT = Path(__file__).with_name("foreign_clients.py")


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter of the clients' own environment."""
    interpreter, installed = FOLDER / "bin" / "python", FOLDER / "installed"
    if not installed.exists() or installed.read_text() != repr(PACKAGES):
        uv = str(Path(sys.executable).with_name("uv"))
        made = [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)],
            [uv, "pip", "install", "--quiet", "--python", str(interpreter), *PACKAGES],
        ]
        for command in made:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if done.returncode:
                pytest.skip(f"needs the clients' packages: {done.stderr.strip()[-200:]}")
        installed.write_text(repr(PACKAGES))
    return str(interpreter)


@pytest.fixture
def champion(live_server: LiveServer, tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant):
        return make_champion()


def test_each_client_is_answered_as_we_answer(
    python: str, live_server: LiveServer, champion: ModelVersion, tenant: Tenant
) -> None:
    rows = rows_of(champion, 4, start=17)
    with tenant_scope(tenant):
        own = predict(model=champion.model, rows=rows, by=SYSTEM)
        key = create_api_key(name="clients", scopes=["predict", "read"], by=SYSTEM).secret
        before = Prediction.objects.count()
    labels = [one.label for one in own.predictions]
    assert len({*labels}) == 2
    asked = {"url": live_server.url, "key": key, "model": "cancer", "rows": rows}
    done = subprocess.run(
        [python, str(SCRIPT)], input=json.dumps(asked), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    open_inference, triton, mlflow = told["open inference"], told["triton"], told["mlflow"]
    assert open_inference["labels"] == open_inference["of the version"] == labels
    assert (open_inference["id"], open_inference["versions"]) == ("mine", ["1"])
    assert set(open_inference["inputs"]) == set(rows[0])
    asks = [triton[name] for name in triton if name.startswith(("all", "wanted"))]
    assert asks == [labels] * 4
    assert (triton["live"], triton["ready"], triton["absent"]) == (True, True, False)
    assert "mean_radus: Unknown feature" in triton["error"]
    forms = ("dataframe_split", "dataframe_records", "instances", "inputs")
    assert [mlflow[form] for form in forms] == [labels] * 4
    assert mlflow["endpoint"] == f"{live_server.url}/api/v1/mlflow/endpoints/cancer/invocations"
    assert mlflow["endpoints"] == ["cancer"]
    assert "mean_radus" in mlflow["error"]
    with tenant_scope(tenant):
        assert Prediction.objects.count() - before == len(rows) * (2 + 4 + 4)
