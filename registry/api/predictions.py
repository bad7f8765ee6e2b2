"""Serving, and the log of what was answered, over REST."""

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.answer_bodies import AnswerBody, PredictionBody, with_shares
from registry.api.filters import PredictionFilter
from registry.api.predict_now import UNCONFIRMED
from registry.api.repeating import KEY_PARAMETER, once_of, tell_repeated
from registry.api.serializers import PredictRequest
from registry.models import Prediction
from registry.services.listings import predictions_overview
from registry.services.models import find_model
from registry.services.prediction_reads import read_prediction, record_log_read
from registry.services.repeats import predict_once


class PredictView(PlatformView):
    """Asking a model."""

    capabilities = {"post": Capability.PREDICT}
    of_a_model = True

    @extend_schema(request=PredictRequest, responses=AnswerBody, parameters=[KEY_PARAMETER])
    def post(self, request: Request, name: str) -> Response:
        """Answer every row or none; each answer has an id to which the outcome can be sent later.

        Where the model keeps a share of its answers only, the id of the others is null.
        """
        model = self.permitted(find_model(name))
        asked = self.validated(PredictRequest)
        shares = asked.pop("probabilities")
        body = json.dumps(request.data, sort_keys=True).encode()
        answer = predict_once(
            once=once_of(request, body),
            model=model,
            **asked,
            by=actor(request),
            ids=request.META.get(UNCONFIRMED),
        )
        return tell_repeated(Response(AnswerBody(with_shares(answer, shares)).data), answer)


class PredictionsView(PlatformView, ListAPIView[Prediction]):
    """The log of predictions, newest first."""

    capabilities = {"get": Capability.VIEW}
    queryset = Prediction.all_tenants.none()
    serializer_class = PredictionBody
    filterset_class = PredictionFilter

    def get_queryset(self) -> QuerySet[Prediction]:
        """Return the active tenant's predictions."""
        return predictions_overview()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a page of the log, and record who read it."""
        answer = super().list(request, *args, **kwargs)
        asked = dict(request.query_params.items())
        record_log_read(by=actor(request), rows=len(answer.data["results"]), asked=asked)
        return answer


class PredictionView(PlatformView):
    """One logged prediction."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=PredictionBody)
    def get(self, request: Request, pk: UUID) -> Response:
        """Show what was asked and answered."""
        return Response(PredictionBody(read_prediction(pk=pk, by=actor(request))).data)
