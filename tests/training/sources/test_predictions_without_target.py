"""A model without a target has no column for outcomes to stand in."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from registry.services.models import create_model
from training.errors import InvalidSource
from training.sources.budget import Budget
from training.sources.predictions import PredictionsSettings, fetch


@pytest.mark.usefixtures("in_tenant")
def test_its_predictions_are_no_source() -> None:
    model = create_model(name="groups", problem_type="clustering", by=SYSTEM)
    with pytest.raises(InvalidSource, match="no column to stand in"):
        fetch(PredictionsSettings(), "", Budget(rows=1, bytes=1, seconds=1), model)
