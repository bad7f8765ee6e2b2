"""How identifying a dataset is, and anonymised copies of it, over REST."""

import json

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability
from registry.api.serializers import AnonymisedRequest, AnonymityRequest
from registry.privacy.release import Choice
from registry.services.anonymised import MEDIA_TYPES, export_anonymised, measure
from registry.services.datasets import find_dataset

COST = ("rows_suppressed", "information_lost")  # with the figures after, short enough for a header


class AnonymityView(PlatformView):
    """How identifying a dataset is."""

    capabilities = {"post": Capability.DATA}

    @extend_schema(request=AnonymityRequest, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: int) -> Response:
        """Return the figures of the data as it stands, and of the copy that could be taken out."""
        dataset = self.permitted(find_dataset(pk))
        choice = Choice(**self.validated(AnonymityRequest))
        return Response(measure(dataset=dataset, choice=choice, by=actor(request)))


class AnonymisedView(PlatformView):
    """Anonymised copies of a dataset."""

    capabilities = {"post": Capability.DATA}

    @extend_schema(
        request=AnonymisedRequest,
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in MEDIA_TYPES.values()},
    )
    def post(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Send the copy; its figures stand in the header ``X-Anonymity`` as JSON."""
        dataset = self.permitted(find_dataset(pk))
        asked = self.validated(AnonymisedRequest)
        form = asked.pop("format")
        export, facts = export_anonymised(
            dataset=dataset, choice=Choice(**asked), form=form, by=actor(request)
        )
        answer = as_download(export)
        answer["X-Anonymity"] = json.dumps({**facts["after"], **{name: facts[name] for name in COST}})
        return answer
