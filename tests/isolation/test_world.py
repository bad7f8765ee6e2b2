"""What the crawler relies on: their tenant is full of canaries, and whoever may see them does."""

from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.walls import tenant_models
from registry.models import RegisteredModel
from tests.isolation.canaries import PLANTED, texts_in
from tests.isolation.worlds import World


def test_every_table_has_rows_of_both_tenants(world: World) -> None:
    for tenant in (world.ours, world.theirs):
        with tenant_scope(tenant), tenant_transaction():
            assert [model for model in tenant_models() if not model.objects.exists()] == []


def test_their_keys_and_texts_are_not_ours(world: World) -> None:
    assert len(world.secrets.tokens) > 100
    with tenant_scope(world.theirs), tenant_transaction():
        for model in tenant_models():
            values = {text.lower() for text in texts_in(list(model.objects.values_list()))}
            told = {text for text in values if PLANTED.search(text)} | (values & world.secrets.tokens)
            assert told, f"Nothing in {model._meta.label} could be told from ours."


def test_the_fingerprint_sees_a_change(world: World) -> None:
    assert world.changed() == []
    with tenant_scope(world.theirs), tenant_transaction():
        RegisteredModel.objects.update(description="other")
    assert world.changed() == ["registry.RegisteredModel"]
