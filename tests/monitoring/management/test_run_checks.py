"""The command that runs checks."""

import json

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import Tenant
from registry.models import RegisteredModel
from tests.factories import make_model
from tests.monitoring.conftest import Ask


def test_every_deployed_model_is_checked(
    model: RegisteredModel, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    make_model("not-deployed")
    ask(40, drifted=20)
    call_command("run_checks", tenant="clinic", json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["model"], row["version"], row["alerts_raised"], row["decision"]) == (
        "cancer",
        1,
        1,
        "declined",
    )


def test_one_model_can_be_named(model: RegisteredModel) -> None:
    make_model("not-deployed")
    with pytest.raises(CommandError, match="no champion to check"):
        call_command("run_checks", "--model", "not-deployed", tenant="clinic")
    with pytest.raises(CommandError, match="no model 'nobody'"):
        call_command("run_checks", "--model", "nobody", tenant="clinic")


def test_people_read_the_findings_in_a_table(
    model: RegisteredModel, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("run_checks", tenant="clinic", json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert "no outcome is known yet" in row["notes"]
    assert "0 of 30 rows" in row["notes"]
    assert row["decision"] is None
    call_command("run_checks", tenant="clinic")
    assert "cancer" in capsys.readouterr().out


def test_without_a_deployed_model_there_is_nothing_to_show(
    in_tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("run_checks", tenant="clinic")
    assert capsys.readouterr().out.strip() == "Nothing to show."
