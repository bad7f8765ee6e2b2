"""Tags of models and versions."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.errors import InvalidTags
from registry.models import RegisteredModel
from registry.services.tags import change_tags
from tests.factories import make_model


@pytest.fixture
def model(in_tenant: Tenant) -> RegisteredModel:
    return make_model()


def test_tags_are_set_changed_and_taken_off_and_others_stay(model: RegisteredModel) -> None:
    change_tags(target=model, changes={"team": "risk", "site": "north"}, by=SYSTEM)
    assert change_tags(target=model, changes={"team": None, "site": "south"}, by=SYSTEM) == {"site": "south"}
    entry = AuditEvent.objects.filter(action="model.tagged").order_by("-sequence")[0]
    assert entry.before == {"tags": {"team": "risk", "site": "north"}}
    assert entry.after == {"tags": {"site": "south"}}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"no name": "x"}, "no name"),
        ({"team": "a\nb"}, "team"),
        ({"team": "x" * 201}, "team"),
        ({"": "x"}, ""),
    ],
)
def test_what_is_no_tag_is_refused_by_name(
    model: RegisteredModel, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(InvalidTags) as caught:
        change_tags(target=model, changes=changes, by=SYSTEM)
    assert isinstance(caught.value.fields, dict)
    assert list(caught.value.fields) == [named]


def test_there_are_not_endlessly_many(model: RegisteredModel) -> None:
    with pytest.raises(InvalidTags, match="At most 50 tags"):
        change_tags(target=model, changes={f"t{number}": "x" for number in range(51)}, by=SYSTEM)
