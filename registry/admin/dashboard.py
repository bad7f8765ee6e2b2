"""What the registry adds to the dashboard: the table of models, its own columns, and the first steps."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

from mlplatform.admin.extensions import dashboard_sections, first_steps, model_columns
from mlplatform.admin.links import add_url, list_url, page_url
from mlplatform.admin.parts import Badge, FirstStep, Lines, Link, Section, Table
from mlplatform.admin.pictures import sparkline
from mlplatform.tenancy.permissions import Capability
from registry.admin.words import primary_metric
from registry.models import Alias, ModelVersion, Prediction, RegisteredModel
from registry.models.deployment import CHAMPION

SHOWN = 50
DAYS = 7


@dashboard_sections.at(10)
def models_section(request: HttpRequest) -> Section:
    """Return one row for each model, with the columns of all parts."""
    models = list(RegisteredModel.objects.all()[:SHOWN])
    return Table(
        "Models",
        model_columns.titles(),
        model_columns.rows(models),
        empty="No model yet. Register one: say which column to predict, then train it.",
        more=Link("All models", list_url("registry.registeredmodel")),
    )


@model_columns.at(10, "Model")
def name_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return links to the models' pages."""
    return {
        model.pk: Lines(Link(model.name, page_url(model)), [model.get_problem_type_display()])
        for model in models
    }


@model_columns.at(20, "Champion")
def champion_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the champions' numbers."""
    nothing: dict[int, Any] = {model.pk: Badge("none", "warn") for model in models}
    found = _champions(models)
    return nothing | {key: Link(f"v{version.number}", page_url(version)) for key, version in found.items()}


@model_columns.at(30, "Hold-out")
def metric_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the champions' primary metrics at training time."""
    found = _champions(models)
    return {model.pk: primary_metric(model, found[model.pk].metrics) for model in models if model.pk in found}


@model_columns.at(50, "Predictions")
def prediction_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the last week's predictions by day as a line, with the sums of a day and of the week."""
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    counts: dict[int, dict[Any, int]] = defaultdict(dict)
    for row in (
        Prediction.objects.filter(model__in=models, created_at__date__gte=days[0])
        .annotate(day=TruncDate("created_at"))
        .order_by()
        .values("model_id", "day")
        .annotate(count=Count("pk"))
    ):
        counts[row["model_id"]][row["day"]] = row["count"]
    return {model.pk: _traffic([counts[model.pk].get(day, 0) for day in days]) for model in models}


@first_steps.at(20)
def register_step() -> FirstStep:
    """Return the step that registers a model."""
    return FirstStep(
        "Register a model",
        "Name it, and say which column it predicts.",
        add_url("registry.registeredmodel"),
        RegisteredModel.objects.exists(),
        Capability.TRAIN,
    )


@first_steps.at(40)
def promote_step() -> FirstStep:
    """Return the step that promotes a version."""
    return FirstStep(
        "Promote the best version",
        "It answers predictions from then on, over the API.",
        list_url("registry.modelversion"),
        Alias.objects.filter(name=CHAMPION).exists(),
        Capability.DEPLOY,
    )


def _champions(models: Sequence[RegisteredModel]) -> dict[int, ModelVersion]:
    heavy = [f"version__{name}" for name in ("features", "reference", "evaluation", "importance", "params")]
    found = Alias.objects.filter(model__in=models, name=CHAMPION).select_related("version").defer(*heavy)
    return {alias.model_id: alias.version for alias in found}


def _traffic(counts: list[int]) -> Any:
    if not any(counts):
        return Lines("none this week")
    line = sparkline(counts, title=f"Predictions of the last {DAYS} days: {', '.join(map(str, counts))}")
    return Lines(line, [f"{counts[-1]:,} today, {sum(counts):,} in {DAYS} days"])
