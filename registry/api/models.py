"""Models and their versions over REST."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.api.filters import ModelFilter, VersionFilter
from registry.api.representations import ModelBody, VersionBody, VersionSummary
from registry.api.serializers import ColumnsChange, ModelChange, ModelRequest
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.services.datasets import find_dataset
from registry.services.listings import models_overview, versions_overview
from registry.services.models import create_model, find_model, update_model
from registry.services.personal import loosened, mark_model, model_marks
from registry.services.versions import find_version


def demand_for(request: Request, loose: Collection[str], row: Dataset | RegisteredModel) -> None:
    """Raise NotAllowed where columns of the row would show more, and the principal is no admin."""
    if loose:
        demand(asking(request), Capability.ADMIN, "Only admins show more of a personal column.", row)


def model_body(model: RegisteredModel) -> dict[str, Any]:
    """Return the model as endpoints show it, with its champion."""
    return dict(ModelBody(models_overview().get(pk=model.pk)).data)


class ModelsView(PlatformView, ListAPIView[RegisteredModel]):
    """The tenant's models."""

    capabilities = {"get": Capability.VIEW, "post": Capability.TRAIN}
    queryset = RegisteredModel.all_tenants.none()
    serializer_class = ModelBody
    filterset_class = ModelFilter

    def get_queryset(self) -> QuerySet[RegisteredModel]:
        """Return the active tenant's models."""
        return models_overview()

    @extend_schema(request=ModelRequest, responses={201: ModelBody})
    def post(self, request: Request) -> Response:
        """Register a model."""
        asked = self.validated(ModelRequest)
        number = asked.pop("dataset")
        dataset = None if number is None else find_dataset(number)
        model = create_model(**asked, dataset=dataset, by=actor(request))
        return Response(model_body(model), status=status.HTTP_201_CREATED)


class ModelView(PlatformView):
    """One model."""

    capabilities = {"get": Capability.VIEW, "patch": Capability.TRAIN}
    of_a_model = True

    @extend_schema(responses=ModelBody)
    def get(self, request: Request, name: str) -> Response:
        """Show the model and its champion."""
        return Response(model_body(find_model(name)))

    @extend_schema(request=ModelChange, responses=ModelBody)
    def patch(self, request: Request, name: str) -> Response:
        """Change the description."""
        model = self.permitted(find_model(name))
        return Response(
            model_body(update_model(model=model, changes=self.validated(ModelChange), by=actor(request)))
        )


class ModelColumnsView(PlatformView):
    """A model's personal columns."""

    capabilities = {"patch": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=ColumnsChange, responses=ModelBody)
    def patch(self, request: Request, name: str) -> Response:
        """Mark columns; null takes a mark off, which needs an admin. Other columns stay as they are."""
        model = self.permitted(find_model(name))
        changes = self.validated(ColumnsChange)["columns"]
        demand_for(request, loosened(model_marks(model), changes), model)
        return Response(model_body(mark_model(model=model, changes=changes, by=actor(request))))


class VersionsView(PlatformView, ListAPIView[ModelVersion]):
    """A model's versions."""

    capabilities = {"get": Capability.VIEW}
    queryset = ModelVersion.all_tenants.none()
    serializer_class = VersionSummary
    filterset_class = VersionFilter

    def get_queryset(self) -> QuerySet[ModelVersion]:
        """Return the versions of the model in the path."""
        return versions_overview(find_model(self.kwargs["name"]))


class VersionView(PlatformView):
    """One version."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=VersionBody)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Show the version in full: parameters, features, scores, importance, reference histograms."""
        version = find_version(find_model(name), number)
        full = versions_overview(version.model).defer(None).get(pk=version.pk)
        return Response(VersionBody(full).data)
