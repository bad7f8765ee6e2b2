"""The console: one site, closed to whoever works for no tenant."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

from mlplatform.admin.dashboard import dashboard_context
from mlplatform.admin.extensions import console_pages
from mlplatform.admin.navigation import sidebar
from mlplatform.admin.switching import choose_page, switch_tenant
from mlplatform.identity.proofs import demand_recent_proof
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.scope import active_tenant
from mlplatform.tenancy.selection import demanding_tenant, tenants_to_choose
from mlplatform.tenancy.services.sign_ins import record_of_account

View = Callable[..., HttpResponse]
WITHOUT_TENANT = frozenset({"logout", "password_change", "password_change_done", "jsi18n", "switch_tenant"})
LEFT_OUT = frozenset({"view_on_site", "autocomplete"})
OWNER_PAGES = ("tenancy_tenant_", "tenancy_user_", "identity_claimmapping_")
# What the theme has for every page alike, whoever asks.
ALIKE = (
    "account_links",
    "border_radius",
    "colors",
    "command_show_history",
    "environment",
    "environment_title_prefix",
    "form_classes",
    "language_flags",
    "languages_action",
    "languages_list",
    "login_image",
    "show_back_button",
    "show_history",
    "show_languages",
    "show_view_on_site",
    "sidebar_command_search",
    "sidebar_show_all_applications",
    "sidebar_show_search",
    "site_dropdown",
    "site_icon",
    "site_logo",
    "site_subheader",
    "site_symbol",
    "site_title",
    "styles",
    "scripts",
    "tab_list",
    "theme",
)


class ConsoleSite(UnfoldAdminSite):
    """The theme's site with sign-in by e-mail, a tenant at the top, and a dashboard of the loop."""

    site_title = site_header = "ML platform"
    index_title = "Dashboard"
    enable_nav_sidebar = True
    final_catch_all_view = True
    _alike: dict[str, Any] | None = None

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Guard a view: signed in, and working for a tenant."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if active_tenant() is None and not _works_without_tenant(request):
                if demanding_tenant(request) is not None:
                    return redirect("mfa_index")
                return choose_page(request, self.each_context(request))
            return view(request, *args, **kwargs)

        guarded: View = super().admin_view(update_wrapper(inner, view), cacheable)
        return guarded

    def get_urls(self) -> list[URLPattern]:
        """Add the tenant switch and the pages that show no table.

        Django's redirect by content type, which knows no tenant, is left out, and its suggestions, which no
        form of ours asks for.
        """
        switch = path("switch-tenant/", self.admin_view(switch_tenant), name="switch_tenant")
        pages = [path(f"{name}/", self.admin_view(view), name=name) for name, view in console_pages.items()]
        kept = (url for url in super().get_urls() if getattr(url, "name", "") not in LEFT_OUT)
        return [switch, *pages, *kept]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the page that signs people in; the console has none of its own."""
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change one's own password and record that it was changed, together; other sessions end."""
        demand_recent_proof(request)
        with transaction.atomic():
            answer: HttpResponse = super().password_change(request, extra_context)
            user = request.user
            if request.method == "POST" and answer.status_code == 302 and isinstance(user, User):
                record_of_account(user=user, action="account.password_changed", by=Actor.of(user))
        return answer

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return one app's tables; for all apps the sidebar stands, which asks for the role once."""
        tables: list[Any] = [] if app_label is None else super().get_app_list(request, app_label)
        return tables

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page's frame is drawn from.

        The theme would work out anew for each page what is the same on all: it is asked once.
        """
        if self._alike is None:
            whole = super().each_context(request)
            self._alike = {name: whole[name] for name in ALIKE}
        own: dict[str, Any] = AdminSite.each_context(self, request) | self._alike
        navigation = self.get_sidebar_list(request) if own["has_permission"] else []
        return self.extra_context({**own, "sidebar_navigation": navigation}, request)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the navigation, which knows by itself what is active and allowed."""
        return sidebar(request)

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """Show the tenant at the top, and those that the person may switch to."""
        tenant = active_tenant()
        others = [other for other in tenants_to_choose(request) if other != tenant]
        name = tenant.name if tenant else context["site_header"]
        icon = [{"href": static("platform/icon.svg"), "rel": "icon", "type": "image/svg+xml"}]
        mine = {"tenant": tenant, "other_tenants": others, "site_header": name, "site_url": None}
        return {**context, **mine, "site_favicons": icon}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the dashboard."""
        request.current_app = self.name
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "content_title": self.index_title,
            "is_fullwidth": "1",
            **dashboard_context(request),
        }
        return TemplateResponse(request, "admin/pages/dashboard.html", context)


def _works_without_tenant(request: HttpRequest) -> bool:
    name = request.resolver_match.url_name or "" if request.resolver_match else ""
    owner = isinstance(request.user, User) and request.user.is_superuser
    return name in WITHOUT_TENANT or (owner and name.startswith(OWNER_PAGES))


console = ConsoleSite(name="admin")
