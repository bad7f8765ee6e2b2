"""What else is measured over any period, over REST: calibration, data, fairness, service, usage, slices."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from monitoring.api.measured_bodies import (
    CalibrationBody,
    DataQualityBody,
    FairnessBody,
    ServiceBody,
    UsageBody,
)
from monitoring.api.quality import MeasuredView, PeriodQuery, SliceQuery
from monitoring.errors import NothingDeployed
from monitoring.services.calibration import calibration_reports
from monitoring.services.data_quality import data_report
from monitoring.services.fairness import fairness_reports
from monitoring.services.periods import period_of
from monitoring.services.service_figures import service_report
from monitoring.services.slices import set_slices, slices_named
from monitoring.services.usage import usage_of
from registry.services.models import find_model


class SlicesRequest(StrictSerializer):
    """The columns to slice; what is left out is sliced no more."""

    slices = serializers.DictField(
        child=serializers.ListField(max_length=20),
        help_text="By column: the cuts of numbers, or the values; an empty list takes the reference's own.",
    )


class SlicesBody(serializers.Serializer[Any]):
    """A model's slices."""

    model = serializers.CharField()
    slices = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class CalibrationView(MeasuredView):
    """Calibration of one model."""

    @extend_schema(parameters=[SliceQuery], responses=CalibrationBody(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Tell for each version whether probabilities keep what they say; empty where there are none."""
        model, period, rest = self.asked(request, name, SliceQuery)
        return Response(
            CalibrationBody(calibration_reports(model=model, period=period, **rest), many=True).data
        )


class DataQualityView(MeasuredView):
    """Data quality of one model."""

    @extend_schema(parameters=[SliceQuery], responses=DataQualityBody)
    def get(self, request: Request, name: str) -> Response:
        """Tell what was amiss with the rows of the period, against the training data."""
        model, period, rest = self.asked(request, name, SliceQuery)
        found = data_report(model=model, period=period, **rest)
        if found is None:
            raise NothingDeployed(f"Model {model.name} has no version to ask. Train and promote one first.")
        return Response(DataQualityBody(found).data)


class FairnessView(MeasuredView):
    """Fairness of one model."""

    @extend_schema(parameters=[PeriodQuery], responses=FairnessBody(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Compare the groups of each sliced column over live outcomes; empty without slices."""
        model, period, _ = self.asked(request, name)
        return Response(FairnessBody(fairness_reports(model=model, period=period), many=True).data)


class ServiceView(MeasuredView):
    """Service of one model."""

    @extend_schema(parameters=[SliceQuery], responses=ServiceBody)
    def get(self, request: Request, name: str) -> Response:
        """Tell how much, how fast and by what the model answered in the period."""
        model, period, rest = self.asked(request, name, SliceQuery)
        return Response(ServiceBody(service_report(model=model, period=period, **rest)).data)


class ModelUsageView(MeasuredView):
    """Usage of one model."""

    @extend_schema(parameters=[PeriodQuery], responses=UsageBody(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Tell who asked the model how much, by day."""
        model, period, _ = self.asked(request, name)
        return Response(UsageBody(usage_of(period=period, model=model), many=True).data)


class UsageView(PlatformView):
    """Usage of all models."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(parameters=[PeriodQuery], responses=UsageBody(many=True))
    def get(self, request: Request) -> Response:
        """Tell who asked which model how much, by day, of the models that one may see."""
        given = PeriodQuery(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        return Response(UsageBody(usage_of(period=period_of(**given.validated_data)), many=True).data)


class SlicesView(PlatformView):
    """Slices of one model."""

    capabilities = {"get": Capability.VIEW, "put": Capability.MONITOR}
    of_a_model = True

    @extend_schema(responses=SlicesBody)
    def get(self, request: Request, name: str) -> Response:
        """Return the names of the slices by column."""
        model = find_model(name)
        return Response(SlicesBody({"model": model.name, "slices": slices_named(model)}).data)

    @extend_schema(request=SlicesRequest, responses=SlicesBody)
    def put(self, request: Request, name: str) -> Response:
        """Choose the columns whose slices are watched apart, from now on."""
        model = self.permitted(find_model(name))
        found = set_slices(model=model, by=actor(request), **self.validated(SlicesRequest))
        return Response(SlicesBody({"model": model.name, "slices": found}).data)
