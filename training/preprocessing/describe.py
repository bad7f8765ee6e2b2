"""What happens to each column on its way into the model, in words for people."""

from collections.abc import Sequence

from registry.tabular.schema import Column, ColumnType
from training.algorithms import Algorithm, Traits
from training.preprocessing.options import Preprocessing
from training.preprocessing.pipeline import DEFAULT, SETS, encoding, keeps_missing, scaling
from training.preprocessing.words import MAX_WORDS

SCALES = {
    "none": "",
    "standard": ", then scaled to mean 0 and deviation 1",
    "robust": ", then scaled by median and quartiles, so that outliers do not decide",
    "quantile": ", then replaced by rank on a bell curve, so that outliers come near",
}
FILLS = {"auto": "median", "median": "median", "mean": "mean", "most_frequent": "most frequent value"}
BALANCES = {
    "weights": "rows of rare classes weigh more, so that every class counts the same",
    "over": "rows of rare classes are drawn again while learning, until all classes are as frequent",
    "under": "rows of frequent classes are left out while learning, until all classes are as frequent",
}


def describe_pipeline(
    columns: Sequence[Column], algorithm: Algorithm, options: Preprocessing = DEFAULT
) -> list[dict[str, str]]:
    """``[{"column", "type", "treatment"}]`` in the order of the columns."""
    return [
        {
            "column": column.name,
            "type": column.type.value,
            "treatment": _treatment(column.type, algorithm.traits, options),
        }
        for column in columns
    ]


def describe_options(options: Preprocessing) -> list[str]:
    """What the options ask for beyond each algorithm's own needs, one phrase each; empty where nothing."""
    told = []
    if options.impute != "auto":
        told.append(f"missing numbers filled with the {FILLS[options.impute]}")
    if not options.indicators:
        told.append("missing numbers are not marked")
    if options.scale != "auto":
        told.append(
            "numbers not scaled" if options.scale == "none" else f"numbers{SCALES[options.scale][6:]}"
        )
    if options.encode != "auto":
        told.append(f"categories: {_coding(options.encode, options)}")
    if options.select != "none":
        told.append(_selection(options))
    if options.balance != "none":
        told.append(BALANCES[options.balance])
    if options.reshape_target != "none":
        told.append("the target is learnt on a bent scale, nearer to a bell curve")
    return told


def _selection(options: Preprocessing) -> str:
    if options.select == "variance":
        return "inputs that never vary are dropped"
    by = "most related to the target" if options.select == "k_best" else "that a small forest uses most"
    return f"only the {options.keep:.0%} of the inputs {by} are kept"


def _treatment(kind: ColumnType, traits: Traits, options: Preprocessing) -> str:
    scaled = SCALES[scaling(options, traits)]
    match kind:
        case ColumnType.numeric | ColumnType.integer | ColumnType.boolean:
            return _number_treatment(traits, options) + scaled
        case ColumnType.category:
            return f"{_coding(encoding(options, traits), options)}; missing is a category of its own"
        case ColumnType.date:
            return f"year, month, weekday and hour on a circle, days since the first date{scaled}"
        case ColumnType.text:
            return f"weights of its {MAX_WORDS} most frequent words (TF-IDF, lower case)"
        case ColumnType.identifier:
            return "not used: it names rows and would be learnt by heart"
        case ColumnType.ignored:
            return "not used"


def _coding(encode: str, options: Preprocessing) -> str:
    if encode == "target":
        return "replaced by the target's mean for the category, always taken from other rows"
    if encode == SETS:
        return "split into sets of values by the algorithm itself"
    coding = "numbered" if encode == "ordinal" else "one 0/1 input per category"
    return f"{coding}, rare ones and those beyond {options.max_categories} are grouped"


def _number_treatment(traits: Traits, options: Preprocessing) -> str:
    if keeps_missing(options, traits):
        return "taken as it is, missing values included"
    marked = " and marked" if options.indicators else ""
    return f"missing values filled with the {FILLS[options.impute]}{marked}"
