"""Groups of personal columns: measured where the tenant's settings allow it, never told by their values."""

import json

import pandas as pd
import pytest
from django.test import Client

from mlplatform.admin.links import page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.services.settings import change_settings
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.privacy.pseudonyms import pseudonym
from registry.services.models import create_model
from registry.services.personal import mark_dataset, mark_model
from registry.services.pseudonyms import pseudonym_key
from registry.services.schemas import edit_columns
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset
from tests.training.services.test_splits import QUICK, trained, visits
from training.errors import UnusableData
from training.pages.report import report_html
from training.services import execution
from training.services.claims import claim
from training.services.evaluations import find_evaluation
from training.services.jobs import create_job, find_job

pytestmark = pytest.mark.usefixtures("in_tenant")
FAIR = {"fairness": {"columns": ["sex", "age", "street"], "favourable": "no"}}
VALUES = ("female", "male", "north lane", "south lane")
ADDRESS = "/api/v1/models/illness/versions/1/evaluation"


def people() -> pd.DataFrame:
    return visits(600).assign(
        sex=lambda rows: ["female" if number % 3 else "male" for number in rows.index],
        age=lambda rows: 20 + rows.index * 7 % 61,
        street=lambda rows: ["north lane" if number % 2 else "south lane" for number in rows.index],
    )


def allow(allowed: bool = True) -> None:
    change_settings(changes={"measure_personal_groups": allowed}, by=SYSTEM)


@pytest.fixture
def data() -> Dataset:
    data = make_dataset("people", people())
    marks = {"sex": "pseudonymise", "age": "pseudonymise", "street": "drop"}
    return mark_dataset(dataset=data, changes=marks, by=SYSTEM)


@pytest.fixture
def model() -> RegisteredModel:
    return create_model(name="illness", problem_type="classification", target="ill", by=SYSTEM)


@pytest.fixture
def version(model: RegisteredModel, data: Dataset) -> ModelVersion:
    """Trained while the tenant allowed it."""
    allow()
    version = trained(model, data, **FAIR)
    version.refresh_from_db()
    return version


@pytest.fixture
def viewer(version: ModelVersion, tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant, Role.VIEWER)


@pytest.fixture
def beside(data: Dataset) -> Dataset:
    """The same people, of whom the model is to learn neither sex nor age."""
    changes = {"sex": {"type": "ignored"}, "age": {"type": "ignored"}}
    return edit_columns(dataset=data, changes=changes, by=SYSTEM)


def by_column(version: ModelVersion, part: str) -> set[str]:
    return {one.column for one in getattr(find_evaluation(version), part)}


def test_by_default_no_group_of_a_personal_column_is_measured(model: RegisteredModel, data: Dataset) -> None:
    version = trained(model, data)
    assert {one["column"] for one in version.evaluation["slices"]} & {"sex", "age", "street"} == set()
    assert version.evaluation["slices"]
    assert version.evaluation["gaps"] == []


def test_by_default_a_comparison_of_them_is_refused_and_the_way_out_is_named(
    model: RegisteredModel, data: Dataset
) -> None:
    with pytest.raises(UnusableData, match="switch on, in the tenant's settings") as refused:
        create_job(model=model, dataset=data, by=SYSTEM, config=FAIR)
    assert refused.value.fields == {"fairness": ["Personal: age, sex, street."]}


def test_a_column_that_the_model_alone_marks_is_refused_too(model: RegisteredModel) -> None:
    data = make_dataset("people", people())
    trained(model, data)
    model = mark_model(model=model, changes={"sex": "pseudonymise"}, by=SYSTEM)
    with pytest.raises(UnusableData, match="sex is personal"):
        create_job(model=model, dataset=data, by=SYSTEM, config={"fairness": {"columns": ["sex"]}})


def test_once_allowed_they_are_measured_under_the_names_that_their_marks_ask_for(
    version: ModelVersion,
) -> None:
    found = find_evaluation(version)
    names: dict[str, list[str]] = {}
    for one in found.slices:
        names.setdefault(one.column, []).append(one.value)
    key = pseudonym_key()
    assert names["sex"] == [pseudonym("female", key), pseudonym("male", key)]
    assert names["age"] == ["group 1", "group 2", "group 3", "group 4"]
    assert sorted(names["street"]) == ["group 1", "group 2"]
    assert all(one.rows >= 20 for one in found.slices)
    assert {gap.column for gap in found.gaps} == {"sex", "age", "street"}
    assert {gap.measure for gap in found.gaps} >= {"selection_rate", "f1"}


def test_no_value_of_a_personal_column_is_in_what_is_stored(version: ModelVersion) -> None:
    stored = json.dumps(version.evaluation)
    assert not [value for value in VALUES if value in stored]
    assert {one["feature"] for one in version.evaluation["dependence"]} & {"sex", "age", "street"} == set()


def test_they_are_shown_on_the_page_in_the_report_and_over_the_api(
    version: ModelVersion, viewer: Client, tenant: Tenant, api_for: ApiFor
) -> None:
    key = pseudonym_key()
    page = viewer.get(page_url(version)).content.decode()
    for text in (page, report_html(version)):
        assert "by pseudonym or by number" in text
        assert pseudonym("female", key) in text
        assert not [value for value in VALUES if value in text]
    body = api_for(tenant).get(ADDRESS).json()
    assert {(one["column"], one["personal"]) for one in body["gaps"]} == {
        ("sex", "pseudonymise"),
        ("age", "pseudonymise"),
        ("street", "drop"),
    }


def test_switched_off_again_what_was_measured_is_shown_nowhere(
    version: ModelVersion, viewer: Client, tenant: Tenant, api_for: ApiFor
) -> None:
    allow(False)
    hidden = pseudonym("female", pseudonym_key())
    for text in (viewer.get(page_url(version)).content.decode(), report_html(version)):
        assert hidden not in text
        assert "by pseudonym or by number" not in text
    body = api_for(tenant).get(ADDRESS).json()
    assert body["gaps"] == []
    assert {one["personal"] for one in body["slices"]} == {""}
    allow()
    assert by_column(version, "gaps") == {"sex", "age", "street"}


def test_a_stricter_mark_takes_the_pseudonyms_away_and_leaves_the_numbers(
    version: ModelVersion, data: Dataset
) -> None:
    mark_dataset(dataset=data, changes={"sex": "drop"}, by=SYSTEM)
    version.refresh_from_db()
    assert by_column(version, "gaps") == {"age", "street"}
    assert "street" in by_column(version, "slices")
    assert pseudonym("female", pseudonym_key()) not in json.dumps(version.evaluation)


def test_a_column_that_the_model_never_sees_is_compared_all_the_same(
    model: RegisteredModel, beside: Dataset
) -> None:
    allow()
    version = trained(model, beside, **FAIR)
    assert {"sex", "age"}.isdisjoint(column["name"] for column in version.features)
    gaps = {(gap.column, gap.highest, gap.lowest) for gap in find_evaluation(version).gaps}
    names = {column: {name for one, *both in gaps if one == column for name in both} for column, *_ in gaps}
    key = pseudonym_key()
    assert names["sex"] == {pseudonym("female", key), pseudonym("male", key)}
    assert names["age"] <= {f"group {place}" for place in range(1, 5)}
    assert len(names["age"]) > 1
    assert not [value for value in VALUES if value in json.dumps(version.evaluation)]


def test_switched_off_before_the_training_ends_such_a_column_is_not_compared(
    model: RegisteredModel, beside: Dataset
) -> None:
    allow()
    job = create_job(model=model, dataset=beside, by=SYSTEM, config=QUICK | FAIR)
    allow(False)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    version = find_job(job.pk).version
    assert version is not None
    assert version.evaluation["gaps"] == []


def test_the_column_that_keeps_groups_together_is_compared_too(model: RegisteredModel) -> None:
    wards = visits(600).assign(ward=lambda rows: [f"w{number % 12}" for number in rows.index])
    split = {"kind": "group", "column": "ward"}
    fairness = {"columns": ["ward"], "favourable": "no"}
    version = trained(model, make_dataset("wards", wards), split=split, holdout=0.4, fairness=fairness)
    assert {gap["column"] for gap in version.evaluation["gaps"]} == {"ward"}
    assert "ward" not in {column["name"] for column in version.features}
