"""The doctor as people and programs call it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def test_it_fails_and_says_what_to_do_while_no_worker_runs() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="checks found something wrong"):
        call_command("doctor", stdout=out)
    assert "no worker answers" in out.getvalue()
    assert "make run" in out.getvalue()


def test_its_json_names_every_finding() -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["ok"] is False
    assert {"check": "Database", "good": True, "mend": ""}.items() <= {
        key: value
        for finding in report["findings"]
        if finding["check"] == "Database"
        for key, value in finding.items()
    }.items()
