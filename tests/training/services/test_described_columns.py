"""What people said of a column reaches what is trained on it."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from registry.services.schemas import edit_columns
from registry.tabular.schema import ColumnType
from tests.factories import make_dataset, make_model
from training.services.configs import feature_columns

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_training_learns_from_the_type_that_was_chosen_and_keeps_unit_and_description() -> None:
    changes = {
        "mean_radius": {"unit": "mm", "description": "Of the nuclei"},
        "mean_texture": {"type": "ignored"},
        "mean_area": {"type": "category"},
    }
    dataset = edit_columns(dataset=make_dataset(), changes=changes, by=SYSTEM)
    columns = {column.name: column for column in feature_columns(make_model(), dataset)}
    assert (columns["mean_radius"].unit, columns["mean_radius"].description) == ("mm", "Of the nuclei")
    assert "mean_texture" not in columns
    assert columns["mean_area"].type is ColumnType.category
