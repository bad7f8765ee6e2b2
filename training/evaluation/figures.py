"""The pictures of an evaluation, each with what one sees in it."""

from collections.abc import Iterator, Mapping, Sequence

from mlplatform.pictures import Axis, Bar, Figure, Line, bars, matrix, plot
from registry.problems import ProblemType
from training.evaluation.report import ClassCurves, Evaluation

MOST_LINES = 6
MOST_LABELS = 15
SHARE = (0.0, 1.0)


def figures(evaluation: Evaluation, problem: ProblemType) -> list[Figure]:
    """Every picture that the evaluation has figures for."""
    return [
        *_of_classes(evaluation.curves),
        *_confusion(evaluation),
        *_residuals(evaluation),
        *_learning(evaluation, problem),
    ]


def dependence_figures(evaluation: Evaluation, target: str) -> list[Figure]:
    """How the answer moves with each of the columns that matter most."""
    return [
        Figure(
            one.feature,
            _numeric(one.values, one.lines, one.feature, target)
            if all(isinstance(value, int | float) for value in one.values)
            else _named(one.values, one.lines, one.feature, target),
            _span(one.lines),
        )
        for one in evaluation.dependence
    ]


def roc_figure(curves: Mapping[str, ClassCurves]) -> Figure:
    """ROC curves, one for each name."""
    lines = [
        Line(_with_area(name, one.roc.area), one.roc.x, one.roc.y)
        for name, one in list(curves.items())[:MOST_LINES]
    ]
    guide = Line("drawing lots", SHARE, SHARE, "guide")
    picture = plot(
        [*lines, guide],
        x=Axis("False alarms among the others", *SHARE, percent=True),
        y=Axis("Found among those of the class", *SHARE, percent=True),
        title="ROC curve",
    )
    words = (
        "The closer to the upper left corner, the better; the dashed line is what drawing lots would give."
    )
    return Figure("ROC curve", picture, f"{words} {_areas(curves, 'roc')}")


def precision_recall_figure(curves: Mapping[str, ClassCurves]) -> Figure:
    """Precision against recall, one line for each name."""
    lines = [
        Line(_with_area(name, one.precision_recall.area), one.precision_recall.x, one.precision_recall.y)
        for name, one in list(curves.items())[:MOST_LINES]
    ]
    picture = plot(
        lines,
        x=Axis("Recall: found among those of the class", *SHARE, percent=True),
        y=Axis("Precision: right among those named", *SHARE, percent=True),
        title="Precision-recall curve",
    )
    words = "What share of the named rows is right (up), the more of the class is found (to the right)."
    return Figure("Precision and recall", picture, f"{words} {_areas(curves, 'precision_recall')}")


def calibration_figure(curves: Mapping[str, ClassCurves]) -> Figure:
    """Said probability against what came true, one line for each name."""
    lines = [
        Line(name, one.calibration.said, one.calibration.came_true, "both")
        for name, one in list(curves.items())[:MOST_LINES]
    ]
    picture = plot(
        [*lines, Line("as said", SHARE, SHARE, "guide")],
        x=Axis("Probability that the model said", *SHARE, percent=True),
        y=Axis("Share that came true", *SHARE, percent=True),
        title="Calibration",
    )
    words = (
        "On the dashed line, of the rows called 70 % likely 70 % came true. Below it the model is too sure."
    )
    return Figure("Calibration", picture, words)


def gains_figure(curves: Mapping[str, ClassCurves]) -> Figure:
    """Cumulative gains, one line for each name."""
    chosen = list(curves.items())[:MOST_LINES]
    picture = plot(
        [
            *(Line(name, one.gains.x, one.gains.y) for name, one in chosen),
            Line("drawing lots", SHARE, SHARE, "guide"),
        ],
        x=Axis("Rows looked at, the likeliest first", *SHARE, percent=True),
        y=Axis("Found of the class", *SHARE, percent=True),
        title="Gains and lift",
    )
    name, first = chosen[0]
    found = _at(first.gains.x, first.gains.y, 0.2)
    words = (
        f"Looking at the fifth of the rows that the model finds likeliest finds {found:.0%} of {name}: "
        f"{found / 0.2:.1f} times what drawing lots would find (the lift)."
    )
    return Figure("Gains and lift", picture, words)


def _of_classes(curves: Mapping[str, ClassCurves]) -> Iterator[Figure]:
    if curves:
        yield roc_figure(curves)
        yield precision_recall_figure(curves)
        yield calibration_figure(curves)
        yield gains_figure(curves)


def _confusion(evaluation: Evaluation) -> Iterator[Figure]:
    table = evaluation.confusion
    if table is None or len(table.labels) > MOST_LABELS:
        return
    picture = matrix(
        table.matrix,
        rows=table.labels,
        columns=table.labels,
        row_title="True class",
        column_title="The model said",
        title="Confusion matrix",
    )
    wrong = [
        (count, table.labels[i], table.labels[j])
        for i, line in enumerate(table.matrix)
        for j, count in enumerate(line)
        if i != j and count
    ]
    words = "Each line is a true class: where its rows went. On the diagonal the model was right."
    if wrong:
        count, true, said = max(wrong)
        words += f" The commonest mistake: {count:,} of {true} called {said}."
    yield Figure("Confusion matrix", picture, words)


def _residuals(evaluation: Evaluation) -> Iterator[Figure]:
    found = evaluation.residuals
    if found is None:
        return
    ends = (min(found.x, default=0.0), max(found.x, default=1.0))
    picture = plot(
        [Line("", found.x, found.y, "points"), Line("", ends, (0, 0), "guide")],
        x=Axis("Predicted"),
        y=Axis("True value minus prediction"),
        title="Residuals",
    )
    above = sum(value > 0 for value in found.y) / max(len(found.y), 1)
    words = (
        "Each dot is a held-out row; above the dashed line the truth was higher than predicted "
        f"({above:.0%} of the rows). A funnel or a bend shows what the model has not learnt."
    )
    yield Figure("Residuals", picture, words)


def _learning(evaluation: Evaluation, problem: ProblemType) -> Iterator[Figure]:
    points = evaluation.learning
    if len(points) < 2:
        return
    picture = plot(
        [Line("", [point.rows for point in points], [point.score for point in points], "both")],
        x=Axis("Rows to learn from"),
        y=Axis(problem.primary.title),
        title="Learning curve",
    )
    before, last = points[-2].score, points[-1].score
    gain = (last - before) * (1 if problem.primary.higher_is_better else -1)
    rising = gain > 0.01 * max(abs(last), 0.01)
    words = (
        "Still rising: more rows would likely help."
        if rising
        else "Flat at its end: more rows would help little."
    )
    yield Figure("Learning curve", picture, words)


def _numeric(
    values: Sequence[float | str], lines: Mapping[str, Sequence[float]], feature: str, target: str
) -> str:
    drawn = [Line(name, [float(value) for value in values], list(ys), "both") for name, ys in lines.items()]
    return plot(drawn, x=Axis(feature), y=_answer(lines, target), title=f"The answer by {feature}")


def _named(
    values: Sequence[float | str], lines: Mapping[str, Sequence[float]], feature: str, target: str
) -> str:
    name, ys = next(iter(lines.items()))
    rows = [Bar(str(value), y) for value, y in zip(values, ys, strict=True)]
    axis = _answer({name: ys}, target)
    return bars(rows, axis=axis.title, percent=axis.percent, title=f"The answer by {feature}")


def _answer(lines: Mapping[str, Sequence[float]], target: str) -> Axis:
    if "" in lines:
        return Axis(f"Mean predicted {target}")
    only = next(iter(lines)) if len(lines) == 1 else "the class"
    return Axis(f"Mean probability of {only}", percent=True)


def _span(lines: Mapping[str, Sequence[float]]) -> str:
    name, ys = max(lines.items(), key=lambda line: max(line[1]) - min(line[1]))
    low, high = min(ys), max(ys)
    if name:
        return f"Between its values the mean probability of {name} goes from {low:.0%} to {high:.0%}."
    return f"Between its values the mean answer goes from {low:.4g} to {high:.4g}."


def _with_area(name: str, area: float | None) -> str:
    return name if area is None else f"{name} ({area:.3f})"


def _areas(curves: Mapping[str, ClassCurves], part: str) -> str:
    known = {name: getattr(one, part).area for name, one in curves.items()}
    return (
        "Area below: "
        + ", ".join(f"{name} {area:.3f}" for name, area in known.items() if area is not None)
        + "."
    )


def _at(x: Sequence[float], y: Sequence[float], place: float) -> float:
    """The value of a rising polyline at a place."""
    for i in range(1, len(x)):
        if x[i] >= place:
            span = x[i] - x[i - 1]
            return y[i] if span <= 0 else y[i - 1] + (y[i] - y[i - 1]) * (place - x[i - 1]) / span
    return y[-1]
