"""How a job prepares its inputs, searches and answers: the fields of a form."""

from collections.abc import Mapping
from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm

AUTOML = "automl"
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
    "reshape_target": [
        ("", "Learn the number as it is"),
        ("power", "Bend its scale towards a bell curve: for targets with a long tail"),
    ],
}
CALIBRATIONS = [
    ("none", "Take them as they are"),
    ("isotonic", "Correct them by a staircase (isotonic), from a thousand rows on"),
    ("sigmoid", "Correct them by a curve (sigmoid), for few rows"),
    ("auto", "Correct them where it proves itself on unseen rows, by whichever does so best"),
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
    reshape_target = forms.ChoiceField(
        choices=INPUTS["reshape_target"], required=False, label="Target", help_text="For regression."
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
