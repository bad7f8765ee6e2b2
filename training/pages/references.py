"""The comparison with scikit-learn as parts of a page."""

from collections.abc import Iterator

from django.utils.safestring import mark_safe

from mlplatform.admin.parts import Fragment, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Axis, Figure, Line, plot
from training.evaluation.against_library import AgainstLibrary, Side

TITLES = {"logistic_regression": "Logistic regression", "decision_tree": "Decision tree"}
SCORES = {"accuracy": "Accuracy", "f1": "F1 (macro)", "roc_auc": "ROC AUC", "log_loss": "Log loss"}
SHARE = (0.0, 1.0)


def comparison_sections(found: AgainstLibrary) -> Iterator[Section]:
    """Yield the figures side by side, then the pictures."""
    yield _figures(found)
    pictures = [roc_figure(found)]
    if found.cost_history:
        pictures.append(cost_figure(found))
    yield plots("Pictures", pictures)
    if found.tree:
        # Drawn by our own code, which escapes every word.
        drawing = {"picture": mark_safe(found.tree)}  # noqa: S308
        yield Fragment("Our tree", "admin/parts/picture.html", drawing, "Its upper levels.")
    rows = [
        [one.input, one.ours, one.theirs, round(abs(one.ours - one.theirs), 6)]
        for one in found.weights
        if one.ours or one.theirs
    ]
    note = f"The {found.weights_of} of each prepared input, the weightiest first."
    yield Table("Inputs", ["Input", "Ours", "scikit-learn", "Apart"], rows, note=note, wide=False)


def roc_figure(found: AgainstLibrary) -> Figure:
    """Both sides' ROC curves in one picture."""
    lines = [
        Line(f"{side.name}{f', {label}' if len(side.roc) > 1 else ''}", curve.x, curve.y)
        for side in (found.ours, found.theirs)
        for label, curve in side.roc.items()
    ]
    picture = plot(
        [*lines, Line("drawing lots", SHARE, SHARE, "guide")],
        x=Axis("False alarms among the others", *SHARE, percent=True),
        y=Axis("Found among those of the class", *SHARE, percent=True),
        title="ROC curves of both",
    )
    of = f" for {next(iter(found.ours.roc))}" if len(found.ours.roc) == 1 else ""
    return Figure(f"ROC curves{of}", picture, "Where only one line is seen, the other lies beneath it.")


def cost_figure(found: AgainstLibrary) -> Figure:
    """The cost of our logistic regression, step by step."""
    steps = found.ours.size["steps"]
    apart = max(len(found.cost_history) - 1, 1)
    places = [steps * place / apart for place in range(len(found.cost_history))]
    picture = plot(
        [Line("Cost", places, found.cost_history)],
        x=Axis("Step"),
        y=Axis("Cost"),
        title="Cost of the descent by step",
    )
    words = f"From {number(found.cost_history[0])} to {number(found.cost_history[-1])} in {steps:.0f} steps."
    return Figure("Cost of the descent", picture, words)


def _figures(found: AgainstLibrary) -> Table:
    sides = (found.ours, found.theirs)
    rows = [[title, *(side.scores.get(name) for side in sides)] for name, title in SCORES.items()]
    rows.append(["Learning took", *(_time(side.fit_seconds) for side in sides)])
    rows.append(
        [f"Answering {found.test_rows:,} rows took", *(_time(side.predict_seconds) for side in sides)]
    )
    rows += [[name.capitalize(), *(_whole(side, name) for side in sides)] for name in found.ours.size]
    note = (
        f"Learnt from {found.learnt_rows:,} rows, tested on {found.test_rows:,} others. Both give the same "
        f"answer for {found.agreement:.1%} of them; their probabilities are at most "
        f"{number(found.largest_difference)} apart."
    )
    title = f"{TITLES[found.kind]}: ours against scikit-learn's"
    return Table(title, ["", "Ours", "scikit-learn"], rows, note=note, wide=False)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _whole(side: Side, name: str) -> str:
    return f"{side.size.get(name, 0):,.0f}"
