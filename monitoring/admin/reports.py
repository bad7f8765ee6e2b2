"""Drift reports and performance snapshots: measured, never changed."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.parts import Facts, Lines, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from monitoring.admin.drift_words import drift_badge, drift_table, measures_table, together_facts
from monitoring.admin.words import metric_rows
from monitoring.models import DriftReport, PerformanceSnapshot
from monitoring.services.drift_words import rule_in_words


@admin.register(DriftReport, site=console)
class DriftReportAdmin(PlatformModelAdmin):
    """How far inputs have moved from the training data."""

    list_display = [
        cell("created_at", "Checked"),
        "verdict",
        cell("model", "Model"),
        cell("version", "Version"),
        cell("rows", "Rows"),
    ]
    list_select_related = ["model", "version__model"]
    list_filter = [("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["model__name"]
    empty_title = "No drift report yet"
    empty_hint = (
        "Checks compare a champion's newest predictions with its training data, once there are enough."
    )

    @admin.display(description="Verdict", ordering="drifted_features")
    def verdict(self, report: DriftReport) -> str:
        """How many features have drifted."""
        return show(drift_badge(report))

    def sections(self, request: HttpRequest, row: DriftReport) -> Iterable[Section | None]:
        """Return the window and each feature."""
        yield Facts(
            "Check",
            [
                ("Verdict", drift_badge(row)),
                ("Model", row.model),
                ("Version", row.version),
                ("Predictions", row.rows),
                ("From", row.window_start),
                ("To", row.window_end),
                ("Checked", row.created_at),
            ],
            note=rule_in_words(row),
            wide=True,
        )
        yield drift_table(row)
        yield together_facts(row)
        yield measures_table(row)


@admin.register(PerformanceSnapshot, site=console)
class PerformanceSnapshotAdmin(PlatformModelAdmin):
    """Quality over a window, once outcomes are known."""

    list_display = [
        cell("created_at", "Measured"),
        "score",
        cell("model", "Model"),
        cell("version", "Version"),
        "coverage",
    ]
    list_select_related = ["model", "version__model"]
    list_filter = [("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["model__name"]
    empty_title = "Quality has not been measured yet"
    empty_hint = "It is measured from outcomes: report what really happened, then run the checks."

    @admin.display(description="Realized")
    def score(self, snapshot: PerformanceSnapshot) -> str:
        """The primary metric."""
        metric = snapshot.model.problem.primary
        return show(Lines(snapshot.metrics.get(metric.name), [metric.title]))

    @admin.display(description="Outcomes known", ordering="labelled")
    def coverage(self, snapshot: PerformanceSnapshot) -> str:
        """How many of the predictions have an outcome."""
        return f"{snapshot.labelled:,} of {snapshot.predictions:,}"

    def sections(self, request: HttpRequest, row: PerformanceSnapshot) -> Iterable[Section | None]:
        """Return the window and the metrics beside what the hold-out promised."""
        yield Facts(
            "Window",
            [
                ("Model", row.model),
                ("Version", row.version),
                ("Outcomes known", f"{row.labelled:,} of {row.predictions:,} predictions"),
                ("From", row.window_start),
                ("To", row.window_end),
            ],
        )
        rows = metric_rows(row.model, row.metrics, row.version.metrics)
        yield Table("Metrics", ["Metric", "Realized", "Hold-out"], rows, wide=False)
