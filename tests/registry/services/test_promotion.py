"""Promotion and rollback: one champion, history kept, losers told."""

import pytest
from django.core.files.storage import default_storage
from sklearn.dummy import DummyClassifier

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.errors import (
    AlreadyChampion,
    ArtifactCorrupt,
    GateFailed,
    NothingToRollBackTo,
    PromotionRaced,
    ReasonMissing,
    VersionNotReady,
    VersionOfAnotherModel,
)
from registry.models import Alias, Deployment, ModelVersion
from registry.models.version import VersionStatus
from registry.services.champions import champion_alias
from registry.services.promotion import (
    _point_alias,
    champion_of,
    examine,
    promote,
    promote_examined,
    rollback,
)
from tests.factories import make_champion, make_model, make_version, table

pytestmark = pytest.mark.usefixtures("in_tenant")


def constant_version(champion: ModelVersion) -> ModelVersion:
    """A version that always answers the same class."""
    frame = table().drop(columns="diagnosis")
    useless = DummyClassifier(strategy="constant", constant="benign").fit(frame, table()["diagnosis"])
    return make_version(champion.model, pipeline=useless)


def test_first_promotion_makes_a_champion_and_writes_history_and_audit() -> None:
    version = make_version()
    deployment = promote(model=version.model, version=version, by=SYSTEM, reason="best of three")
    assert champion_of(version.model) == version
    assert (deployment.previous, deployment.reason, deployment.actor_label) == (
        None,
        "best of three",
        "platform",
    )
    assert [gate["passed"] for gate in deployment.gates] == [True] * 4
    assert AuditEvent.objects.filter(action="model.promoted", object_id=version.model.pk).count() == 1


def test_an_equal_version_replaces_the_champion() -> None:
    first = make_champion()
    second = make_version(first.model)
    deployment = promote(model=first.model, version=second, by=SYSTEM)
    assert deployment.previous == first
    assert [alias.revision for alias in Alias.objects.filter(model=first.model)] == [2]


def test_a_worse_version_is_refused_and_nothing_changes() -> None:
    champion = make_champion()
    worse = constant_version(champion)
    with pytest.raises(GateFailed, match="not shown to be as good") as refusal:
        promote(model=champion.model, version=worse, by=SYSTEM)
    verdicts = {gate["name"]: gate["passed"] for gate in refusal.value.results}
    assert verdicts == {
        "artifact_integrity": True,
        "smoke_prediction": True,
        "schema_compatible": True,
        "not_worse_than_champion": False,
    }
    assert champion_of(champion.model) == champion
    assert Deployment.objects.filter(version=worse).count() == 0


def test_override_with_a_reason_passes_over_a_failed_gate_and_says_so() -> None:
    champion = make_champion()
    worse = constant_version(champion)
    promote(model=champion.model, version=worse, by=SYSTEM, reason="regulator asked", override=True)
    assert champion_of(champion.model) == worse
    event = AuditEvent.objects.get(action="model.promoted", details__version=worse.number)
    assert event.details["failed_gates"] == ["not_worse_than_champion"]


def test_override_without_a_reason_is_refused() -> None:
    version = make_version()
    with pytest.raises(ReasonMissing):
        promote(model=version.model, version=version, by=SYSTEM, reason="  ", override=True)


def test_a_version_of_another_model_is_refused() -> None:
    version, other = make_version(), make_model("other")
    with pytest.raises(VersionOfAnotherModel):
        promote(model=other, version=version, by=SYSTEM)


def test_a_failed_version_is_refused_even_with_override() -> None:
    version = make_version(sample=table().head(0))
    assert version.status == VersionStatus.FAILED
    with pytest.raises(VersionNotReady, match="no row to try"):
        promote(model=version.model, version=version, by=SYSTEM, reason="please", override=True)


def test_promoting_the_champion_again_is_refused() -> None:
    champion = make_champion()
    with pytest.raises(AlreadyChampion):
        promote(model=champion.model, version=champion, by=SYSTEM)


def test_whoever_saw_an_old_alias_loses_the_race() -> None:
    first = make_champion()
    second, third = make_version(first.model), make_version(first.model)
    seen = champion_alias(first.model)
    promote(model=first.model, version=second, by=SYSTEM)
    with pytest.raises(PromotionRaced):
        _point_alias(seen, third)
    assert champion_of(first.model) == second


def test_the_loser_of_two_first_promotions_is_told() -> None:
    version = make_champion()
    with pytest.raises(PromotionRaced):
        _point_alias(None, make_version(version.model))
    assert champion_of(version.model) == version


def test_each_rollback_goes_one_further_back(in_tenant: Tenant) -> None:
    first = make_champion()
    versions = [first, make_version(first.model), make_version(first.model)]
    for version in versions[1:]:
        promote(model=first.model, version=version, by=SYSTEM)
    assert rollback(model=first.model, by=SYSTEM, reason="complaints").version == versions[1]
    assert rollback(model=first.model, by=SYSTEM).version == versions[0]
    with pytest.raises(NothingToRollBackTo):
        rollback(model=first.model, by=SYSTEM)
    actions = list(Deployment.objects.filter(model=first.model).values_list("action", flat=True))
    assert actions == ["rollback", "rollback", "promote", "promote", "promote"]


def test_rollback_to_a_named_version() -> None:
    first = make_champion()
    for version in (make_version(first.model), make_version(first.model)):
        promote(model=first.model, version=version, by=SYSTEM)
    rollback(model=first.model, by=SYSTEM, to=first)
    assert champion_of(first.model) == first


def test_rollback_refuses_a_version_that_never_ran() -> None:
    first = make_champion()
    promote(model=first.model, version=make_version(first.model), by=SYSTEM)
    with pytest.raises(NothingToRollBackTo, match="never been champion"):
        rollback(model=first.model, by=SYSTEM, to=make_version(first.model))


def test_rollback_without_history_is_refused() -> None:
    with pytest.raises(NothingToRollBackTo):
        rollback(model=make_model(), by=SYSTEM)


def test_rollback_leads_back_to_a_version_that_was_abandoned_where_it_is_named() -> None:
    first = make_champion()
    second = make_version(first.model)
    promote(model=first.model, version=second, by=SYSTEM)
    rollback(model=first.model, by=SYSTEM)
    assert rollback(model=first.model, by=SYSTEM, to=second).version == second


def test_rollback_to_the_champion_says_so() -> None:
    champion = make_champion()
    with pytest.raises(AlreadyChampion):
        rollback(model=champion.model, by=SYSTEM, to=champion)


def test_rollback_refuses_a_broken_artefact_and_changes_nothing() -> None:
    first = make_champion()
    second = make_version(first.model)
    promote(model=first.model, version=second, by=SYSTEM)
    default_storage.delete(first.artifact_file)
    with pytest.raises(ArtifactCorrupt, match="missing"):
        rollback(model=first.model, by=SYSTEM)
    assert champion_of(first.model) == second


def test_an_examination_counts_only_against_the_champion_it_was_made_against() -> None:
    first = make_champion()
    second, third = make_version(first.model), make_version(first.model)
    examined = examine(model=first.model, version=second)
    promote(model=first.model, version=third, by=SYSTEM)
    with pytest.raises(PromotionRaced, match="Look again"):
        promote_examined(examined=examined, by=SYSTEM)
    assert champion_of(first.model) == third


def test_examining_changes_nothing() -> None:
    version = make_version()
    examined = examine(model=version.model, version=version)
    assert (examined.seen, [gate.passed for gate in examined.gates]) == (None, [True] * 4)
    assert champion_of(version.model) is None
    assert not AuditEvent.objects.filter(action="model.promoted").exists()
