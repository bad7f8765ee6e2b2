"""What the registry adds to a model's page and to the dashboard's notices."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from mlplatform.admin.extensions import attention, model_sections, model_steps
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.parts import Link, Notice, Section, Step, Table
from mlplatform.admin.render import ago
from registry.admin.deployments import action_badge
from registry.admin.words import version_link
from registry.models import Alias, Deployment, ModelVersion, Prediction, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.version import VersionStatus
from registry.services.promotion import champion_of


@model_steps.at(30)
def versions_step(model: RegisteredModel) -> Step:
    """Return the versions trained so far."""
    rows = ModelVersion.objects.filter(model=model)
    newest = rows.only("number", "created_at", "model_id").first()
    return Step(
        "Versions",
        "layers",
        rows.count(),
        ago(newest.created_at) if newest else None,
        list_url("registry.modelversion", model__id__exact=model.pk),
        "info" if newest else "muted",
    )


@model_steps.at(40)
def champion_step(model: RegisteredModel) -> Step:
    """Return the champion, or how often it changed."""
    champion, changes = champion_of(model), Deployment.objects.filter(model=model)
    return Step(
        "Deployments",
        "rocket_launch",
        changes.count(),
        f"v{champion.number} is champion" if champion else "no champion",
        list_url("registry.deployment", model__id__exact=model.pk),
        "good" if champion else "warn",
    )


@model_steps.at(50)
def predictions_step(model: RegisteredModel) -> Step:
    """Return the rows answered so far."""
    rows = Prediction.objects.filter(model=model)
    newest = rows.only("created_at").first()
    return Step(
        "Predictions",
        "online_prediction",
        rows.count(),
        ago(newest.created_at) if newest else None,
        list_url("registry.prediction", model__id__exact=model.pk),
        "info" if newest else "muted",
    )


@model_sections.at(20)
def deployment_history(model: RegisteredModel) -> Section:
    """Return the newest changes of what runs."""
    rows = Deployment.objects.filter(model=model).select_related("version", "previous")[:8]
    return Table(
        "Deployment history",
        ["When", "What", "Name", "To", "From", "By", "Reason"],
        [
            [
                row.created_at,
                action_badge(row),
                row.alias,
                version_link(row.version),
                version_link(row.previous),
                row.actor,
                row.reason,
            ]
            for row in rows
        ],
        empty="Nothing was deployed yet. Promote a version to let it answer.",
        more=Link("All", list_url("registry.deployment", model__id__exact=model.pk)),
    )


@attention.at(30)
def models_without_champion() -> Iterable[Notice]:
    """Yield models that have a ready version, but nothing that answers."""
    champions = Alias.objects.filter(model=OuterRef("pk"), name=CHAMPION)
    ready = ModelVersion.objects.filter(model=OuterRef("pk"), status=VersionStatus.READY)
    for model in RegisteredModel.objects.filter(Exists(ready), ~Exists(champions))[:10]:
        yield Notice(
            "warn", f"{model} has no champion", "Promote a version to let it answer.", page_url(model)
        )


@attention.at(40)
def versions_waiting() -> Iterable[Notice]:
    """Yield versions that are newer than their model's champion and were never deployed."""
    champions = Alias.objects.filter(name=CHAMPION).select_related("version", "model")
    for alias in champions:
        newer = ModelVersion.objects.filter(
            model=alias.model, number__gt=alias.version.number, status=VersionStatus.READY, deployments=None
        ).only("number", "model_id")
        newest = newer.order_by("-number").first()
        if newest is not None:
            yield Notice(
                "info",
                f"{alias.model} v{newest.number} waits for promotion",
                f"v{alias.version.number} is champion. Compare the two.",
                page_url(newest),
            )
