"""What the console shows of models that find anomalies or clusters."""

import numpy as np
import pandas as pd
import pytest
from django.test import Client

from mlplatform.admin.links import page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from registry.services.models import create_model
from registry.services.promotion import promote
from registry.services.serving import predict
from tests.conftest import ConsoleFor
from tests.factories import make_dataset
from training.services import execution
from training.services.claims import claim
from training.services.jobs import create_job, find_job

FRAME = pd.DataFrame(
    np.random.default_rng(0).normal(size=(80, 2)) + np.repeat([[0, 0], [9, 9]], 40, axis=0),
    columns=["x", "y"],
)


def champion(kind: str, algorithm: str) -> ModelVersion:
    """Train a model of this kind and let it answer."""
    model = create_model(name=kind.replace("_", "-"), problem_type=kind, by=SYSTEM)
    config = {"algorithms": [{"key": algorithm}], "folds": 2}
    job = create_job(model=model, dataset=make_dataset(frame=FRAME), by=SYSTEM, config=config)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    version = find_job(job.pk).version
    assert version is not None
    promote(model=model, version=version, by=SYSTEM)
    return version


@pytest.fixture
def console(tenant: Tenant, console_for: ConsoleFor) -> Client:
    """An admin's browser."""
    return console_for(tenant)


def test_a_clusterings_pages_tell_sizes_and_distances(tenant: Tenant, console: Client) -> None:
    with tenant_scope(tenant), tenant_transaction():
        version = champion("clustering", "kmeans")
        answer = predict(model=version.model, rows=[{"x": 0.0, "y": 0.0}], by=SYSTEM).predictions[0]
        pages = page_url(version), page_url(answer), page_url(version.model)
    of_version, of_answer, of_model = (console.get(page).text for page in pages)
    for words in ("Clusters", "cluster 1", "Silhouette", "Stability", "neither", "agree with themselves"):
        assert words in of_version
    assert "Distance to its cluster" in of_answer
    assert "finds groups of similar rows" in of_model


def test_an_anomalys_pages_tell_its_score_in_words(tenant: Tenant, console: Client) -> None:
    with tenant_scope(tenant), tenant_transaction():
        version = champion("anomaly_detection", "local_outlier_factor")
        answer = predict(model=version.model, rows=[{"x": 90.0, "y": -90.0}], by=SYSTEM).predictions[0]
        pages = page_url(version), page_url(answer), page_url(version.model)
    of_version, of_answer, of_model = (console.get(page).text for page in pages)
    assert "Steadiness of the order" in of_version
    assert "Share flagged" in of_version
    assert "of the training rows are less unusual" in of_answer
    assert "finds unusual rows" in of_model
