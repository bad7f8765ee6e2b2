"""Predictions to give outcomes for."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.models import ModelVersion, Prediction
from registry.services.serving import predict
from tests.factories import make_champion, make_model, rows_of


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    """The clinic's deployed classifier."""
    return make_champion()


@pytest.fixture
def predictions(champion: ModelVersion) -> list[Prediction]:
    """Four answers of the classifier."""
    return asked(champion, 4)


@pytest.fixture
def number(in_tenant: Tenant) -> Prediction:
    """One answer of a regression."""
    return asked(make_champion(make_model(data="diabetes")), 1)[0]


def asked(version: ModelVersion, count: int) -> list[Prediction]:
    """Ask the version through the serving path."""
    return predict(model=version.model, rows=rows_of(version, count), by=SYSTEM).predictions
