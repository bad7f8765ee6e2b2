"""What lists show: no large columns, no query per row."""

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from registry.models import Alias, Deployment, ModelVersion, Prediction, RegisteredModel
from registry.models.deployment import CHAMPION

HEAVY_VERSION_COLUMNS = (
    "reference",
    "evaluation",
    "conformal",
    "importance",
    "features",
    "params",
    "environment",
    "cv_metrics",
)


def models_overview() -> QuerySet[RegisteredModel]:
    """Return the models with ``champion_number`` (None without one) and ``version_count``."""
    champion = Alias.objects.filter(model=OuterRef("pk"), name=CHAMPION).values("version__number")[:1]
    return RegisteredModel.objects.annotate(
        champion_number=Subquery(champion), version_count=Count("versions")
    ).order_by("-created_at", "-pk")


def versions_overview(model: RegisteredModel) -> QuerySet[ModelVersion]:
    """Return the model's versions, newest first, with ``is_champion`` and without the large columns."""
    champion = Alias.objects.filter(version=OuterRef("pk"), name=CHAMPION)
    return (
        ModelVersion.objects.filter(model=model)
        .select_related("model")
        .defer(*HEAVY_VERSION_COLUMNS)
        .annotate(is_champion=Exists(champion))
    )


def deployments_overview(model: RegisteredModel) -> QuerySet[Deployment]:
    """Return every change of what runs for the model, newest first."""
    heavy = [f"{link}__{name}" for link in ("version", "previous") for name in HEAVY_VERSION_COLUMNS]
    return Deployment.objects.filter(model=model).select_related("model", "version", "previous").defer(*heavy)


def predictions_overview() -> QuerySet[Prediction]:
    """Return the log of predictions, newest first."""
    heavy = [f"version__{name}" for name in (*HEAVY_VERSION_COLUMNS, "metrics", "classes")]
    return Prediction.objects.select_related("model", "version").defer(*heavy)
