"""What suits the data, shown before a training begins."""

from datetime import timedelta

from mlplatform.admin.parts import Table
from mlplatform.admin.render import duration
from mlplatform.errors import PlatformError
from registry.models import Dataset, RegisteredModel
from training.services.suggesting import suggestions_for

MOST = 5


def suggestions_table(model: RegisteredModel, dataset: str) -> Table | None:
    """Return the algorithms that suit the dataset of this number; None where there is nothing to say."""
    chosen = Dataset.objects.filter(pk=dataset).first() if dataset.isdecimal() and len(dataset) < 19 else None
    if chosen is None:
        return None
    try:
        found, told = suggestions_for(model=model, dataset=chosen)
    except PlatformError:  # the form says what is wrong once the dataset is chosen
        return None
    if not found:
        return None
    return Table(
        f"What suits {chosen.name}",
        ["Algorithm", "Why", "Expected time"],
        [[one.title, one.why, duration(timedelta(seconds=max(1, one.seconds)))] for one in found[:MOST]],
        note=" ".join(["AutoML below tries these and more by itself.", *told]),
    )
