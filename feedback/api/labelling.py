"""Labelling over REST: the queue, labels, disagreements, and how far people agree."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.api.held import ByKey
from feedback.api.label_bodies import (
    CandidateBody,
    DecideRequest,
    LabelAgreementBody,
    LabelItemBody,
    LabelRequest,
    QueueQuery,
)
from feedback.models import LabelItem
from feedback.models.label import LabelState
from feedback.services.agreement import agreement_of
from feedback.services.candidates import Reason, labelling_queue
from feedback.services.labelling import decide, give_label, label_items, skip_label
from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability, can
from registry.errors import PredictionNotFound
from registry.services.models import find_model
from registry.services.serving import find_prediction


class LabellingQueueView(PlatformView):
    """What is most worth labelling."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(parameters=[QueueQuery], responses=CandidateBody(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Return the predictions that you should label next, the most worth first.

        Uncertain ones, ones unlike the training rows, and ones that a version in shadow answers otherwise;
        rows that somebody wants a second opinion on come first. What you labelled or skipped is not in it.
        """
        model = find_model(name)
        query = QueueQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked: dict[str, Any] = query.validated_data
        reason = Reason(asked["reason"]) if asked["reason"] else None
        found = labelling_queue(model=model, by=actor(request), reason=reason, limit=asked["limit"])
        return Response(CandidateBody(found, many=True).data)


class LabelsView(PlatformView):
    """Labels that people give."""

    capabilities = {"post": Capability.FEEDBACK}
    of_a_model = True

    @extend_schema(request=LabelRequest, responses={201: LabelItemBody})
    def post(self, request: Request, name: str) -> Response:
        """Label a prediction, or skip it.

        The label is its outcome at once, unless a second opinion is wanted; then it is one when both agree.
        """
        model = self.permitted(find_model(name))
        asked = self.validated(LabelRequest)
        prediction = find_prediction(asked["prediction"])
        if prediction.model_id != model.pk:
            raise PredictionNotFound(f"There is no prediction {prediction.pk} of {model.name}.")
        if asked["skip"]:
            item = skip_label(prediction=prediction, by=actor(request))
        else:
            item = give_label(
                prediction=prediction,
                value=asked["value"],
                by=actor(request),
                second=asked["second_opinion"],
            )
        return Response(LabelItemBody(item).data, status=status.HTTP_201_CREATED)


class LabelAgreementView(PlatformView):
    """How far people agree."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=LabelAgreementBody)
    def get(self, request: Request, name: str) -> Response:
        """Return Cohen's kappa over the rows that two people labelled, overall and by pair."""
        return Response(LabelAgreementBody(agreement_of(find_model(name))).data)


class LabelItemFilter(filters.FilterSet):
    """By model, prediction and state."""

    model = filters.CharFilter(field_name="model__name")
    prediction = filters.UUIDFilter(field_name="prediction_id")
    state = filters.ChoiceFilter(choices=LabelState.choices)

    class Meta:
        model = LabelItem
        fields = ["model", "prediction", "state"]


class LabelItemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[LabelItem]):
    """What was labelled by hand."""

    serializer_class = LabelItemBody
    pagination_class = ByKey
    filterset_class = LabelItemFilter
    capabilities = {"list": Capability.VIEW, "retrieve": Capability.VIEW, "decide": Capability.FEEDBACK}
    of_a_model = True
    queryset = LabelItem.all_tenants.none()

    def get_queryset(self) -> QuerySet[LabelItem]:
        """Return the tenant's labelled rows."""
        return label_items()

    @extend_schema(request=DecideRequest, responses=LabelItemBody)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Say what it is where two people disagree: a third person, or whoever administers the tenant."""
        item = self.get_object()
        body = DecideRequest(data=request.data)
        body.is_valid(raise_exception=True)
        owner = can(asking(request), Capability.ADMIN)
        done = decide(item=item, by=actor(request), owner=owner, **body.validated_data)
        return Response(LabelItemBody(done).data)
