"""Choosing the tenant to work for."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.refusals import mark_refused
from mlplatform.tenancy.second_factors import lacks_second_factor
from mlplatform.tenancy.selection import choose_tenant, tenants_to_choose
from mlplatform.tenancy.services.sign_ins import record_entered


def switch_tenant(request: HttpRequest) -> HttpResponse:
    """Work for another tenant from now on; one that the person may not see counts as missing."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    wanted = request.POST.get("tenant", "")
    tenant = choose_tenant(request, int(wanted)) if wanted.isdecimal() else None
    if tenant is None:
        mark_refused(request)
        messages.error(request, "There is no such tenant among yours.")
    else:
        record_entered(tenant=tenant, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        if not lacks_second_factor(request.user, tenant):  # type: ignore[arg-type]  # signed in
            messages.success(request, f"You now work for {tenant.name}.")
    return redirect("admin:index")


def choose_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask which tenant to work for, or say why there is none."""
    tenants = tenants_to_choose(request)
    words = {"title": "Choose a tenant", "content_title": "Choose a tenant", "tenants": tenants}
    return TemplateResponse(request, "admin/pages/choose_tenant.html", {**context, **words})
