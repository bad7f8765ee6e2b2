"""What training adds to a version's page: its evaluation, and the report to take along."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse

from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import version_commands, version_sections
from mlplatform.admin.parts import Section
from mlplatform.tenancy.permissions import Capability
from registry.models import ModelVersion
from training.pages.evaluation import evaluation_sections
from training.pages.measures import version_measures
from training.pages.report import report_response


@version_sections.at(10)
def evaluation(version: ModelVersion) -> Iterable[Section]:
    """Return how the version was measured, and plots and tables of how good it is."""
    measures = version_measures(version)
    return [*([measures] if measures else []), *evaluation_sections(version)]


def report(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Send the evaluation as one HTML file."""
    return report_response(version)


version_commands.append(
    Command(
        "report",
        "Report",
        Capability.VIEW,
        "download",
        available=lambda version: bool(version.evaluation),
        view=report,
    )
)
