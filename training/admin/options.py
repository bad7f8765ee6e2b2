"""How a job prepares its inputs, searches and answers: the fields of a form, and the words of a page."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm
from mlplatform.admin.render import duration
from training.preprocessing import describe_options, parse_preprocessing

AUTOML = "automl"
SEARCHES = [
    ("tpe", "Search where the good ones lie (TPE)"),
    ("halving", "Search wide on few rows, then deep (successive halving)"),
    ("random", "Search by lot"),
    ("grid", "Search a grid, three values each"),
]
AUTO = ("", "As suits the algorithm")
INPUTS = {
    "impute": [
        AUTO,
        ("median", "Median"),
        ("mean", "Mean"),
        ("most_frequent", "Most frequent value"),
    ],
    "scale": [
        AUTO,
        ("none", "Not scaled"),
        ("standard", "Mean 0, deviation 1"),
        ("robust", "By median and quartiles: outliers do not decide"),
        ("quantile", "By rank, on a bell curve"),
    ],
    "encode": [
        AUTO,
        ("one_hot", "One 0/1 input per category"),
        ("ordinal", "Numbered"),
        ("target", "By the target's mean in other rows: for columns of many categories"),
    ],
    "select": [
        ("", "All"),
        ("variance", "Those that vary"),
        ("k_best", "The half most related to the target"),
        ("model", "The half that a small forest uses most"),
    ],
    "balance": [
        ("", "Learn from the rows as they are"),
        ("weights", "Let rows of rare classes weigh more"),
        ("over", "Draw rows of rare classes again"),
        ("under", "Leave out rows of frequent classes"),
    ],
}
CALIBRATIONS = [
    ("none", "Take them as they are"),
    ("isotonic", "Correct them by a staircase (isotonic), from a thousand rows on"),
    ("sigmoid", "Correct them by a curve (sigmoid), for few rows"),
]
THRESHOLDS = [
    ("", "The likeliest class"),
    ("f1", "What makes F1 best"),
    ("balanced_accuracy", "What makes balanced accuracy best"),
    ("mcc", "What makes Matthews' correlation best"),
    ("accuracy", "What makes accuracy best"),
    ("costs", "What costs the least (give the costs below)"),
]


class OptionsForm(ConsoleForm):
    """Fields that most people leave alone; ``config`` gives what was chosen."""

    impute = forms.ChoiceField(choices=INPUTS["impute"], required=False, label="Missing numbers become")
    scale = forms.ChoiceField(choices=INPUTS["scale"], required=False, label="Numbers are scaled")
    encode = forms.ChoiceField(choices=INPUTS["encode"], required=False, label="Categories become numbers")
    select = forms.ChoiceField(choices=INPUTS["select"], required=False, label="Inputs kept")
    balance = forms.ChoiceField(
        choices=INPUTS["balance"], required=False, label="Rare classes", help_text="For classification."
    )
    calibrate = forms.ChoiceField(
        choices=CALIBRATIONS,
        required=False,
        label="Probabilities",
        help_text="For classification. A correction is learnt from rows that the model had not seen.",
    )
    threshold = forms.ChoiceField(
        choices=THRESHOLDS, required=False, label="The answer is", help_text="For two classes."
    )
    positive = forms.CharField(
        max_length=200,
        required=False,
        label="Class looked for",
        help_text="For costs.",
    )
    false_positive = forms.FloatField(
        min_value=0, required=False, label="Cost of a false alarm", help_text="In any unit."
    )
    false_negative = forms.FloatField(
        min_value=0, required=False, label="Cost of a miss", help_text="In the same unit."
    )


def chosen_options(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form's fields mean in a job's config."""
    config: dict[str, Any] = {}
    if prepared := {name: data[name] for name in INPUTS if data.get(name)}:
        config["preprocessing"] = prepared
    if data.get("calibrate"):
        config["calibrate"] = data["calibrate"]
    if data.get("threshold") == "costs":
        costs = {name: data.get(name) for name in ("positive", "false_positive", "false_negative")}
        stated = {name: value for name, value in costs.items() if value not in {None, ""}}
        config["threshold"] = {"costs": stated}
    elif data.get("threshold"):
        config["threshold"] = {"metric": data["threshold"]}
    return config


def shown_search(config: Mapping[str, Any]) -> str:
    """Return how the job searches, in words."""
    if automl := config.get("automl"):
        parts = [f"AutoML, {duration(timedelta(seconds=automl['seconds']))} for everything"]
        if automl["metric"]:
            parts.append(f"aiming at {automl['metric'].replace('_', ' ')}")
        if automl["per_millisecond"]:
            parts.append(f"a millisecond of an answer's time counts as {automl['per_millisecond']:g}")
        if not automl["ensemble"]:
            parts.append("one model, no ensemble")
        return ", ".join(parts)
    search = config.get("search")
    if not search:
        return "As given"
    parts = [dict(SEARCHES)[search["method"]], f"at most {search['trials']} trials"]
    if search["seconds"]:
        parts.append(f"{duration(timedelta(seconds=search['seconds']))}")
    if search["patience"]:
        parts.append(f"until {search['patience']} in a row are no better")
    return ", ".join(parts)


def shown_options(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return how inputs are prepared and answers made, as facts for people."""
    told = describe_options(parse_preprocessing(config.get("preprocessing")))
    rows: list[tuple[str, Any]] = [("Inputs", told or "As each algorithm needs them")]
    if config.get("calibrate", "none") != "none":
        rows.append(("Probabilities", f"Corrected ({config['calibrate']}), learnt from unseen rows"))
    if threshold := config.get("threshold"):
        rows.append(("Answer", _shown_threshold(threshold)))
    return rows


def _shown_threshold(threshold: Mapping[str, Any]) -> str:
    if costs := threshold.get("costs"):
        return (
            f"What costs the least, looking for {costs['positive']}: a false alarm costs "
            f"{costs['false_positive']:g}, a miss {costs['false_negative']:g}"
        )
    return f"What makes {threshold['metric'].replace('_', ' ')} best on unseen rows"
