"""Making a version's twin over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.representations import TwinBody
from registry.services.models import find_model
from registry.services.twins import twin_facts
from registry.services.versions import find_version
from training.services.twin_making import make_twin_of


class TwinView(PlatformView):
    """A version's twin in ONNX."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=None, responses=TwinBody)
    def post(self, request: Request, name: str, number: int) -> Response:
        """Make the twin anew by the model's tolerance, in place of the one before.

        Where it does not agree with the original, or cannot be made, there is none, and `reason` says why.
        """
        model = self.permitted(find_model(name))
        version = make_twin_of(version=find_version(model, number), by=actor(request))
        return Response(TwinBody(twin_facts(version)).data)
