"""Bringing past predictions in over REST."""

from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from typing import IO, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.services.past import import_past
from feedback.services.past_files import PastForm
from feedback.services.past_rows import COLUMNS, columns_in
from mlplatform.api.parsers import BodyTooLarge
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.repeating import KEY_PARAMETER, once_of, tell_repeated
from registry.services.done_once import done_once
from registry.services.models import find_model

MAX_BYTES = 100_000_000
MAX_LINES = 100_000
PARQUET = "application/vnd.apache.parquet"


class PastCsv(BaseParser):
    """A CSV body, as it is."""

    media_type = "text/csv"
    form = PastForm.CSV

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the form and the bytes; raises BodyTooLarge."""
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise BodyTooLarge(f"The body is larger than {MAX_BYTES:,} bytes. Send it in several parts.")
        return self.form, body


class PastJsonLines(PastCsv):
    """A body of JSON Lines."""

    media_type = "application/x-ndjson"
    form = PastForm.JSON_LINES


class PastParquet(PastCsv):
    """A Parquet file."""

    media_type = PARQUET
    form = PastForm.PARQUET


class PastQuery(StrictSerializer):
    """How past predictions are to be taken."""

    version = serializers.IntegerField(
        required=False, min_value=1, help_text="The version of lines that name none; else the champion."
    )
    partial = serializers.BooleanField(  # type: ignore[assignment]  # the name in the address
        default=False, help_text="Import the good lines where some are wrong; otherwise none is."
    )
    preview = serializers.BooleanField(default=False, help_text="Only tell what would come of it.")
    columns = serializers.RegexField(
        r"^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*$",
        required=False,
        max_length=2_000,
        help_text="Which columns tell what, where they have other names: "
        "predicted_at=time,prediction=answer. "
        f"What can be told: {', '.join(COLUMNS)}.",
    )

    def validate_columns(self, text: str) -> dict[str, str]:
        """Return the file's columns by what they tell."""
        return columns_in(text)


class PastErrorBody(serializers.Serializer[Any]):
    """Why a line was left out."""

    line = serializers.IntegerField(help_text="Counted from 1 below the header.")
    code = serializers.CharField()
    message = serializers.CharField()


class PastResultBody(serializers.Serializer[Any]):
    """What came of a file of past predictions."""

    lines = serializers.IntegerField()
    predictions = serializers.IntegerField(help_text="Predictions that were added.")
    outcomes = serializers.IntegerField(help_text="Outcomes that were added.")
    repeated = serializers.IntegerField(help_text="Lines that were known already.")
    refused = serializers.IntegerField()
    errors = PastErrorBody(many=True)  # type: ignore[assignment]  # the field's name in the answer
    first_at = serializers.DateTimeField(allow_null=True, help_text="When the oldest prediction was made.")
    last_at = serializers.DateTimeField(allow_null=True)
    known_file = serializers.BooleanField(help_text="The very same file was imported before.")


class PastPredictionsView(PlatformView):
    """A model's past predictions."""

    capabilities = {"post": Capability.FEEDBACK}
    of_a_model = True
    parser_classes = (PastCsv, PastJsonLines, PastParquet)

    @extend_schema(
        parameters=[PastQuery, KEY_PARAMETER],
        request={
            "text/csv": OpenApiTypes.STR,
            "application/x-ndjson": OpenApiTypes.STR,
            PARQUET: OpenApiTypes.BINARY,
        },
        responses={201: PastResultBody, 200: PastResultBody},
    )
    def post(self, request: Request, name: str) -> Response:
        """Import up to 100,000 past predictions with their outcomes: CSV, JSON Lines or Parquet.

        Columns: the model's features, predicted_at, prediction; where they are known probability or
        p_<class>, score, outcome, observed_at, entity_key, version. All or none, unless partial is true. A
        line that is sent again adds nothing. Imported predictions are marked, and count as no served traffic.
        """
        model = self.permitted(find_model(name))
        query = PastQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked: dict[str, Any] = query.validated_data
        sent: Any = request.data  # of an empty body there is nothing to parse
        form, body = sent or (PastForm.CSV, b"")

        def do() -> dict[str, Any]:
            result = import_past(
                model=model,
                file=BytesIO(body),
                name=f"sent by {actor(request).label}",
                form=form,
                by=actor(request),
                most=MAX_LINES,
                **asked,
            )
            return dict(PastResultBody(asdict(result)).data)

        once = None if asked["preview"] else once_of(request, body)
        done = done_once(once=once, by=actor(request), do=do, model=model)
        code = status.HTTP_200_OK if asked["preview"] else status.HTTP_201_CREATED
        return tell_repeated(Response(done.told, status=code), done)
