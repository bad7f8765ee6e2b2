"""How the OpenAPI document is made."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class PlatformSchema(AutoSchema):
    """Adds what every endpoint may answer beside success."""

    def get_tags(self) -> list[str]:
        """Group the endpoints by the first part of their path."""
        parts = [part for part in self.path.removeprefix("/api/v1/").split("/") if part and part[0] != "{"]
        return [parts[0]] if parts else ["api"]


class PlatformAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """Describes the two ways to sign in."""

    target_class = "mlplatform.api.authentication.PlatformAuthentication"
    name = ["apiKey", "session"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Return the OpenAPI security schemes."""
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "mlp_…"},
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        ]
