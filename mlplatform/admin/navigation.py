"""The sidebar: the loop from data to decisions, then the organisation."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

from mlplatform.tenancy.scope import active_tenant

GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Build",
        [
            ("Datasets", "database", "registry.dataset"),
            ("Training jobs", "model_training", "training.trainingjob"),
            ("Schedules", "event_repeat", "training.retrainingschedule"),
        ],
    ),
    (
        "Run",
        [
            ("Models", "deployed_code", "registry.registeredmodel"),
            ("Versions", "layers", "registry.modelversion"),
            ("Deployments", "rocket_launch", "registry.deployment"),
            ("Predictions", "online_prediction", "registry.prediction"),
            ("Outcomes", "fact_check", "feedback.outcome"),
        ],
    ),
    (
        "Watch",
        [
            ("Alerts", "notifications", "monitoring.alert"),
            ("Alert rules", "rule", "monitoring.alertrule"),
            ("Performance", "monitoring", "monitoring.performancesnapshot"),
            ("Drift reports", "ssid_chart", "monitoring.driftreport"),
            ("Retraining policies", "policy", "monitoring.retrainingpolicy"),
            ("Retraining decisions", "account_tree", "monitoring.retrainingdecision"),
        ],
    ),
    (
        "Organisation",
        [
            ("Members", "group", "tenancy.membership"),
            ("API keys", "key", "tenancy.apikey"),
            ("Audit trail", "history", "tenancy.auditevent"),
        ],
    ),
    (
        "Installation",
        [("Tenants", "apartment", "tenancy.tenant"), ("Accounts", "manage_accounts", "tenancy.user")],
    ),
]
OWNER_TABLES = frozenset({"tenancy.tenant", "tenancy.user"})
BADGES = {"monitoring.alert": "monitoring.admin.loop.open_alerts_badge"}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the theme's navigation with what this person may see."""
    dashboard = {
        "title": "Dashboard",
        "icon": "dashboard",
        "link": reverse_lazy("admin:index"),
        "permission": _in_tenant,
    }
    docs = {
        "title": "API reference",
        "icon": "api",
        "link": reverse_lazy("api:docs"),
        "permission": _in_tenant,
    }
    groups: list[dict[str, Any]] = [{"items": [dashboard]}]
    for title, entries in GROUPS:
        items = [_item(*entry) for entry in entries]
        groups.append({"title": title, "items": [*items, docs] if title == "Organisation" else items})
    return groups


def tenant_switcher(request: HttpRequest) -> list[dict[str, Any]]:
    """Open the switcher for signed-in people; the template fills it with ``other_tenants``."""
    return [{"title": "Dashboard", "link": reverse_lazy("admin:index")}]


def _item(title: str, icon: str, table: str) -> dict[str, Any]:
    app_label, _, model = table.partition(".")
    item = {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app_label}_{model}_changelist"),
        "permission": _may_view(table),
    }
    return {**item, "badge": BADGES[table]} if table in BADGES else item


def _may_view(table: str) -> Callable[[HttpRequest], bool]:
    app_label, _, model = table.partition(".")

    def permission(request: HttpRequest) -> bool:
        if table in OWNER_TABLES:
            return bool(request.user.is_superuser)
        return _in_tenant(request) and request.user.has_perm(f"{app_label}.view_{model}")  # type: ignore[union-attr]  # signed in

    return permission


def _in_tenant(request: HttpRequest) -> bool:
    return active_tenant() is not None
