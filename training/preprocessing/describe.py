"""What happens to each column on its way into the model, in words for people."""

from collections.abc import Sequence

from registry.tabular.schema import Column, ColumnType
from training.algorithms import Algorithm, Traits
from training.preprocessing.pipeline import MAX_CATEGORIES
from training.preprocessing.words import MAX_WORDS


def describe_pipeline(columns: Sequence[Column], algorithm: Algorithm) -> list[dict[str, str]]:
    """``[{"column", "type", "treatment"}]`` in the order of the columns."""
    return [
        {
            "column": column.name,
            "type": column.type.value,
            "treatment": _treatment(column.type, algorithm.traits),
        }
        for column in columns
    ]


def _treatment(kind: ColumnType, traits: Traits) -> str:
    scaled = ", then scaled to mean 0 and deviation 1" if traits.scale else ""
    match kind:
        case ColumnType.numeric | ColumnType.integer | ColumnType.boolean:
            return _number_treatment(traits) + scaled
        case ColumnType.category:
            coding = "numbered" if traits.handles_categories else "one 0/1 input per category"
            grouped = f"rare ones and those beyond {MAX_CATEGORIES} are grouped"
            return f"{coding}; missing is a category of its own, {grouped}"
        case ColumnType.date:
            return f"year, month, weekday and hour on a circle, days since the first date{scaled}"
        case ColumnType.text:
            return f"weights of its {MAX_WORDS} most frequent words (TF-IDF, lower case)"
        case ColumnType.identifier:
            return "not used: it names rows and would be learnt by heart"
        case ColumnType.ignored:
            return "not used"


def _number_treatment(traits: Traits) -> str:
    if traits.handles_missing:
        return "taken as it is, missing values included"
    return "missing values filled with the median and marked"
