"""Outcomes in bulk over REST, and how late they come."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from io import BytesIO
from typing import IO, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.api.serializers import HoldSerializer, LabelDelayBody, OutcomeResultSerializer
from feedback.services.delays import label_delay
from feedback.services.imports import import_outcomes
from feedback.services.outcome_files import LineForm
from feedback.services.outcomes import MAX_OUTCOMES
from mlplatform.api.parsers import BodyTooLarge
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.repeating import HEADER, KEY_PARAMETER, once_of, tell_repeated
from registry.services.done_once import done_once
from registry.services.models import find_model

MAX_BYTES = 100_000_000
MOST_ERRORS = 1_000


class CsvBody(BaseParser):
    """A CSV body, left in the connection to be read line by line."""

    media_type = "text/csv"
    form = LineForm.CSV

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the form and the stream; raises BodyTooLarge for what announces too much."""
        announced = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        if announced > MAX_BYTES:  # no more than the announced length is ever read
            raise BodyTooLarge(f"The body is larger than {MAX_BYTES:,} bytes. Send it in several parts.")
        return self.form, stream


class JsonLinesBody(CsvBody):
    """A body of JSON Lines."""

    media_type = "application/x-ndjson"
    form = LineForm.JSON_LINES


class JsonlBody(JsonLinesBody):
    """The same by its other name."""

    media_type = "application/jsonl"


class BulkQuery(HoldSerializer):
    """How a bulk call is to be taken."""

    model = serializers.CharField(
        max_length=100, default="", help_text="The model of entity keys in lines that name none."
    )
    partial = serializers.BooleanField(  # type: ignore[assignment]  # the name in the address
        default=False, help_text="Record the good lines where some are wrong; otherwise none is recorded."
    )
    preview = serializers.BooleanField(default=False, help_text="Only tell what would come of it.")


class OutcomesInBulkView(PlatformView):
    """Outcomes, line by line."""

    capabilities = {"post": Capability.FEEDBACK}
    of_a_model = True
    parser_classes = (CsvBody, JsonLinesBody, JsonlBody)

    @extend_schema(
        parameters=[BulkQuery, KEY_PARAMETER],
        request={"text/csv": OpenApiTypes.STR, "application/x-ndjson": OpenApiTypes.STR},
        responses={201: OutcomeResultSerializer, 200: OutcomeResultSerializer},
    )
    def post(self, request: Request) -> Response:
        """Record up to 100,000 outcomes, one in a line: CSV with a header, or JSON Lines.

        Columns, or names: prediction_id, or entity_key and model; outcome, rating or comment; observed_at
        where it is known. All or none, unless partial is true. The first 1,000 errors are listed; refused
        says how many there are. Those whose prediction is not known are held, and told likewise.
        """
        query = BulkQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked: dict[str, Any] = {**query.validated_data}
        asked["hold_unknown"] = asked.pop("hold")
        body: Any = request.data  # of an empty body there is nothing to parse
        form, lines = body or (LineForm.CSV, BytesIO())
        once = None
        if HEADER in request.headers and not asked["preview"]:
            whole = lines.read(MAX_BYTES)  # what is to be done once is read at once: its digest comes first
            once, lines = once_of(request, whole), BytesIO(whole)

        def do() -> dict[str, Any]:
            return self._recorded(request, lines, form, asked)

        done = done_once(once=once, by=actor(request), do=do)
        code = status.HTTP_200_OK if asked["preview"] else status.HTTP_201_CREATED
        return tell_repeated(Response(done.told, status=code), done)

    def _recorded(
        self, request: Request, lines: IO[bytes], form: LineForm, asked: dict[str, Any]
    ) -> dict[str, Any]:
        result = import_outcomes(
            file=lines,
            form=form,
            source="api",
            most=MAX_OUTCOMES,
            by=actor(request),
            check=lambda model: self.check_object_permissions(request, model),
            **asked,
        )
        listed = replace(result, errors=result.errors[:MOST_ERRORS], waiting=result.waiting[:MOST_ERRORS])
        return {**OutcomeResultSerializer(listed).data, "refused": result.refused, "held": result.held}


class LabelDelayView(PlatformView):
    """How late a model's outcomes come."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=LabelDelayBody)
    def get(self, request: Request, name: str) -> Response:
        """Return the median delay and the one that nine tenths of the outcomes kept."""
        model = find_model(name)
        return Response(LabelDelayBody({"model": model.name, **asdict(label_delay(model))}).data)
