"""What the tests of training share."""

from collections.abc import Callable
from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM
from registry.models import RegisteredModel
from tests.factories import make_dataset, make_model
from training.models import TrainingJob
from training.services.jobs import create_job

MakeJob = Callable[..., TrainingJob]
QUICK: dict[str, Any] = {"algorithms": [{"key": "logistic_regression"}], "folds": 2}


@pytest.fixture
def make_job(in_tenant: object) -> MakeJob:
    """Return a maker of quick jobs on the cancer data."""

    def make(model: RegisteredModel | None = None, **config: Any) -> TrainingJob:
        return create_job(
            model=model or make_model(), dataset=make_dataset(), by=SYSTEM, config=QUICK | config
        )

    return make
