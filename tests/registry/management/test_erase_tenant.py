"""A tenant is erased by command, and only when it is meant."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import Tenant
from tests.plugins.application_role import as_owner


def run(*arguments: str) -> Any:
    out = io.StringIO()
    with as_owner():
        call_command("erase_tenant", *arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def test_without_the_name_once_more_it_only_tells(tenant: Tenant) -> None:
    told = run("--tenant", "clinic")
    assert told["rows"]["tenancy.auditevent"] == 1
    assert told["result"] == "Nothing was deleted. To erase it: --yes-erase clinic"
    with pytest.raises(CommandError, match="Repeat its short name"):
        run("--tenant", "clinic", "--yes-erase", "winery")
    assert Tenant.objects.filter(slug="clinic", is_active=True).exists()


def test_the_receipt_is_shown_and_kept(tenant: Tenant) -> None:
    receipt = run("--tenant", "clinic", "--yes-erase", "clinic")
    assert (receipt["slug"], receipt["rows"]["tenancy.auditevent"]) == ("clinic", 2)
    [kept] = run("--receipts")
    assert (kept["slug"], kept["audit_anchor"]) == ("clinic", receipt["audit_anchor"])
    with pytest.raises(CommandError, match="no tenant 'clinic'"):
        run("--tenant", "clinic", "--yes-erase", "clinic")


def test_somebody_must_say_which(db: None) -> None:
    with pytest.raises(CommandError, match="Say which tenant"):
        run("--yes-erase", "clinic")
