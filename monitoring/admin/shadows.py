"""How versions in shadow did: on the model's page, and on a prediction's beside its answer."""

from collections.abc import Sequence
from typing import Any

from mlplatform.admin.extensions import model_sections, prediction_sections
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Lines, Link, Meter, Section, Table
from mlplatform.admin.render import number
from monitoring.services.shadows import latest_differences, shadow_reports
from monitoring.services.windows import check_window
from registry.admin.words import version_link
from registry.gates.figures import ShadowFigures
from registry.models import Prediction, RegisteredModel, ShadowAnswer
from registry.services.shadows import shadow_versions

ABOUT = (
    "These versions answer what clients ask, unseen by them, beside the requests. Times are for single rows, "
    "both taken one after the other."
)


@model_sections.at(25)
def shadow_section(model: RegisteredModel) -> Section | None:
    """Return how each version in shadow does, once there is one."""
    found = shadow_reports(model)
    if not found and not model.shadow_aliases:
        return None
    return Table(
        "In shadow of the champion",
        ["Version", "Rows asked", "Says the same", "What differs", "Outcomes", "Time for a row", "Not asked"],
        [_row(one) for one in found],
        empty="No version answers in shadow: the alias points to none, or to the champion itself.",
        note=ABOUT,
    )


@model_sections.at(26)
def differences_section(model: RegisteredModel) -> Section | None:
    """Return the newest rows on which a shadow differs from the champion."""
    window, versions = check_window(model), shadow_versions(model)
    if window is None or not versions:
        return None
    apart = [row for one in versions for row in latest_differences(one, window.version, window.start)]
    if not apart:
        return None
    return Table(
        "Where they differ",
        ["Asked", "Champion", "In shadow", "By", "Prediction"],
        [
            [
                row.asked_at,
                row.prediction.label or row.prediction.value,
                _said(row),
                version_link(row.version),
                Link("The row", page_url(row.prediction)),
            ]
            for row in apart
        ],
    )


@prediction_sections.at(30)
def shadow_answers(prediction: Prediction) -> Section | None:
    """Return what versions in shadow say of the row."""
    rows = list(ShadowAnswer.objects.filter(prediction=prediction).select_related("version__model"))
    if not rows:
        return None
    return Table(
        "In shadow",
        ["Version", "Answer", "Certainty", ""],
        [[version_link(row.version), _said(row), _certainty(row), _same(row, prediction)] for row in rows],
        note="What other versions say of the same row; the client was not told.",
        wide=False,
    )


def _row(found: ShadowFigures) -> Sequence[Any]:
    seen = found.agreement
    return [
        version_link(found.version),
        Lines(
            f"{found.rows:,}",
            [f"{found.failed:,} without an answer: {found.failure}"] if found.failed else [],
        ),
        Lines(Meter(seen.share, f"{seen.share:.1%}"), [f"at least {seen.low:.1%}"]) if seen else "no row yet",
        _differing(found),
        _outcomes(found),
        _times(found),
        Lines(Badge(f"{found.dropped:,} rows", "warn"), [found.dropped_for]) if found.dropped else "none",
    ]


def _differing(found: ShadowFigures) -> Any:
    seen = found.agreement
    if seen is None:
        return None
    lines = [f"{one.heard} → {one.shadow}: {one.rows:,}" for one in seen.crossings[:3]]
    if seen.within is not None:
        lines.append(f"numbers within {number(seen.within)} count as the same")
    if seen.difference is not None:
        lines.append(f"{number(seen.difference)} apart on average, at most {_figure(seen.largest)}")
    return Lines(lines[0], lines[1:]) if lines else "nothing"


def _outcomes(found: ShadowFigures) -> Any:
    if not found.outcomes:
        return "none known yet"
    title = found.version.model.problem.primary.title
    lines = [f"{title} {_figure(found.value)}, champion {_figure(found.heard_value)}"]
    if found.comparison is not None:
        lines.append(
            f"{found.comparison.what}: {'not worse' if found.comparison.passed else 'not shown as good'}"
        )
    return Lines(f"{found.outcomes:,} rows", lines)


def _times(found: ShadowFigures) -> Any:
    times = found.times
    if times is None:
        return "not taken yet"
    usual = f"half within {number(times.p50_ms)} ms, champion {number(times.champion_p50_ms)} ms"
    return Lines(
        f"95 of 100 within {number(times.p95_ms)} ms", [f"champion {number(times.champion_p95_ms)} ms", usual]
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value)


def _said(row: ShadowAnswer) -> Any:
    return Badge(row.failure, "bad") if row.failure else row.label or row.value


def _certainty(row: ShadowAnswer) -> Any:
    shares = row.probabilities or {}
    return Meter(shares[row.label]) if row.label in shares else None


def _same(row: ShadowAnswer, prediction: Prediction) -> Any:
    if row.failure or not row.label:
        return None
    same = row.label == prediction.label
    return Badge("the same", "good") if same else Badge("another answer", "warn")
