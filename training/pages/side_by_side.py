"""A comparison as parts of a page, and as plain data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mlplatform.admin.parts import Badge, Lines, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import duration, number, size, words
from mlplatform.pictures import Axis, Figure, plot
from mlplatform.pictures import Line as Drawn
from registry.admin.words import interval_words
from training.evaluation.figures import calibration_figure, precision_recall_figure, roc_figure
from training.models import JobState
from training.pages.settings import shown_settings
from training.services.contenders import Contender, Line
from training.services.side_by_side import Score, SideBySide

SETTING = "training: "
TITLES = {
    "algorithm": "Algorithm",
    "seconds": "Took",
    "error": "What went wrong",
    "trials": "Trials tried",
    "metric over the folds": "Ranked by",
    "its mean": "Mean over the folds",
    "its deviation": "± over the folds",
    "size of the artefact in bytes": "Size of the artefact",
    "inputs of its own": "Inputs that others lack",
}
WAYS = {"content": "by chance", "group": "whole groups", "time": "the newest rows"}
SAY: Mapping[str, Callable[[Any], str]] = {
    "state": lambda state: JobState(state).label,
    "seconds": lambda seconds: duration(timedelta(seconds=seconds)),
    "best trial": words,
    "algorithm": words,
    "held out by": lambda kind: WAYS.get(kind, kind),
    "size of the artefact in bytes": size,
    "metric over the folds": words,
}
VERDICTS = {
    "better": Badge("better", "good"),
    "worse": Badge("worse", "bad"),
    "open": Badge("not decided", "muted"),
}


def comparison_sections(found: SideBySide) -> Iterator[Section]:
    """Yield scores, the paired test, curves, settings, data and the course of the training."""
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
            "below each, its 95 % interval. A job that made no version has no answers to score.",
        )
    else:
        yield Table("Scores on the same rows", [], [], empty=found.caveat or "Nothing to compare by.")
    if found.tests:
        yield _tests(found)
    pictures = _figures(found)
    if pictures:
        of = f" for {found.label}" if found.label else ""
        yield plots(f"Curves{of}", pictures)
    parameters = [one for one in found.parameters if not one.name.startswith(SETTING)]
    yield _lines("Parameters", titles, _in_words(parameters))
    if any(one.job is not None for one in found.contenders):
        yield _lines("Settings of the training", titles, _settings(found.contenders))
    yield _lines("Data", titles, _in_words(found.data))
    yield _lines("Course of the training", titles, _in_words(found.training))


def comparison_data(found: SideBySide) -> dict[str, Any]:
    """Return the comparison as JSON."""
    return {
        "contenders": [_contender(one) for one in found.contenders],
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
        "training": [_line(one) for one in found.training],
    }


def _contender(one: Contender) -> dict[str, Any]:
    return {
        "title": one.title,
        "model": one.model.name,
        "version": None if one.version is None else one.version.pk,
        "job": None if one.job is None else one.job.pk,
        "state": None if one.job is None else one.job.state,
    }


def _settings(contenders: Sequence[Contender]) -> list[Line]:
    """Return what the jobs were told, in words, by the name that a job's page gives it."""
    told = [{} if one.config is None else dict(shown_settings(one.config)) for one in contenders]
    names = list(dict.fromkeys(name for one in told for name in one))
    return [Line(name, [one.get(name) for one in told]) for name in names]


def _in_words(lines: list[Line]) -> list[Line]:
    return [
        Line(one.name, [SAY[one.name](v) if v and one.name in SAY else v for v in one.values])
        for one in lines
    ]


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
            f"{found.versions[one.contender]} against {found.versions[0]}",
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
        [
            TITLES.get(line.name) or words(line.name),
            *line.values,
            Badge("differs", "warn") if line.differs else None,
        ]
        for line in lines
    ]
    return Table(title, ["Name", *titles, ""], rows)
