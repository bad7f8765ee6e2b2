"""The tenant's scope: closed by default, restored on the way out, never crossed."""

import pytest
from django.core.exceptions import ValidationError

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, AuditEvent, Membership, Tenant, User
from mlplatform.tenancy.models.audit import ImmutableRow
from mlplatform.tenancy.scope import (
    NoActiveTenant,
    active_tenant,
    current_tenant_id,
    tenant_scope,
    tenant_transaction,
)
from mlplatform.tenancy.services.api_keys import create_api_key
from registry.models import Dataset, ModelVersion, RegisteredModel
from tests.plugins.application_role import whole_database


def make_model(name: str) -> RegisteredModel:
    model: RegisteredModel = RegisteredModel.objects.create(name=name, problem_type="regression", target="y")
    return model


@pytest.mark.django_db
def test_query_without_a_tenant_raises_instead_of_returning_everything() -> None:
    queryset = ApiKey.objects.all()
    with pytest.raises(NoActiveTenant):
        list(queryset)
    with pytest.raises(NoActiveTenant):
        queryset.exists()
    with pytest.raises(NoActiveTenant):
        queryset.count()
    with pytest.raises(NoActiveTenant):
        ApiKey.objects.filter(name="x").update(name="y")
    with pytest.raises(NoActiveTenant):
        ApiKey.objects.filter(name="x").delete()


@pytest.mark.django_db
def test_row_cannot_be_made_without_a_tenant() -> None:
    with pytest.raises(NoActiveTenant):
        AuditEvent(action="x")


def test_query_means_the_tenant_that_is_active_when_it_is_sent(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_model("theirs")
        built_here = RegisteredModel.objects.all()
    with tenant_scope(other_tenant):
        assert not built_here.exists()


def test_nested_scope_gives_the_outer_tenant_back(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        with tenant_scope(other_tenant):
            assert current_tenant_id() == other_tenant.pk
        assert active_tenant() == tenant
    assert active_tenant() is None


def test_scope_ends_when_the_block_fails(tenant: Tenant) -> None:
    with pytest.raises(ZeroDivisionError), tenant_scope(tenant):
        _ = 1 / 0
    assert active_tenant() is None


def test_transaction_needs_a_tenant(db: None) -> None:
    with pytest.raises(NoActiveTenant), tenant_transaction():
        pass


def test_rows_are_stamped_and_seen_by_their_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        assert make_model("risk").tenant_id == tenant.pk
    with tenant_scope(other_tenant):
        assert not RegisteredModel.objects.filter(name="risk").exists()
        make_model("risk")
    with whole_database():
        assert RegisteredModel.all_tenants.filter(name="risk").count() == 2


def test_bulk_created_rows_are_stamped(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        rows = [RegisteredModel(name=name, problem_type="regression", target="y") for name in ("a", "b")]
        RegisteredModel.objects.bulk_create(rows)
        assert RegisteredModel.objects.count() == 2


def test_writing_another_tenants_row_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        theirs = make_model("risk")
    with tenant_scope(tenant):
        theirs.description = "stolen"
        with pytest.raises(ValidationError, match="belongs to another tenant"):
            theirs.save()


def test_link_to_another_tenants_row_is_unknown(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        theirs = make_model("risk")
    with tenant_scope(tenant):
        ours = ModelVersion(model_id=theirs.pk, number=1)
        with pytest.raises(ValidationError, match="Unknown model"):
            ours.clean()


def test_reverse_relations_stay_inside(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        model = make_model("risk")
    with tenant_scope(other_tenant):
        assert not model.versions.exists()
    with pytest.raises(NoActiveTenant):
        model.versions.exists()


def test_duplicate_name_is_a_validation_error_for_its_own_tenant_only(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        make_model("risk")
        again = RegisteredModel(name="risk", problem_type="regression", target="y", created_by="me")
        with pytest.raises(ValidationError, match="A model of this name exists already"):
            again.full_clean()
    with tenant_scope(other_tenant):
        RegisteredModel(name="risk", problem_type="regression", target="y", created_by="me").full_clean()


def test_audit_events_cannot_be_rewritten(in_tenant: Tenant) -> None:
    create_api_key(name="lab", scopes=["read"], by=SYSTEM)
    event = AuditEvent.objects.get(action="api_key.created")
    for rewrite in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        AuditEvent.all_tenants.all().delete,
    ):
        with pytest.raises(ImmutableRow):
            rewrite()
    with pytest.raises(ImmutableRow):
        AuditEvent.objects.update(action="nothing happened")


def test_dataset_of_the_same_content_may_exist_in_two_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            Dataset.objects.create(
                name="d", content_hash="a" * 64, file="f", size_bytes=1, rows=1, columns=[], profile={}
            )
    with whole_database():
        assert Dataset.all_tenants.count() == 2


def test_a_person_may_belong_to_two_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    user = User.objects.create_user("ann@example.com")
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            Membership.objects.create(user=user)
    with whole_database():
        assert Membership.all_tenants.filter(user=user).count() == 2
