"""Whether a rollback is due: only where outcomes prove it, through each door."""

import io
import json
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.admin.links import command_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from monitoring.errors import NothingDeployed, RollbackNotDue
from monitoring.models import AlertRule
from monitoring.services.rollback_check import auto_rollback_check, roll_back_if_due
from registry.models import RegisteredModel
from registry.services.champions import champion_of
from registry.services.promotion import promote
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_model, make_version, rows_of


@pytest.fixture
def model(tenant: Tenant) -> Iterator[RegisteredModel]:
    """A model whose second version answers, with a good one before it."""
    with tenant_scope(tenant), tenant_transaction():
        first = make_champion()
        second = make_version(first.model, dataset=first.dataset)
        promote(model=first.model, version=second, by=SYSTEM, reason="newer", override=True)
        yield first.model


def answer(model: RegisteredModel, right: int, wrong: int) -> None:
    """Let the champion answer, and tell which answers were right."""
    champion = champion_of(model)
    assert champion is not None
    answered = predict(model=model, rows=rows_of(champion, right + wrong), by=SYSTEM).predictions
    other = {"benign": "malignant", "malignant": "benign"}
    items = [
        OutcomeItem(one.pk, one.label if place < right else other[one.label])
        for place, one in enumerate(answered)
    ]
    record_outcomes(items=items, source="api", by=SYSTEM)


def test_a_champion_that_is_proven_bad_is_rolled_back(model: RegisteredModel) -> None:
    answer(model, right=20, wrong=40)
    found = auto_rollback_check(model)
    assert (found.due, found.version.number, found.to and found.to.number) == (True, 2, 1)
    assert "proven to be worse than the limit" in found.sentence
    assert found.numbers["high"] < found.numbers["limit"]
    deployment = roll_back_if_due(model=model, by=SYSTEM)
    assert (deployment.version.number, deployment.action) == (1, "rollback")
    assert deployment.reason.startswith("Checked: ")
    assert AuditEvent.objects.filter(action="model.rolled_back").count() == 1


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [(60, 0, "not proven"), (2, 8, "are needed for a verdict"), (0, 0, "0 outcomes")],
)
def test_nothing_is_taken_back_without_proof(
    model: RegisteredModel, right: int, wrong: int, said: str
) -> None:
    if right + wrong:
        answer(model, right, wrong)
    found = auto_rollback_check(model)
    assert not found.due
    assert said in found.sentence
    with pytest.raises(RollbackNotDue):
        roll_back_if_due(model=model, by=SYSTEM)
    champion = champion_of(model)
    assert champion is not None
    assert champion.number == 2


def test_the_limit_is_that_of_the_rule_on_quality(model: RegisteredModel) -> None:
    answer(model, right=20, wrong=40)
    AlertRule.objects.create(
        model=model, metric="performance", threshold=0.05, severity="critical", minimum_rows=40
    )
    found = auto_rollback_check(model)
    assert (found.due, found.numbers["limit"]) == (False, 0.05)


@pytest.mark.usefixtures("in_tenant")
def test_a_first_champion_has_nothing_to_go_back_to() -> None:
    first = make_champion()
    answer(first.model, right=20, wrong=40)
    found = auto_rollback_check(first.model)
    assert (found.due, found.to) == (False, None)
    assert found.sentence.endswith("No earlier version can answer.")


@pytest.mark.usefixtures("in_tenant")
def test_a_model_without_a_champion_cannot_be_checked() -> None:
    with pytest.raises(NothingDeployed):
        auto_rollback_check(make_model())


def test_every_door_tells_it_and_acts(
    tenant: Tenant, model: RegisteredModel, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    client, address = api_for(tenant), "/api/v1/models/cancer/rollback-check"
    assert client.post(address).json()["code"] == "rollback_not_due"
    answer(model, right=20, wrong=40)
    assert client.get(address).json()["due"] is True
    page = console_for(tenant, Role.VIEWER).get(command_url(model, "rollback-check")).content.decode()
    assert "proven to be worse than the limit" in page
    assert command_url(model, "roll-back") not in page
    offered = console_for(tenant, Role.OPERATOR).get(command_url(model, "rollback-check")).content.decode()
    assert f"{command_url(model, 'roll-back')}?to=" in offered
    out = io.StringIO()
    call_command("auto_rollback_check", "--tenant=clinic", "--model=cancer", "--json", stdout=out)
    assert json.loads(out.getvalue())["due"] is True
    assert client.post(address).json()["version"] == 1
