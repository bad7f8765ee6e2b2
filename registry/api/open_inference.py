"""The Open Inference Protocol V2 (``/v2``): the same models, rights, limits and log in that protocol's words.

Errors are ``{"error": "..."}``, as its clients expect (``mlplatform/api/problems.py``).
"""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.parsers import BytesParser, raw_body, strict_json
from mlplatform.api.views import PlatformView, PublicView, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.answer_bodies import BoundedAnswerBody, with_shares
from registry.api.repeating import KEY_PARAMETER, once_of, tell_repeated
from registry.api.serializers import AnswerOptions
from registry.protocols.answer_tensors import check_outputs, chosen_outputs, encoded, output_tensors
from registry.protocols.open_inference import read_request, rows_of
from registry.services.metadata import model_metadata, readied
from registry.services.models import find_model
from registry.services.plans import answering_version
from registry.services.repeats import predict_once
from registry.services.serving import Answer
from registry.tabular.schema import columns_from_json

JSON_LENGTH = "Inference-Header-Content-Length"  # of a body in which tensors follow the JSON as bytes
LONGEST_NUMBER = 9  # digits of a version


class ServerMetadataBody(serializers.Serializer[Any]):
    """What serves."""

    name = serializers.CharField()
    version = serializers.CharField()
    extensions = serializers.ListField(child=serializers.CharField())


class TensorMetadataBody(serializers.Serializer[Any]):
    """A tensor that is sent or answered; -1 stands for as many as there are rows."""

    name = serializers.CharField()
    datatype = serializers.CharField()
    shape = serializers.ListField(child=serializers.IntegerField())


class ModelMetadataBody(serializers.Serializer[Any]):
    """What a version takes and answers."""

    name = serializers.CharField()
    versions = serializers.ListField(child=serializers.CharField())
    platform = serializers.CharField()
    inputs = TensorMetadataBody(many=True)
    outputs = TensorMetadataBody(many=True)


class ModelReadyBody(serializers.Serializer[Any]):
    """The version is in memory and answers."""

    name = serializers.CharField()
    ready = serializers.BooleanField()


class TensorBody(TensorMetadataBody):
    """A tensor with its values: a list that is flat or nested as the shape is."""

    parameters = serializers.DictField(required=False)
    data = serializers.JSONField(required=False)  # type: ignore[assignment]  # DRF takes fields off the class


class WantedBody(serializers.Serializer[Any]):
    """A tensor that is wanted of the answer."""

    name = serializers.CharField()
    parameters = serializers.DictField(required=False)


class InferBody(serializers.Serializer[Any]):
    """A tensor for each column, or tensors of several whose names stand in the parameter ``columns``."""

    id = serializers.CharField(required=False)
    parameters = serializers.DictField(
        required=False, help_text="columns, intervals, coverage, explain, top, probabilities."
    )
    inputs = TensorBody(many=True)
    outputs = WantedBody(many=True, required=False)


class InferredBody(serializers.Serializer[Any]):
    """The answers of one version, a tensor for each kind of answer, in the order of the rows."""

    model_name = serializers.CharField()
    model_version = serializers.CharField(
        allow_blank=True, help_text="Empty where a rollout dealt the rows to two; see the output version."
    )
    id = serializers.CharField()
    parameters = serializers.DictField()
    outputs = TensorBody(many=True)


class ServerMetadataView(PublicView):
    """What serves."""

    @extend_schema(responses=ServerMetadataBody, auth=[])
    def get(self, request: Request) -> Response:
        """Name the server and the protocol's extensions that it knows."""
        about = settings.SPECTACULAR_SETTINGS
        return Response(
            {"name": about["TITLE"], "version": about["VERSION"], "extensions": ["binary_tensor_data"]}
        )


class ModelMetadataView(PlatformView):
    """What a model takes and answers."""

    capabilities = {"get": Capability.PREDICT}
    of_a_model = True

    @extend_schema(responses=ModelMetadataBody)
    def get(self, request: Request, name: str, version: str | None = None) -> Response:
        """Describe the tensors of the champion, or of the version with this number or alias."""
        model = self.permitted(find_model(name))
        return Response(model_metadata(model, *addressed(version)))


class ModelReadyView(PlatformView):
    """Whether a model answers."""

    capabilities = {"get": Capability.PREDICT}
    of_a_model = True

    @extend_schema(responses=ModelReadyBody)
    def get(self, request: Request, name: str, version: str | None = None) -> Response:
        """Load the champion, or the version with this number or alias; an error says why it cannot answer."""
        model = self.permitted(find_model(name))
        readied(model, *addressed(version))
        return Response({"name": model.name, "ready": True})


class InferView(PlatformView):
    """Asking a model by tensors."""

    capabilities = {"post": Capability.PREDICT}
    of_a_model = True
    parser_classes = [BytesParser]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Answer as the protocol says, whatever a client accepts."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        request={"application/json": InferBody, "application/octet-stream": OpenApiTypes.BINARY},
        responses={
            (200, "application/json"): InferredBody,
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
        },
        parameters=[KEY_PARAMETER],
    )
    def post(self, request: Request, name: str, version: str | None = None) -> HttpResponse:
        """Answer every row or none by the champion, or by the version with this number or alias."""
        model = self.permitted(find_model(name))
        body = raw_body(request)
        told, binary = _cut(body, request.headers.get(JSON_LENGTH))
        sent = read_request(strict_json(told))
        options = _options(sent.parameters or {})
        shares = options.pop("probabilities")
        sure, why = "coverage" in options, "top" in options
        check_outputs(sent, model.problem_type, sure=sure, why=why)
        number, alias = addressed(version)
        answering = answering_version(model, number, alias)
        asked = rows_of(sent, binary, columns_from_json(answering.features), settings.MAX_PREDICTION_ROWS)
        answer = predict_once(
            once=once_of(request, body),
            model=model,
            rows=asked.rows,
            entity_keys=asked.entity_keys,
            by=actor(request),
            version=number,
            alias=alias,
            **options,
        )
        rows = list(BoundedAnswerBody(with_shares(answer, shares).predictions, many=True).data)
        outputs = chosen_outputs(sent, output_tensors(rows, model.problem_type))
        content, length = encoded(_head(answer, sent.id), outputs)
        response = HttpResponse(content, content_type="application/json")
        if any(as_bytes for _, as_bytes in outputs):
            response["Content-Type"], response[JSON_LENGTH] = "application/octet-stream", str(length)
        return tell_repeated(response, answer)


def addressed(version: str | None) -> tuple[int | None, str | None]:
    """Return the number or the alias by which an address names its version; neither for the champion."""
    if version is not None and version.isascii() and version.isdecimal() and len(version) <= LONGEST_NUMBER:
        return int(version), None
    return None, version


def _cut(body: bytes, length: str | None) -> tuple[bytes, bytes]:
    """Return the JSON of a body, and the bytes of tensors behind it."""
    if length is None:
        return body, b""
    if not (length.isascii() and length.isdecimal()) or int(length[:20]) > len(body):
        raise ParseError(f"{JSON_LENGTH} is not a length within the body.")
    return body[: int(length)], body[int(length) :]


def _options(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked for beside the prediction; parameters that are not ours are left alone."""
    mine = {name: value for name, value in parameters.items() if name in AnswerOptions().fields}
    serializer = AnswerOptions(data=mine)
    serializer.is_valid(raise_exception=True)
    options: dict[str, Any] = serializer.validated_data
    return options


def _head(answer: Answer, sent_id: str | None) -> dict[str, Any]:
    return {
        "model_name": answer.model,
        "model_version": "" if answer.version is None else str(answer.version),
        "id": sent_id or answer.request_id,
        "parameters": {
            "request_id": answer.request_id,
            "engine": answer.engine or "",
            "latency_ms": answer.latency_ms,
        },
    }
