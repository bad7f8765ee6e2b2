"""A comparison as parts of a page, and as plain data."""

from collections.abc import Iterator
from typing import Any

from mlplatform.admin.parts import Badge, Lines, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Axis, Figure, plot
from mlplatform.pictures import Line as Drawn
from registry.admin.words import interval_words
from training.evaluation.figures import calibration_figure, precision_recall_figure, roc_figure
from training.services.side_by_side import Line, Score, SideBySide

VERDICTS = {
    "better": Badge("better", "good"),
    "worse": Badge("worse", "bad"),
    "open": Badge("not decided", "muted"),
}


def comparison_sections(found: SideBySide) -> Iterator[Section]:
    """Yield scores, the paired test, curves, settings and data."""
    titles = found.titles
    if found.scores:
        yield Table(
            "Scores on the same rows",
            ["Metric", *titles],
            [
                [found.problem.metric(name).title, *(_shown(score) for score in scores)]
                for name, scores in found.scores.items()
            ],
            note=f"On {found.rows:,} rows of the newest data that none of them was trained on; "
            "below each, its 95 % interval.",
        )
    else:
        yield Table("Scores on the same rows", [], [], empty=found.caveat or "Nothing to compare by.")
    if found.tests:
        yield _tests(found)
    pictures = _figures(found)
    if pictures:
        of = f" for {found.label}" if found.label else ""
        yield plots(f"Curves{of}", pictures)
    yield _lines("Parameters", titles, found.parameters)
    yield _lines("Data", titles, found.data)


def comparison_data(found: SideBySide) -> dict[str, Any]:
    """Return the comparison as JSON."""
    return {
        "versions": [
            {"id": one.pk, "model": one.model.name, "number": one.number, "algorithm": one.algorithm}
            for one in found.versions
        ],
        "rows": found.rows,
        "caveat": found.caveat,
        "metrics": {
            name: [{"value": one.value, "low": one.low, "high": one.high} for one in scores]
            for name, scores in found.scores.items()
        },
        "paired": [
            {
                "version": found.versions[one.contender].pk,
                "against": found.versions[0].pk,
                "mean": one.mean,
                "low": one.low,
                "high": one.high,
                "verdict": one.verdict,
            }
            for one in found.tests
        ],
        "parameters": [_line(one) for one in found.parameters],
        "data": [_line(one) for one in found.data],
    }


def _line(line: Line) -> dict[str, Any]:
    return {"name": line.name, "values": line.values, "differs": line.differs}


def _shown(score: Score) -> Lines | None:
    if score.value is None:
        return None
    ends = None if score.low is None or score.high is None else interval_words((score.low, score.high))
    return Lines(number(score.value), [ends] if ends else [])


def _tests(found: SideBySide) -> Table:
    what = "More right answers (share)" if found.problem.key == "classification" else "Absolute error saved"
    rows = [
        [
            f"{found.titles[one.contender]} against {found.titles[0]}",
            number(one.mean),
            interval_words((one.low, one.high)),
            VERDICTS[one.verdict],
        ]
        for one in found.tests
    ]
    note = (
        "Row by row on the same rows (paired bootstrap), so that what makes a row hard for both cancels out. "
        "Where 0 lies between the two ends, the difference may be chance."
    )
    return Table("Is the difference real?", ["Who", what, "Between", "Verdict"], rows, note=note)


def _figures(found: SideBySide) -> list[Figure]:
    if found.curves:
        return [make(found.curves) for make in (roc_figure, precision_recall_figure, calibration_figure)]
    if not found.errors:
        return []
    picture = plot(
        [Drawn(name, curve.x, curve.y) for name, curve in found.errors.items()],
        x=Axis("Error of at most"),
        y=Axis("Share of the rows", 0, 1, percent=True),
        title="Errors",
    )
    return [Figure("Errors", picture, "The higher a line, the more rows are predicted within that error.")]


def _lines(title: str, titles: list[str], lines: list[Line]) -> Table:
    rows = [
        [line.name.replace("_", " "), *line.values, Badge("differs", "warn") if line.differs else None]
        for line in lines
    ]
    return Table(title, ["Name", *titles, ""], rows)
