"""Registering models by name."""

from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.errors import InvalidModel, ModelExists, ModelNotFound
from registry.services.models import create_model, find_model, update_model
from tests.factories import make_dataset, make_model

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_a_model_is_found_by_name_in_its_own_tenant_only(other_tenant: Tenant) -> None:
    model = make_model("churn")
    assert find_model("churn") == model
    with tenant_scope(other_tenant), pytest.raises(ModelNotFound):
        find_model("churn")


@pytest.mark.parametrize("name", ["", "nothing", "\x00", "x" * 1000])
def test_an_unknown_name_is_told(name: str) -> None:
    with pytest.raises(ModelNotFound):
        find_model(name)


def test_a_name_is_taken_once() -> None:
    make_model("churn")
    with pytest.raises(ModelExists, match="Choose another name"):
        make_model("churn")
    assert AuditEvent.objects.filter(action="model.created").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "No Spaces"),
        ("name", "import"),
        ("name", "x" * 101),
        ("problem_type", "magic"),
        ("target", ""),
    ],
)
def test_unusable_fields_are_named(field: str, value: str) -> None:
    fields: dict[str, Any] = {
        "name": "churn",
        "problem_type": "classification",
        "target": "left",
        field: value,
    }
    with pytest.raises(InvalidModel) as refusal:
        create_model(**fields, by=SYSTEM)
    assert list(refusal.value.fields or ()) == [field]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "choose anomaly_detection"),
        ({"target": "diagnosis"}, "Choose the kind of problem, or name a dataset"),
        ({"problem_type": "clustering", "target": "diagnosis"}, "leave the target empty"),
        ({"problem_type": "regression"}, "Name the column to predict"),
    ],
)
def test_what_to_look_for_must_be_clear(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidModel, match=told):
        create_model(name="churn", by=SYSTEM, **fields)


def test_the_kind_of_problem_is_read_off_the_targets_values() -> None:
    cancer, diabetes = make_dataset(), make_dataset("diabetes")
    found = [
        create_model(name=dataset.name, target=target, dataset=dataset, by=SYSTEM).problem_type
        for dataset, target in ((cancer, "diagnosis"), (diabetes, "progression"))
    ]
    assert found == ["classification", "regression"]
    with pytest.raises(InvalidModel, match="no column 'colour'"):
        create_model(name="colours", target="colour", dataset=cancer, by=SYSTEM)


def test_anomalies_and_clusters_need_no_target() -> None:
    for kind, does in (("anomaly_detection", "finds unusual rows"), ("clustering", "finds groups")):
        model = create_model(name=kind.replace("_", "-"), problem_type=kind, by=SYSTEM)
        assert model.target == ""
        assert model.purpose.startswith(does)


def test_the_description_can_change_and_the_trail_says_so() -> None:
    model = make_model("churn")
    update_model(model=model, changes={"description": "Who leaves?"}, by=SYSTEM)
    assert find_model("churn").description == "Who leaves?"
    event = AuditEvent.objects.get(action="model.updated")
    assert (event.before, event.after) == ({"description": ""}, {"description": "Who leaves?"})
