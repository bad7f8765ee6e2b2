"""A version's evaluation as one HTML file that needs nothing beside it."""

from collections.abc import Iterable
from pathlib import Path

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe

from mlplatform.admin.parts import Facts, Section
from registry.admin.words import importance_table, metrics_table
from registry.models import ModelVersion
from training.pages.evaluation import evaluation_sections
from training.pages.measures import version_measures
from training.services.evaluations import find_evaluation

STYLES = Path(__file__).resolve().parents[2] / "mlplatform" / "static" / "platform"


def report_response(version: ModelVersion) -> HttpResponse:
    """Return the report as a download; raises NoEvaluation."""
    answer = HttpResponse(report_html(version), content_type="text/html; charset=utf-8")
    name = f"{version.model.name}-v{version.number}-evaluation.html"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def report_html(version: ModelVersion) -> str:
    """Return the whole page, its style within; raises NoEvaluation."""
    find_evaluation(version)
    styles = "".join((STYLES / name).read_text("utf-8") for name in ("console.css", "pictures.css"))
    words = {
        "title": f"Evaluation of {version}",
        "made": timezone.now(),
        "styles": mark_safe(styles),  # noqa: S308  # our own files
        "sections": list(_sections(version)),
    }
    return render_to_string("training/report.html", words)


def _sections(version: ModelVersion) -> Iterable[Section]:
    yield Facts(
        "What was measured",
        [
            ("Model", version.model.name),
            ("Version", version.number),
            ("Predicts", version.model.target),
            ("Algorithm", version.algorithm.replace("_", " ")),
            ("Parameters", version.params),
            ("Trained on", version.dataset.name),
            ("Content of the data (SHA-256)", version.dataset.content_hash),
            ("Trained", version.created_at),
            ("Content of the artefact (SHA-256)", version.artifact_hash),
        ],
        wide=True,
    )
    measures = version_measures(version)
    if measures is not None:
        yield measures
    yield metrics_table(version)
    yield importance_table(version)
    yield from evaluation_sections(version)
