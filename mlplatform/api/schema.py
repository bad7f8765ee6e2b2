"""How the OpenAPI document is made."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from mlplatform.addresses import speaks_open_inference
from mlplatform.api.problems import PROBLEM_TYPE, TITLES

# What any address may answer beside success; what needs somebody signed in; what takes a body.
ANYWHERE = (400, 404, 406, 503)
SIGNED_IN = (401, 403, 409, 422, 429)
WITH_BODY = (411, 413, 415)


class ProblemBody(serializers.Serializer[Any]):
    """What went wrong, as RFC 9457 has it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="What a program should look at.")
    detail = serializers.CharField(help_text="What a person should read.")
    request_id = serializers.CharField(allow_blank=True)
    errors = serializers.JSONField(  # type: ignore[assignment]  # the field's name in the body
        required=False, help_text="Which inputs are wrong, and why."
    )


class ErrorBody(serializers.Serializer[Any]):
    """What went wrong, as the Open Inference Protocol has it."""

    error = serializers.CharField()


class PlatformSchema(AutoSchema):
    """Adds what every endpoint may answer beside success."""

    def get_tags(self) -> list[str]:
        """Group the endpoints by the first part of their path."""
        parts = [part for part in self.path.removeprefix("/api/v1/").split("/") if part and part[0] != "{"]
        return ["open inference" if parts[0] == "v2" else parts[0]] if parts else ["api"]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        found: dict[str, Any] = super()._get_response_bodies(direction)
        problems = [*ANYWHERE, *(() if getattr(self.view, "public", False) else SIGNED_IN)]
        if self.method in {"POST", "PUT", "PATCH"}:
            problems += WITH_BODY
        shape, kind = (
            (ErrorBody, "application/json")
            if speaks_open_inference(self.path)
            else (ProblemBody, PROBLEM_TYPE)
        )
        for status in problems:
            if str(status) not in found:
                describe: Any = self._get_response_for_code
                body = describe(shape, str(status), [kind])
                found[str(status)] = {**body, "description": TITLES[status]}
        return found


class PlatformAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """Describes the two ways to sign in."""

    target_class = "mlplatform.api.authentication.PlatformAuthentication"
    name = ["apiKey", "session"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Return the OpenAPI security schemes."""
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "mlp_…"},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        ]
