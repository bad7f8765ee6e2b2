"""What differs between two datasets."""

from typing import Any

from registry.models import Dataset
from registry.tabular.difference import difference
from registry.tabular.schema import columns_from_json


def dataset_difference(*, before: Dataset, after: Dataset) -> dict[str, Any]:
    """Return what ``registry.tabular.difference`` tells of the two, from their rows alone."""
    sides = [(columns_from_json(one.columns), one.profile) for one in (before, after)]
    names = {"before": before.pk, "after": after.pk}
    return {**names, **difference(sides[0], sides[1])}


def dataset_before(dataset: Dataset) -> Dataset:
    """Return what the dataset was made from, else the last one of its name, else itself."""
    earlier = Dataset.objects.filter(name=dataset.name, pk__lt=dataset.pk).order_by("-pk").first()
    return dataset.parent or earlier or dataset
