"""What each page outside the REST API needs: the stated policy, against which the crawler measures.

A page that is not stated here fails ``tests/architecture/test_routes.py``, where the API's policy stands, and
so does an entry whose page is gone.
"""

from collections.abc import Iterator

PUBLIC, SIGNED_IN, MEMBER, OWNER, NOBODY = "public", "signed in", "member", "owner", "nobody"
KEY = "api key"  # any key, whatever its scopes, and no person

# For each table of the console: what seeing its list and pages needs, then each of its other pages.
CONSOLE: dict[str, dict[str, str]] = {
    "feedback.heldoutcome": {"view": "view"},
    "feedback.historyimport": {"view": "view", "import-file": "feedback"},
    "feedback.labelitem": {"view": "view", "label": "feedback", "decide": "feedback"},
    "feedback.quarantine": {"view": "view", "release": "approve", "reject": "approve"},
    "feedback.outcome": {"view": "view", "add": "feedback", "import-file": "feedback"},
    "feedback.rating": {"view": "view"},
    "feedback.subjecterasure": dict.fromkeys(("view", "look-up", "export", "erase"), "admin"),
    "identity.claimmapping": {"view": OWNER, "add": OWNER, "remove": OWNER},
    "monitoring.alert": {
        "view": "view",
        "acknowledge": "monitor",
        "snooze": "monitor",
        "wake": "monitor",
        "assign": "monitor",
        "resolve": "monitor",
    },
    "monitoring.alertrule": {"view": "view", "add": "monitor", "edit": "monitor", "remove": "monitor"},
    "monitoring.channel": dict.fromkeys(("view", "add", "test", "edit", "remove"), "admin"),
    "monitoring.delivery": {"view": "admin", "resend": "admin"},
    "monitoring.driftreport": {"view": "view"},
    "monitoring.performancesnapshot": {"view": "view"},
    "monitoring.reportschedule": dict.fromkeys(("view", "add", "send", "edit", "remove"), "admin"),
    "monitoring.retrainingdecision": {"view": "view"},
    "monitoring.retrainingpolicy": {"view": "view", "edit": "monitor", "preview": "view"},
    "registry.dataset": {
        "view": "view",
        "add": "data",
        "anonymised": "data",
        "columns": "data",
        "difference": "view",
        "schema": "data",
        "train": "train",
    },
    "registry.deployment": {"view": "view"},
    "registry.modelversion": {
        "view": "view",
        "reproduce": "train",
        "card": "view",
        "promote": "deploy",
        "propose": "train",
        "roll-out": "deploy",
        "report": "view",
        "tags": "train",
        "twin": "train",
        "words": "train",
        "export": "train",
        "compare": "view",
    },
    "registry.promotionrequest": {
        "view": "view",
        "approve": "approve",
        "reject": "approve",
        "comment": "train",
        "withdraw": "train",
    },
    "registry.rollout": {
        "view": "view",
        "ramp": "deploy",
        "pause": "deploy",
        "resume": "deploy",
        "weigh": "monitor",
        "promote": "deploy",
        "stop": "deploy",
    },
    "registry.prediction": {"view": "view", "explain": "view"},
    "registry.registeredmodel": {
        "view": "view",
        "add": "train",
        "edit": "train",
        "tags": "train",
        "words": "train",
        "best": "view",
        "past": "view",
        "import-archive": "train",
        "export": "train",
        "import-version": "train",
        "gates": "approve",
        "alias": "deploy",
        "columns": "train",
        "treat-log": "admin",
        "retention": "admin",
        "roll-back": "deploy",
        "rollback-check": "view",
        "check": "monitor",
        "drift-settings": "monitor",
        "feedback-settings": "approve",
        "monitoring": "view",
        "report": "view",
        "slices": "monitor",
        "compare-reference": "train",
        "policy": "monitor",
        "retrain": "train",
    },
    "tenancy.apikey": {
        "view": "admin",
        "add": "admin",
        "rotate": "admin",
        "limit": "admin",
        "revoke": "admin",
    },
    "tenancy.auditevent": {"view": "admin", "export": "admin"},
    "tenancy.grant": {"view": "admin", "add": "admin", "edit": "admin", "withdraw": "admin"},
    "tenancy.membership": {
        "view": "admin",
        "add": "admin",
        "change-role": "admin",
        "new-link": "admin",
        "unlock": "admin",
        "remove": "admin",
    },
    "tenancy.team": {"view": "admin", "add": "admin", "edit": "admin", "remove": "admin"},
    "tenancy.tenant": dict.fromkeys(("view", "add", "set-limits", "deactivate", "activate"), OWNER),
    "tenancy.usage": {"view": "admin"},
    "tenancy.user": dict.fromkeys(
        ("view", "new-link", "unlock", "remove-second-factors", "deactivate", "activate"), OWNER
    ),
    "training.batchjob": {
        "view": "view",
        "add": "predict",
        "download": "predict",
        "errors": "predict",
        "cancel": "predict",
        "progress": "view",
    },
    "training.datasource": {
        "view": "view",
        "add": "data",
        "snapshot": "data",
        "preview": "data",
        "edit": "data",
        "remove": "data",
    },
    "training.retrainingschedule": {
        "view": "view",
        "add": "monitor",
        "edit": "monitor",
        "run": "train",
        "pause": "monitor",
        "resume": "monitor",
        "remove": "monitor",
    },
    "training.trainingjob": {
        "view": "view",
        "add": "train",
        "cancel": "train",
        "progress": "view",
        "retry": "train",
        "priority": "train",
        "compare": "view",
        "train-all": "train",
    },
}
# Pages of no table, by their path.
PAGES: dict[str, str] = {
    "": PUBLIC,
    "set-password/{uidb64}/{token}/": PUBLIC,
    "account/login/": PUBLIC,
    "account/passkey/": PUBLIC,
    "account/second-step/": PUBLIC,
    "account/confirm/": SIGNED_IN,
    "account/confirm/code/": SIGNED_IN,
    "account/confirm/passkey/": SIGNED_IN,
    "account/confirm/sign-on/": SIGNED_IN,
    "account/security/": SIGNED_IN,
    "account/security/app/": SIGNED_IN,
    "account/security/app/remove/": SIGNED_IN,
    "account/security/codes/": SIGNED_IN,
    "account/security/codes/new/": SIGNED_IN,
    "account/security/passkeys/": PUBLIC,
    "account/security/passkeys/new/": SIGNED_IN,
    "account/security/passkeys/{pk}/": SIGNED_IN,
    "account/security/passkeys/{pk}/remove/": SIGNED_IN,
    "account/security/sessions/end/": SIGNED_IN,
    "account/sign-on/": SIGNED_IN,
    "account/sign-on/cancelled/": PUBLIC,
    "account/sign-on/unknown/": PUBLIC,
    "account/sign-on/with/{provider_id}/": PUBLIC,
    "account/sign-on/with/{provider_id}/back/": PUBLIC,
    "admin/": MEMBER,
    "admin/report/": "admin",
    "admin/settings/": "admin",
    "admin/health/": MEMBER,
    "admin/retention/": "admin",
    "admin/login/": PUBLIC,
    "admin/logout/": PUBLIC,
    "admin/password_change/": SIGNED_IN,
    "admin/password_change/done/": SIGNED_IN,
    "admin/jsi18n/": SIGNED_IN,
    "admin/switch-tenant/": SIGNED_IN,
    "admin/search/": MEMBER,
    "admin/{app_label}/": MEMBER,
    "admin/{url}": MEMBER,
    "metrics": NOBODY,  # but the operator's Prometheus, with a token of its own
}


def stated() -> dict[str, str]:
    """Return every stated policy by the page's path."""
    return PAGES | {
        path: policy for table, pages in CONSOLE.items() for path, policy in _of_table(table, pages)
    }


def _of_table(table: str, pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    base = f"admin/{table.replace('.', '/')}/"
    row = f"{base}{{object_id}}/"
    seeing = pages["view"]
    yield from ((base, seeing), (f"{row}change/", seeing))
    yield row, MEMBER  # leads on to the page
    yield f"{base}add/", pages.get("add", NOBODY)
    yield f"{row}history/", OWNER if seeing == OWNER else "admin"
    yield f"{row}delete/", NOBODY
    for page in pages.keys() - {"view", "add"}:
        of_list = not OF_LISTS.isdisjoint({page, f"{table} {page}"})
        yield f"{base if of_list else row}{page}/", pages[page]


# Commands on a whole list, with the table where another one has the name on a row; all others are on one row.
OF_LISTS = frozenset(
    {
        *("training.trainingjob compare", "tenancy.auditevent export", "feedback.subjecterasure export"),
        "feedback.labelitem label",
        *("erase", "import-archive", "import-file", "look-up", "train-all"),
    }
)
