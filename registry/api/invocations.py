"""MLflow's scoring protocol: ``/invocations`` with its JSON forms, CSV and Parquet, and its neighbours.

The same routes serve at two places: below a model (``models/{name}/invocations``, ``/ping``, ``/health``,
``/version``) for whoever knows a scoring server's address, and below ``mlflow/``, the target of MLflow's own
deployment client (``get_deploy_client("https://.../api/v1/mlflow")``), which names the model as its endpoint.
"""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.parsers import BytesParser, raw_body, strict_json
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.answer_bodies import BoundedAnswerBody, with_shares
from registry.api.repeating import KEY_PARAMETER, once_of, tell_repeated
from registry.api.serializers import InvocationParams
from registry.models import RegisteredModel
from registry.protocols.json_forms import PARAMS, rows_in
from registry.protocols.tables import csv_rows, parquet_rows
from registry.services.listings import models_overview
from registry.services.metadata import readied
from registry.services.models import find_model
from registry.services.plans import answering_version
from registry.services.repeats import predict_once
from registry.services.serving import Answer
from registry.tabular.schema import columns_from_json

JSON, CSV = "application/json", "text/csv"
MOST_LISTED = 3_000  # as MLflow's own server
PARQUET = ("application/vnd.apache.parquet", "application/x-parquet", "application/octet-stream")
QUERY = ("version", "alias", "probabilities", "intervals", "coverage", "explain", "top")
# What MLflow's clients call an error, by its status.
ERROR_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "INVALID_STATE",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class JSONBytes(BytesParser):
    """JSON, read by the view."""

    media_type = JSON


class CSVBytes(BytesParser):
    """CSV, read by the view."""

    media_type = CSV


class ParquetBytes(BytesParser):
    """Parquet, read by the view."""

    media_type = PARQUET[0]


class OldParquetBytes(BytesParser):
    """Parquet under its name of before it was registered."""

    media_type = PARQUET[1]


class UntoldBytes(BytesParser):
    """A file of which only the content says what it is."""

    media_type = PARQUET[2]


class InvocationBody(serializers.Serializer[Any]):
    """Exactly one of the four forms, and params where wished."""

    dataframe_split = serializers.DictField(required=False, help_text="columns and data.")
    dataframe_records = serializers.ListField(child=serializers.DictField(), required=False)
    instances = serializers.ListField(required=False, help_text="Rows, as objects or as lists.")
    inputs = serializers.JSONField(required=False, help_text="A list for each column, or a list of rows.")
    params = InvocationParams(required=False)


class InvokedBody(serializers.Serializer[Any]):
    """The predictions in the order of the rows: labels or numbers, or objects where more was asked for."""

    predictions = serializers.ListField(child=serializers.JSONField())
    prediction_ids = serializers.ListField(
        child=serializers.CharField(allow_null=True), help_text="Null where the model logs a share alone."
    )
    model = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="Of all rows; null where they differ.")
    versions = serializers.ListField(child=serializers.IntegerField(), help_text="Of each row.")
    request_id = serializers.CharField()


class AliveBody(serializers.Serializer[Any]):
    """The model answers, with this version."""

    status = serializers.CharField()
    version = serializers.IntegerField()


class EndpointModelBody(serializers.Serializer[Any]):
    """What stands behind an endpoint."""

    name = serializers.CharField()
    provider = serializers.CharField()


class EndpointBody(serializers.Serializer[Any]):
    """A model as MLflow's deployment client knows it: as an endpoint."""

    name = serializers.CharField()
    endpoint_type = serializers.CharField()
    model = EndpointModelBody()
    endpoint_url = serializers.CharField()
    limit = serializers.JSONField(allow_null=True)


class EndpointsBody(serializers.Serializer[Any]):
    """Every model."""

    endpoints = EndpointBody(many=True)
    next_page_token = serializers.CharField(allow_null=True)


class InvocationsView(PlatformView):
    """Asking a model as MLflow's scoring server is asked."""

    capabilities = {"post": Capability.PREDICT}
    of_a_model = True
    parser_classes = [JSONBytes, CSVBytes, ParquetBytes, OldParquetBytes, UntoldBytes]

    @extend_schema(
        request={JSON: InvocationBody, **dict.fromkeys((CSV, *PARQUET), OpenApiTypes.BINARY)},
        responses=InvokedBody,
        parameters=[
            KEY_PARAMETER,
            *(OpenApiParameter(name, description="As in params.") for name in QUERY),
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        """Answer every row or none."""
        model = self.permitted(find_model(name))
        body = raw_body(request)
        kind = _kind(request)
        parsed = strict_json(body) if kind == JSON else {}
        params = _params(request, parsed)
        shares = params.pop("probabilities")
        columns = columns_from_json(
            answering_version(model, params.get("version"), params.get("alias")).features
        )
        most = settings.MAX_PREDICTION_ROWS
        if kind == JSON:
            rows = rows_in(parsed, columns, most)
        else:
            rows = (csv_rows if kind == CSV else parquet_rows)(body, columns, most)
        answer = predict_once(
            once=once_of(request, kind.encode() + body),
            model=model,
            rows=rows,
            by=actor(request),
            **params,
        )
        plain = not shares and params.keys().isdisjoint({"coverage", "top"})
        return tell_repeated(Response(_told(with_shares(answer, shares), plain)), answer)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer with a problem document that also says what MLflow's clients look for."""
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            response.data["error_code"] = ERROR_CODES.get(response.status_code, "BAD_REQUEST")
            response.data["message"] = response.data.get("detail", "")
        return response


class AliveView(PlatformView):
    """Whether a model answers, as a scoring server is asked."""

    capabilities = {"get": Capability.PREDICT}
    of_a_model = True

    @extend_schema(responses=AliveBody)
    def get(self, request: Request, name: str) -> Response:
        """Load the champion; an error says why it cannot answer."""
        version, _ = readied(self.permitted(find_model(name)))
        return Response({"status": "ready", "version": version.number})


class ServerVersionView(PlatformView):
    """The server's version, as a scoring server is asked for it."""

    capabilities = {"get": Capability.PREDICT}
    of_a_model = True

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return the version of this API as plain text."""
        self.permitted(find_model(name))
        return HttpResponse(settings.SPECTACULAR_SETTINGS["VERSION"], content_type="text/plain")


class EndpointsView(PlatformView):
    """The models, for MLflow's deployment client."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(operation_id="mlflow_endpoints_list", responses=EndpointsBody)
    def get(self, request: Request) -> Response:
        """List every model that may be seen."""
        models = [_endpoint(model) for model in models_overview().order_by("name")[:MOST_LISTED]]
        return Response({"endpoints": models, "next_page_token": None})


class EndpointView(PlatformView):
    """One model, for MLflow's deployment client."""

    capabilities = {"get": Capability.PREDICT}
    of_a_model = True

    @extend_schema(responses=EndpointBody)
    def get(self, request: Request, name: str) -> Response:
        """Show where the model is asked."""
        return Response(_endpoint(self.permitted(find_model(name))))


def _kind(request: Request) -> str:
    """Return the body's media type; raises UnsupportedMediaType for text in another encoding than UTF-8."""
    kind, _, rest = str(request.content_type).partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if rest and charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(str(request.content_type)[:100])
    return kind.strip().lower()


def _params(request: Request, parsed: Any) -> dict[str, Any]:
    sent = parsed.get(PARAMS) if isinstance(parsed, dict) else None
    if sent is not None and not isinstance(sent, dict):
        raise serializers.ValidationError({PARAMS: ["Must be an object of names and values."]})
    serializer = InvocationParams(data={**request.query_params.dict(), **(sent or {})})
    serializer.is_valid(raise_exception=True)
    params: dict[str, Any] = serializer.validated_data
    return params


def _told(answer: Answer, plain: bool) -> dict[str, Any]:
    rows = BoundedAnswerBody(answer.predictions, many=True).data
    return {
        "predictions": [_prediction(row, plain) for row in rows],
        "prediction_ids": [row["id"] for row in rows],
        "model": answer.model,
        "version": answer.version,
        "versions": [row["version"] for row in rows],
        "request_id": answer.request_id,
    }


def _prediction(row: dict[str, Any], plain: bool) -> Any:
    """Return a row's answer: an object for anomalies and clusters, or where more than it was asked for."""
    told = {"interval": row["interval"], "possible": row["possible"], "explanation": row["explanation"]}
    beside = {name: value for name, value in told.items() if value is not None}
    if row["probabilities"] is not None:
        beside["probabilities"] = row["probabilities"]
    for names in (("is_anomaly", "score"), ("cluster", "distance")):
        if names[0] in row:
            return {**{name: row[name] for name in names}, **beside}
    answer = row["label"] if row["label"] is not None else row["value"]
    return answer if plain else {"prediction": answer, **beside}


def _endpoint(model: RegisteredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "endpoint_type": model.problem_type,
        "model": {"name": model.name, "provider": "mlplatform"},
        "endpoint_url": f"/endpoints/{model.name}/invocations",
        "limit": None,
    }
