"""Channels from the command line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from mlplatform.tenancy.models import Tenant
from tests.web import Said, web_server


def run(*arguments: str) -> Any:
    told = io.StringIO()
    call_command("channels", "--tenant=clinic", "--json", *arguments, stdout=told)
    return json.loads(told.getvalue())


def test_a_channel_is_made_tried_switched_and_deleted(
    in_tenant: Tenant, tmp_path: Path, settings: Settings
) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    key = tmp_path / "key.txt"
    key.write_text("a-key-of-16-letters\n")
    with web_server(lambda _: Said(410)) as server:
        made = run("--create=Pager", "--kind=webhook", f"--url={server.url}", f"--secret-file={key}")
        of = str(made["id"])
        assert run(f"--test={of}")["state"] == "dead"
    (dead,) = run("--dead")
    assert "410" in dead["last_error"]
    assert run(f"--resend={dead['id']}")["state"] == "waiting"
    assert run(f"--disable={of}")["enabled"] is False
    assert run(f"--enable={of}")["enabled"] is True
    assert run(f"--update={of}", "--least-severity=critical")["least_severity"] == "critical"
    assert [one["id"] for one in run()] == [made["id"]]
    assert run(f"--delete={of}") == {"deleted": made["id"]}
    with pytest.raises(CommandError, match="--kind"):
        run("--create=Nothing")
    with pytest.raises(CommandError, match="no address"):
        run("--create=Nothing", "--kind=email", "--addresses", "nobody")
