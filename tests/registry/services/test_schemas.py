"""What people say of columns: through every door, kept beside the content, used by what trains next."""

import json
from typing import Any

import pandas as pd
import pytest
from django.core.management import call_command

from mlplatform.admin.links import page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from registry.errors import InvalidColumns, InvalidMarks
from registry.models import Dataset
from registry.services.datasets import freeze
from registry.services.personal import mark_dataset
from registry.services.schemas import edit_columns
from registry.tabular.schema import Treatment
from tests.conftest import ApiFor, ConsoleFor

pytestmark = pytest.mark.usefixtures("in_tenant")
ROWS = 60


def frame() -> pd.DataFrame:
    place = range(ROWS)
    return pd.DataFrame(
        {
            "postcode": [10_000 + n % 3 for n in place],
            "share": [n / 4 for n in place],
            "name": [f"p{n % 5}" for n in place],
            "born": [f"2001-01-{n % 28 + 1:02d}" if n % 2 else f"in {n}" for n in place],
            "y": [n % 2 for n in place],
        }
    )


@pytest.fixture
def data() -> Dataset:
    return freeze(name="rows", frame=frame(), by=SYSTEM, origin={"kind": "test"})[0]


def column(dataset: Dataset, name: str) -> dict[str, Any]:
    return next(one for one in Dataset.objects.get(pk=dataset.pk).columns if one["name"] == name)


def test_a_type_is_overruled_and_the_column_described_anew(data: Dataset) -> None:
    content, other = data.content_hash, data.profile["columns"]["share"]
    change = {"postcode": {"type": "category", "unit": " – ", "description": "Where they\n live"}}
    after = edit_columns(dataset=data, changes=change, by=SYSTEM)
    told = column(data, "postcode")
    assert (told["type"], told["categories"]) == ("category", ["10000", "10001", "10002"])
    assert (told["unit"], told["description"]) == ("–", "Where they live")
    assert after.profile["columns"]["postcode"]["histogram"]["counts"] == [20, 20, 20]
    assert "postcode" not in after.profile["correlations"]["columns"]
    assert (after.content_hash, after.profile["columns"]["share"]) == (content, other)
    event = AuditEvent.objects.get(action="dataset.columns_described")
    assert event.after is not None
    assert event.after["postcode"]["type"] == "category"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": {"type": "numeric"}}, "must hold numbers"),
        ({"share": {"type": "integer"}}, "not whole"),
        ({"born": {"type": "date"}}, "no ISO 8601 dates"),
        ({"share": {"type": "number"}}, "Choose one of"),
        ({"share": {"colour": "red"}}, "cannot be set"),
        ({"share": {"unit": "x" * 41}}, "longer than 40"),
        ({"share": {"description": "a\u202eb"}}, "control characters"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(
    data: Dataset, change: dict[str, dict[str, str]], sentence: str
) -> None:
    before = Dataset.objects.get(pk=data.pk).columns
    with pytest.raises(InvalidColumns, match=sentence):
        edit_columns(dataset=data, changes={"y": {"unit": "kg"}, **change}, by=SYSTEM)
    assert Dataset.objects.get(pk=data.pk).columns == before


def test_an_unknown_column_is_refused(data: Dataset) -> None:
    with pytest.raises(InvalidMarks, match="no column 'nobody'"):
        edit_columns(dataset=data, changes={"nobody": {"unit": "kg"}}, by=SYSTEM)


def test_a_personal_column_stays_personal_and_untold(data: Dataset) -> None:
    mark_dataset(dataset=data, changes={"name": Treatment.pseudonymise, "share": Treatment.drop}, by=SYSTEM)
    with pytest.raises(InvalidColumns) as caught:
        edit_columns(dataset=data, changes={"name": {"type": "numeric"}}, by=SYSTEM)
    assert "p1" not in str(caught.value.detail)
    after = edit_columns(dataset=data, changes={"name": {"type": "text", "unit": "u"}}, by=SYSTEM)
    assert column(data, "name")["personal"] == "pseudonymise"
    assert "histogram" not in after.profile["columns"]["name"]
    assert "share" not in after.profile["correlations"]["columns"]
    assert "mean" not in after.profile["columns"]["share"]
    mark_dataset(dataset=data, changes={"name": None}, by=SYSTEM)
    assert (column(data, "name")["type"], column(data, "name")["unit"]) == ("text", "u")


def test_rows_that_extend_it_are_described_as_it_is(data: Dataset) -> None:
    parent = edit_columns(dataset=data, changes={"postcode": {"type": "category", "unit": "code"}}, by=SYSTEM)
    longer = pd.concat([frame(), frame()], ignore_index=True)
    child, _ = freeze(name="rows", frame=longer, by=SYSTEM, origin={"kind": "test"}, parent=parent)
    assert (column(child, "postcode")["type"], column(child, "postcode")["unit"]) == ("category", "code")


def test_a_table_in_parts_is_described_anew_in_parts(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.services.described.EXACT_CELLS", 10)
    after = edit_columns(dataset=data, changes={"postcode": {"type": "category"}}, by=SYSTEM)
    assert after.profile["columns"]["postcode"]["histogram"]["counts"] == [20, 20, 20]
    with pytest.raises(InvalidColumns, match="not whole"):
        edit_columns(dataset=data, changes={"share": {"type": "integer"}}, by=SYSTEM)


def test_the_api_changes_it_and_names_what_is_wrong(data: Dataset, tenant: Tenant, api_for: ApiFor) -> None:
    api, path = api_for(tenant), f"/api/v1/datasets/{data.pk}/schema"
    answer = api.patch(path, {"columns": {"share": {"unit": "%"}}}, format="json")
    assert answer.status_code == 200, answer.content
    assert {one["name"]: one["unit"] for one in answer.json()["columns"]}["share"] == "%"
    wrong = api.patch(path, {"columns": {"share": {"type": "integer"}}}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_columns")
    reader = api_for(tenant, "read")
    assert reader.patch(path, {"columns": {"share": {"unit": "x"}}}, format="json").status_code == 403


def test_the_console_changes_what_was_changed_in_the_form(
    data: Dataset, tenant: Tenant, console_for: ConsoleFor
) -> None:
    client, path = console_for(tenant, Role.ANALYST), f"/admin/registry/dataset/{data.pk}/schema/"
    page = client.get(path).content.decode()
    assert 'aria-label="Type of postcode"' in page
    sent: dict[str, str] = {}
    for place, one in enumerate(data.columns):
        sent |= {f"column-{place}_0": one["type"], f"column-{place}_1": "", f"column-{place}_2": ""}
    sent |= {"column-0_0": "category", "column-1_1": "%", "column-1_2": "<b>of all"}
    assert client.post(path, sent).status_code == 302
    assert (column(data, "postcode")["type"], column(data, "share")["unit"]) == ("category", "%")
    shown = client.get(page_url(data)).content.decode()
    assert "&lt;b&gt;of all" in shown
    refused = client.post(path, sent | {"column-1_0": "integer"})
    assert "not whole" in refused.content.decode()


def test_the_command_changes_and_lists(
    data: Dataset, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--tenant", tenant.slug, "--dataset", str(data.pk), "--json"]
    call_command("describe_columns", *where, "--columns", "postcode", "y", "--type", "category")
    capsys.readouterr()
    call_command("describe_columns", *where)
    listed = json.loads(capsys.readouterr().out)
    assert listed["columns"]["postcode"]["type"] == listed["columns"]["y"]["type"] == "category"
