"""A report as a file: HTML or PDF, of the same content."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.utils import timezone

from monitoring.reporting.document import Report, block_data
from monitoring.reporting.html import report_page
from monitoring.services.report_days import Days
from registry.models import RegisteredModel

STYLES = Path(__file__).resolve().parents[2] / "mlplatform" / "static" / "platform"


class ReportForm(StrEnum):
    """What a report can be sent as; the ending of its file."""

    HTML = "html"
    PDF = "pdf"


MEDIA_TYPES = {ReportForm.HTML: "text/html", ReportForm.PDF: "application/pdf"}


@dataclass(frozen=True)
class ReportFile:
    """A file to send."""

    name: str
    content: bytes
    media_type: str


def report_file(report: Report, form: str) -> ReportFile:
    """Return the report as a file; raises ValueError for a form that is none of ``ReportForm``."""
    kind = ReportForm(form)
    content = report_html(report).encode("utf-8", "replace") if kind == ReportForm.HTML else _pdf(report)
    return ReportFile(f"{report.name}.{kind}", content, MEDIA_TYPES[kind])


def report_html(report: Report) -> str:
    """Return the report as an HTML page that needs nothing beside it."""
    styles = "".join((STYLES / name).read_text("utf-8") for name in ("card.css", "pictures.css"))
    return report_page(report, styles)


def report_data(report: Report, days: Days, model: RegisteredModel | None) -> dict[str, Any]:
    """Return the report as plain data."""
    content = report.content
    return {
        "title": content.title,
        "model": model.name if model else None,
        "since": days.first,
        "until": days.last,
        "time_zone": days.zone,
        "content_hash": report.digest,
        "about": dict(content.about.rows),
        "verdict": list(content.verdict),
        "chapters": [
            {
                "title": one.title,
                "serves": list(one.serves),
                "blocks": [block_data(block) for block in one.blocks],
            }
            for one in content.chapters
        ],
        "made": dict(report.made.rows),
    }


def _pdf(report: Report) -> bytes:
    # Fonts and their tools take long to load: a process pays for them with its first PDF, not as it starts.
    from monitoring.reporting.pdf import report_pdf

    return report_pdf(report, made_at=timezone.now())
