"""Names that point to versions, asking by them, and what can never be changed of what ran."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.models.audit import ImmutableRow
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.errors import (
    AliasNotFound,
    InvalidAlias,
    NothingRan,
    NothingToRollBackTo,
    VersionNotReady,
    VersionOfAnotherModel,
)
from registry.models import Alias, Deployment, ModelVersion
from registry.models.version import VersionStatus
from registry.services.aliases import aliases_of, remove_alias, set_alias
from registry.services.champions import champion_of, earlier_champions
from registry.services.past import deployment_at
from registry.services.promotion import promote, rollback
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_model, make_version, rows_of

PAIR = tuple[ModelVersion, ModelVersion]


@pytest.fixture
def pair(tenant: Tenant) -> PAIR:
    """A champion, and a second version of its model."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        return champion, make_version(champion.model, dataset=champion.dataset)


def named(version: ModelVersion) -> dict[str, int]:
    """The versions of the model by what points to them."""
    return {one.name: one.version.number for one in aliases_of(version.model)}


@pytest.mark.usefixtures("in_tenant")
class TestService:
    def test_a_name_is_set_moved_and_taken_off_and_the_champion_stays(self, pair: PAIR) -> None:
        champion, other = pair
        set_alias(model=champion.model, name="challenger", version=other, by=SYSTEM, reason="try it")
        assert named(champion) == {"champion": 1, "challenger": 2}
        set_alias(model=champion.model, name="challenger", version=champion, by=SYSTEM)
        assert named(champion) == {"champion": 1, "challenger": 1}
        remove_alias(model=champion.model, name="challenger", by=SYSTEM)
        assert named(champion) == {"champion": 1}
        assert champion_of(champion.model) == champion

    def test_each_change_is_history_with_who_and_why(self, pair: PAIR) -> None:
        champion, other = pair
        set_alias(model=champion.model, name="canary", version=other, by=SYSTEM, reason="try it")
        changed = set_alias(model=champion.model, name="canary", version=champion, by=SYSTEM)
        first = Deployment.objects.get(alias="canary", previous=None)
        assert (first.action, first.reason, first.actor_label) == ("alias", "try it", "platform")
        assert changed.previous == other
        event = AuditEvent.objects.filter(action="model.alias_set").order_by("-sequence")[0]
        assert (event.before, event.after) == ({"canary": 2}, {"canary": 1})

    def test_setting_it_again_changes_nothing(self, pair: PAIR) -> None:
        champion, other = pair
        first = set_alias(model=champion.model, name="canary", version=other, by=SYSTEM)
        assert set_alias(model=champion.model, name="canary", version=other, by=SYSTEM) == first
        assert AuditEvent.objects.filter(action="model.alias_set").count() == 1

    @pytest.mark.parametrize("name", ["champion", "Canary", "1st", "a b", "", "x" * 51, "a--b", "é"])
    def test_what_cannot_be_a_name(self, pair: PAIR, name: str) -> None:
        with pytest.raises(InvalidAlias):
            set_alias(model=pair[0].model, name=name, version=pair[1], by=SYSTEM)

    def test_a_name_points_to_a_ready_version_of_its_own_model(self, pair: PAIR) -> None:
        champion, other = pair
        with pytest.raises(VersionOfAnotherModel):
            set_alias(model=make_model("another"), name="canary", version=other, by=SYSTEM)
        ModelVersion.objects.filter(pk=other.pk).update(status=VersionStatus.ARCHIVED)
        other.refresh_from_db()
        with pytest.raises(VersionNotReady):
            set_alias(model=champion.model, name="canary", version=other, by=SYSTEM)

    def test_a_name_that_is_not_there_cannot_be_taken_off(self, pair: PAIR) -> None:
        with pytest.raises(AliasNotFound):
            remove_alias(model=pair[0].model, name="canary", by=SYSTEM)

    def test_what_a_name_was_at_a_time_is_known(self, pair: PAIR) -> None:
        champion, other = pair
        set_alias(model=champion.model, name="canary", version=other, by=SYSTEM)
        assert deployment_at(champion.model, timezone.now(), "canary").version == other
        remove_alias(model=champion.model, name="canary", by=SYSTEM)
        with pytest.raises(NothingRan):
            deployment_at(champion.model, timezone.now(), "canary")
        with pytest.raises(NothingRan):
            deployment_at(champion.model, timezone.now() - timedelta(days=1), "canary")

    def test_names_are_no_way_back_for_the_champion(self, pair: PAIR) -> None:
        champion, other = pair
        set_alias(model=champion.model, name="canary", version=other, by=SYSTEM)
        assert earlier_champions(champion.model) == []
        with pytest.raises(NothingToRollBackTo):
            rollback(model=champion.model, by=SYSTEM, to=other)

    def test_programs_ask_by_the_name(self, pair: PAIR) -> None:
        champion, other = pair
        set_alias(model=champion.model, name="canary", version=other, by=SYSTEM)
        rows = rows_of(champion)
        assert predict(model=champion.model, rows=rows, alias="canary", by=SYSTEM).version == 2
        assert predict(model=champion.model, rows=rows, by=SYSTEM).version == 1
        with pytest.raises(AliasNotFound):
            predict(model=champion.model, rows=rows, alias="no\x00such", by=SYSTEM)


@pytest.mark.usefixtures("in_tenant")
class TestLocks:
    def test_what_was_deployed_is_not_changed_by_the_code(self, pair: PAIR) -> None:
        champion, other = pair
        champion.metrics = {"f1": 1.0}
        for fields in (["metrics"], None):
            with pytest.raises(ImmutableRow):
                champion.save(update_fields=fields)
        with pytest.raises(ImmutableRow):
            champion.delete()
        other.metrics = {"f1": 1.0}
        other.save(update_fields=["metrics"])  # never deployed

    def test_tags_and_the_state_of_a_deployed_version_may_change(self, pair: PAIR) -> None:
        champion = pair[0]
        champion.tags = {"team": "risk"}
        champion.save(update_fields=["tags"])
        champion.refresh_from_db()
        assert champion.tags == {"team": "risk"}

    def test_a_version_that_was_once_champion_stays_locked(self, pair: PAIR) -> None:
        champion, other = pair
        promote(model=champion.model, version=other, by=SYSTEM)
        with pytest.raises(ImmutableRow):
            champion.save()

    def test_its_row_cannot_be_deleted_past_the_code_either(self, pair: PAIR) -> None:
        with pytest.raises(ProtectedError):
            ModelVersion.objects.filter(pk=pair[0].pk).delete()

    def test_a_second_champion_is_refused_by_the_database(self, pair: PAIR) -> None:
        champion, other = pair
        with pytest.raises(DatabaseError), transaction.atomic():
            Alias.objects.create(model=champion.model, version=other)

    def test_on_postgresql_no_statement_rewrites_the_history(self, pair: PAIR) -> None:
        champion, other = pair
        refused: list[Callable[[], Any]] = [
            lambda: Deployment.objects.update(reason="forged"),
            lambda: Deployment.objects.filter(version=champion)._raw_delete(
                using="default"
            ),  # past Django's own checks
            lambda: ModelVersion.objects.filter(pk=champion.pk).update(metrics={"f1": 1.0}),
            lambda: ModelVersion.objects.filter(pk=champion.pk).update(artifact_hash="0" * 64),
        ]
        if connection.vendor != "postgresql":
            refused = []
        for statement in refused:
            with pytest.raises(DatabaseError, match=r"history|never changed"), transaction.atomic():
                statement()
        ModelVersion.objects.filter(pk=champion.pk).update(tags={"team": "risk"})
        assert ModelVersion.objects.filter(pk=other.pk).update(metrics={"f1": 1.0}) == 1


def test_names_are_set_read_and_asked_over_rest(tenant: Tenant, pair: PAIR, api_for: ApiFor) -> None:
    client, address = api_for(tenant), "/api/v1/models/cancer"
    put = client.put(f"{address}/aliases/challenger", {"version": 2, "reason": "try it"})
    assert (put.status_code, put.json()["action"], put.json()["alias"]) == (200, "alias", "challenger")
    listed = client.get(f"{address}/aliases").json()["aliases"]
    assert [(one["name"], one["version"]) for one in listed] == [("challenger", 2), ("champion", 1)]
    with tenant_scope(tenant):
        row = rows_of(pair[0])[0]
    asked = client.post(f"{address}/predict", {"row": row, "alias": "challenger"})
    assert asked.json()["version"] == 2
    both = client.post(f"{address}/predict", {"row": row, "alias": "challenger", "version": 1})
    assert both.status_code in {400, 422}
    assert client.post(f"{address}/predict", {"row": row, "alias": "none"}).status_code == 404
    assert client.get(f"{address}/champion?alias=challenger").json()["version"] == 2
    assert client.delete(f"{address}/aliases/challenger").json()["action"] == "unalias"
    assert client.get(f"{address}/champion?alias=challenger").status_code == 404
    assert client.put(f"{address}/aliases/champion", {"version": 2}).status_code == 422


def test_names_are_set_and_taken_off_in_the_console(
    tenant: Tenant, pair: PAIR, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.OPERATOR)
    address = f"/admin/registry/registeredmodel/{pair[0].model_id}/alias/"
    page = client.post(address, {"alias": "canary", "version": 2}, follow=True).content.decode()
    assert "canary points to v2" in page
    assert "canary" in client.get(address).content.decode()
    assert (
        "champion is made by a promotion"
        in client.post(address, {"alias": "champion", "version": 2}).content.decode()
    )
    assert "canary is taken off" in client.post(address, {"alias": "canary"}, follow=True).content.decode()
    history = client.get("/admin/registry/deployment/?alias=canary").content.decode()
    assert "Name taken off" in history
    assert console_for(tenant, Role.ANALYST).get(address).status_code == 403


def told(*arguments: str) -> Any:
    out = io.StringIO()
    call_command(*arguments[:1], "--tenant=clinic", "--model=cancer", "--json", *arguments[1:], stdout=out)
    return json.loads(out.getvalue())


def test_names_are_set_by_command(pair: PAIR) -> None:
    listed = told("aliases", "--set=canary", "--number=2")
    assert [(one["alias"], one["version"]) for one in listed] == [("canary", 2), ("champion", 1)]
    assert told("champion", "--alias=canary")["canary"] == 2
    assert [one["alias"] for one in told("aliases", "--remove=canary")] == ["champion"]
    with pytest.raises(CommandError, match="has no alias 'canary'"):
        told("aliases", "--remove=canary")
