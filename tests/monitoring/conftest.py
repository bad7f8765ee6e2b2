"""A deployed model, and clients that ask it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.serving import predict
from tests.factories import make_champion, rows_of
from tests.web import Said, WebServer, web_server

Ask = Callable[..., list[Prediction]]


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    """The clinic's deployed classifier."""
    return make_champion()


@pytest.fixture
def model(champion: ModelVersion) -> RegisteredModel:
    """The classifier's model."""
    return champion.model


@pytest.fixture
def ask(champion: ModelVersion) -> Ask:
    """Ask the champion ``count`` real rows; ``drifted`` many of their features are tripled."""

    def asking(count: int = 40, *, drifted: int = 0) -> list[Prediction]:
        rows: list[dict[str, Any]] = rows_of(champion, count, start=100)
        for name in list(rows[0])[:drifted]:
            rows = [{**row, name: 3 * row[name] + 1} for row in rows]
        return predict(model=champion.model, rows=rows, by=SYSTEM).predictions

    return asking


def tell(predictions: list[Prediction], *, wrong: bool = False) -> None:
    """Send outcomes that all agree, or all disagree, with the answers."""
    other = {"benign": "malignant", "malignant": "benign"}
    items = [OutcomeItem(row.pk, other[row.label] if wrong else row.label) for row in predictions]
    record_outcomes(items=items, source="api", by=SYSTEM)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[WebServer]:
    """A program on this machine, which is open, that takes every message."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(204)) as server:
        yield server
