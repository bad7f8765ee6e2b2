"""The sidebar: the loop from data to decisions, then the organisation."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

from mlplatform.admin.extensions import navigation_badges
from mlplatform.tenancy.permissions import Capability, capabilities_of, needed_for
from mlplatform.tenancy.scope import active_tenant

GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Build",
        [
            ("Datasets", "database", "registry.dataset"),
            ("Data sources", "cable", "training.datasource"),
            ("Training jobs", "model_training", "training.trainingjob"),
            ("Schedules", "event_repeat", "training.retrainingschedule"),
        ],
    ),
    (
        "Run",
        [
            ("Models", "deployed_code", "registry.registeredmodel"),
            ("Versions", "layers", "registry.modelversion"),
            ("Promotion requests", "approval", "registry.promotionrequest"),
            ("Rollouts", "call_split", "registry.rollout"),
            ("Deployments", "rocket_launch", "registry.deployment"),
            ("Predictions", "online_prediction", "registry.prediction"),
            ("Batches", "table_view", "training.batchjob"),
            ("Outcomes", "fact_check", "feedback.outcome"),
        ],
    ),
    (
        "Watch",
        [
            ("Alerts", "notifications", "monitoring.alert"),
            ("Alert rules", "rule", "monitoring.alertrule"),
            ("Channels", "campaign", "monitoring.channel"),
            ("Deliveries", "outgoing_mail", "monitoring.delivery"),
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
            ("Teams", "groups", "tenancy.team"),
            ("Rights on models", "lock_person", "tenancy.grant"),
            ("API keys", "key", "tenancy.apikey"),
            ("Limits", "speed", "tenancy.usage"),
            ("Audit trail", "history", "tenancy.auditevent"),
            ("Personal data", "person_remove", "feedback.subjecterasure"),
        ],
    ),
    (
        "Installation",
        [
            ("Tenants", "apartment", "tenancy.tenant"),
            ("Accounts", "manage_accounts", "tenancy.user"),
            ("Sign-on rules", "account_tree", "identity.claimmapping"),
        ],
    ),
]
OWNER_TABLES = frozenset({"tenancy.tenant", "tenancy.user", "identity.claimmapping"})


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the theme's navigation with what this person may see; asks for the role once."""
    held = capabilities_of(request.user)
    inside = active_tenant() is not None
    dashboard = _item("Dashboard", "dashboard", "admin:index", inside)
    settings = _item("Settings", "settings", "admin:settings", Capability.ADMIN in held)
    retention = _item("Retention", "auto_delete", "admin:retention", Capability.ADMIN in held)
    docs = _item("API reference", "api", "api:docs", inside)
    groups: list[dict[str, Any]] = [{"items": [dashboard]}]
    for title, entries in GROUPS:
        items = [
            _item(name, icon, _list_name(table), _may_view(table, held, request), table)
            for name, icon, table in entries
        ]
        more = [retention, settings, docs] if title == "Organisation" else []
        groups.append({"title": title, "items": [*items, *more]})
    return groups


def tenant_switcher(request: HttpRequest) -> list[dict[str, Any]]:
    """Open the switcher for signed-in people; the template fills it with ``other_tenants``."""
    return [{"title": "Dashboard", "link": reverse_lazy("admin:index")}]


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what stands under the person's name: their own page about signing in."""
    return [{"title": "Security", "link": reverse_lazy("mfa_index")}]


def _item(title: str, icon: str, name: str, allowed: bool, table: str = "") -> dict[str, Any]:
    permission = _allow if allowed else _refuse
    item = {"title": title, "icon": icon, "link": reverse_lazy(name), "permission": permission}
    badge = navigation_badges[table]() if allowed and table in navigation_badges else ""
    return {**item, "badge": badge} if badge else item


def _allow(request: HttpRequest) -> bool:
    return True


def _refuse(request: HttpRequest) -> bool:
    return False


def _list_name(table: str) -> str:
    return f"admin:{table.replace('.', '_')}_changelist"


def _may_view(table: str, held: frozenset[Capability], request: HttpRequest) -> bool:
    if table in OWNER_TABLES:
        return bool(request.user.is_superuser)
    app_label, _, model = table.partition(".")
    return needed_for(f"{app_label}.view_{model}") in held
