"""The sidebar: the loop from data to decisions, then the organisation."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy

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
            ("Labelling", "label", "feedback.labelitem"),
            ("Quarantine", "shield", "feedback.quarantine"),
            ("Held outcomes", "hourglass_empty", "feedback.heldoutcome"),
            ("Imported history", "history_edu", "feedback.historyimport"),
            ("Ratings", "thumbs_up_down", "feedback.rating"),
        ],
    ),
    (
        "Watch",
        [
            ("Alerts", "notifications", "monitoring.alert"),
            ("Alert rules", "rule", "monitoring.alertrule"),
            ("Channels", "campaign", "monitoring.channel"),
            ("Deliveries", "outgoing_mail", "monitoring.delivery"),
            ("Report schedules", "schedule_send", "monitoring.reportschedule"),
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

Entry = tuple[str, str, str, bool]  # title, icon, name of the address, whether it is allowed


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the navigation's groups, each with what this person may see; asks for the role once."""
    held = capabilities_of(request.user)
    inside = active_tenant() is not None
    groups = [{"title": "", "items": _entries(request, [("Dashboard", "dashboard", "admin:index", inside)])}]
    for title, tables in GROUPS:
        lists = [
            (name, icon, _list_name(table), _may_view(table, held, request)) for name, icon, table in tables
        ]
        first, last = _pages(title, held, inside)
        badges = {_list_name(table): navigation_badges.get(table) for _, _, table in tables}
        groups.append({"title": title, "items": _entries(request, [*first, *lists, *last], badges)})
    return groups


def tenant_switcher(request: HttpRequest) -> list[dict[str, Any]]:
    """Open the switcher for signed-in people; the template fills it with ``other_tenants``."""
    return [{"title": "Dashboard", "link": reverse_lazy("admin:index")}]


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what stands under the person's name: their own page about signing in."""
    return [{"title": "Security", "link": reverse_lazy("mfa_index")}]


def _pages(title: str, held: frozenset[Capability], inside: bool) -> tuple[list[Entry], list[Entry]]:
    """Return the group's pages that show no table: those before its lists, and those after them."""
    if title == "Watch":
        return [("Health", "monitor_heart", "admin:health", inside)], []
    if title != "Organisation":
        return [], []
    admin = Capability.ADMIN in held
    return [], [
        ("Report", "summarize", "admin:report", admin),
        ("Retention", "auto_delete", "admin:retention", admin),
        ("Settings", "settings", "admin:settings", admin),
        ("API reference", "api", "api:docs", inside),
    ]


def _entries(
    request: HttpRequest,
    wanted: Sequence[Entry],
    badges: Mapping[str, Callable[[], str] | None] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Return the entries that are allowed: title, icon, address, badge, and whether the page is below it."""
    found = []
    for title, icon, name, allowed in wanted:
        if allowed:
            link, badge = reverse(name), badges.get(name)
            active = request.path == link or (name != "admin:index" and link in request.path)
            shown = badge() if badge else ""
            found.append({"title": title, "icon": icon, "link": link, "active": active, "badge": shown})
    return found


def _list_name(table: str) -> str:
    return f"admin:{table.replace('.', '_')}_changelist"


def _may_view(table: str, held: frozenset[Capability], request: HttpRequest) -> bool:
    if table in OWNER_TABLES:
        return bool(request.user.is_superuser)
    app_label, _, model = table.partition(".")
    return needed_for(f"{app_label}.view_{model}") in held
