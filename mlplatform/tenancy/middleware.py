"""Gives each request its id and its tenant, before any view runs."""

from collections.abc import Callable
from typing import cast

from django.db import connection
from django.http import HttpRequest, HttpResponse

from mlplatform.addresses import is_for_programs
from mlplatform.tenancy.authentication import InvalidApiKey, authenticate_key, key_in_header
from mlplatform.tenancy.models import ApiKey, Tenant, User
from mlplatform.tenancy.permissions import hold_rights
from mlplatform.tenancy.refusals import record_limits, record_refusal, was_refused
from mlplatform.tenancy.request_context import accepted_request_id, client_address, request_context
from mlplatform.tenancy.scope import active_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.second_factors import lacks_second_factor
from mlplatform.tenancy.selection import chosen_tenant, note_demanding
from mlplatform.tenancy.services.sign_ins import record_refused_key

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestContextMiddleware:
    """Ties answer, log lines and audit rows together by ``X-Request-ID``."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Run the request inside its context and return its id to the client."""
        request_id = accepted_request_id(request.headers.get("X-Request-ID"))
        with request_context(request_id=request_id, address=client_address(request)):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class TenancyMiddleware:
    """Finds who asks and for which tenant, and holds that tenant's scope around all that follows.

    An API key belongs to one tenant. A session has a chosen one, checked against a membership on every
    request. Anonymous requests get no scope at all, so whatever they touch stays closed; neither does a
    person without the second factor that the tenant demands. The scope shows those models alone that the
    key or the person may see.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Open the scope."""
        tenant = self._identify(request)
        request.tenant = tenant  # type: ignore[attr-defined]  # read by views and templates
        if tenant is None:
            return self.get_response(request)
        with tenant_scope(tenant):
            rights = hold_rights(request.api_key or request.user)  # type: ignore[attr-defined]  # set above
        with tenant_scope(tenant, rights.sight):
            response = self.get_response(request)
            # After the request's own transaction, so that undoing it does not undo the entry.
            if was_refused(request, response):
                record_refusal(request, response)
            record_limits(request)
        return response

    def _identify(self, request: HttpRequest) -> Tenant | None:
        request.api_key = None  # type: ignore[attr-defined]  # read by PlatformAuthentication
        request.api_key_error = None  # type: ignore[attr-defined]
        if is_for_programs(request.path) and (secret := key_in_header(request)):
            try:
                key: ApiKey = authenticate_key(secret)
            except InvalidApiKey as error:
                request.api_key_error = error  # type: ignore[attr-defined]
                if error.key is not None:
                    record_refused_key(key=error.key, reason=error.reason)
                return None
            request.api_key = key  # type: ignore[attr-defined]
            return key.tenant
        tenant = chosen_tenant(request)
        if tenant is not None and lacks_second_factor(cast(User, request.user), tenant):
            note_demanding(request, tenant)
            return None
        return tenant


class TenantTransactionMiddleware:
    """Holds, on PostgreSQL, one transaction of the tenant around the whole response, rendering included.

    On SQLite a transaction around each request would queue every request behind the last one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer inside the transaction where there is a tenant."""
        if active_tenant() is None or connection.vendor != "postgresql":
            return self.get_response(request)
        with tenant_transaction():
            return self.get_response(request)
