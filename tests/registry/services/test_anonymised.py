import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.errors import InvalidChoice
from registry.models import Dataset
from registry.privacy.anonymity import identifiability
from registry.privacy.pseudonyms import is_pseudonym
from registry.privacy.release import Choice
from registry.services.anonymised import export_anonymised, measure
from registry.services.datasets import freeze
from registry.tabular.schema import Treatment
from tests.conftest import ApiFor, ConsoleFor

QUASI = ("age", "postcode", "born")
MARKS = {
    "name": Treatment.pseudonymise,
    "street": Treatment.drop,
    "age": Treatment.pseudonymise,
    "born": Treatment.pseudonymise,
}


def patients() -> pd.DataFrame:
    """400 patients; some values are such that a spreadsheet would run them."""
    draw = np.random.default_rng(3)
    age = draw.integers(18, 95, 400)
    return pd.DataFrame(
        {
            "name": [f"Person {number % 90}" for number in range(400)],
            "street": [f"Elm {number % 50}" for number in range(400)],
            "age": age,
            "born": [f"{2026 - one}-{1 + one % 12:02d}-17" for one in age],
            "postcode": draw.choice(["D10115", "D10117", "D20095", "D80331"], 400),
            "note": draw.choice(["=1+1", "fine", "@home"], 400),
            "card": [f"C-{number}" for number in range(400)],
            "diagnosis": draw.choice(["benign", "malignant"], 400),
        }
    )


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    """The clinic's patients, marked."""
    with tenant_scope(tenant):
        return freeze(name="p", frame=patients(), by=SYSTEM, origin={"kind": "test"}, personal=MARKS)[0]


def exported(dataset: Dataset, form: str, choice: Choice) -> pd.DataFrame:
    export, _ = export_anonymised(dataset=dataset, choice=choice, form=form, by=SYSTEM)
    content = io.BytesIO(b"".join(export.lines))
    if form == "csv":
        return pd.read_csv(content)
    return pd.read_parquet(content) if form == "parquet" else pd.read_json(content, lines=True)


@pytest.mark.usefixtures("in_tenant")
@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_what_is_exported_is_k_anonymous_and_tells_nothing_personal(dataset: Dataset, form: str) -> None:
    choice = Choice(QUASI, "diagnosis", k=7)
    table = exported(dataset, form, choice)
    assert list(table) == ["name", "age", "born", "postcode", "note", "diagnosis"]
    assert identifiability(table, QUASI).k >= 7
    assert table["name"].map(is_pseudonym).all()
    assert not set(table["age"].astype(str)) & {str(age) for age in range(18, 95)}
    assert not table["born"].astype(str).str.fullmatch(r"\d{4}-\d{2}-\d{2}").any()
    assert table["diagnosis"].isin(["benign", "malignant"]).all()


@pytest.mark.usefixtures("in_tenant")
def test_the_figures_tell_what_was_achieved_and_what_it_cost(dataset: Dataset) -> None:
    choice = Choice(QUASI, "diagnosis", k=7)
    facts = measure(dataset=dataset, choice=choice, by=SYSTEM)
    table = exported(dataset, "parquet", choice)
    found = identifiability(table, QUASI, "diagnosis")
    assert facts["before"]["k"] == identifiability(patients(), QUASI).k == 1
    assert (facts["after"]["k"], facts["after"]["l_diversity"]) == (found.k, found.l_diversity)
    assert facts["rows_suppressed"] == 400 - len(table)
    assert 0 < facts["information_lost"] < 1
    assert facts["levels"]["age"] >= 1
    assert (facts["pseudonymised"], facts["left_out"]) == (["name"], ["street", "card"])
    told = AuditEvent.objects.filter(action__in=["dataset.measured", "dataset.exported"])
    assert {event.details["figures"]["after"]["k"] for event in told} == {found.k}


@pytest.mark.usefixtures("in_tenant")
def test_no_cell_is_a_formula(dataset: Dataset) -> None:
    assert set(exported(dataset, "csv", Choice(("postcode",)))["note"]) == {"'=1+1", "fine", "'@home"}
    assert set(exported(dataset, "jsonl", Choice(("postcode",)))["note"]) == {"=1+1", "fine", "@home"}


@pytest.mark.usefixtures("in_tenant")
@pytest.mark.parametrize(
    ("choice", "field"),
    [
        (Choice(()), "quasi"),
        (Choice(("agee",)), "quasi"),
        (Choice(("street",)), "quasi"),
        (Choice(("age",), "no such"), "sensitive"),
        (Choice(("age",), "street"), "sensitive"),
        (Choice(("age",), "age"), "quasi"),
        (Choice(("age",), leave_out=("age",)), "quasi"),
        (Choice(("age",), leave_out=("nothing",)), "leave_out"),
        (Choice(("age",), k=1), "k"),
        (Choice(("age",), k=1_001), "k"),
        (Choice(QUASI, k=500), "k"),
    ],
)
def test_choices_that_make_no_sense_are_refused(dataset: Dataset, choice: Choice, field: str) -> None:
    with pytest.raises(InvalidChoice) as refused:
        export_anonymised(dataset=dataset, choice=choice, form="csv", by=SYSTEM)
    assert field in (refused.value.fields or {})


def ask(client: APIClient, dataset: Dataset, what: str, **body: Any) -> Any:
    return client.post(f"/api/v1/datasets/{dataset.pk}/{what}", body)


def test_the_api_measures_and_exports(dataset: Dataset, tenant: Tenant, api_for: ApiFor) -> None:
    client = api_for(tenant, "train", "read")
    facts = ask(client, dataset, "anonymity", quasi=list(QUASI), sensitive="diagnosis")
    assert facts.status_code == 200, facts.json()
    answer = ask(client, dataset, "anonymised", quasi=list(QUASI), sensitive="diagnosis", format="jsonl")
    assert answer.status_code == 200
    rows = [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]
    assert len(rows) == facts.json()["after"]["rows"]
    told = json.loads(answer["X-Anonymity"])
    assert (told["k"], told["rows"]) == (facts.json()["after"]["k"], len(rows))
    assert told["rows_suppressed"] == facts.json()["rows_suppressed"]
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"quasi": []}, 422),
        ({"quasi": "age"}, 400),
        ({"quasi": ["nope"]}, 422),
        ({"quasi": ["age"], "k": 0}, 400),
        ({"quasi": ["age"], "format": "xlsx"}, 400),
        ({"quasi": ["age"], "tenant": 1}, 400),
    ],
)
def test_the_api_says_what_is_wrong(
    dataset: Dataset, tenant: Tenant, api_for: ApiFor, body: dict[str, Any], status: int
) -> None:
    assert ask(api_for(tenant), dataset, "anonymised", **body).status_code == status


def test_readers_and_other_tenants_export_nothing(
    dataset: Dataset, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    assert ask(api_for(tenant, "read"), dataset, "anonymised", quasi=["age"]).status_code == 403
    assert ask(api_for(other_tenant), dataset, "anonymised", quasi=["age"]).status_code == 404


def test_the_console_shows_figures_and_sends_the_file(
    dataset: Dataset, tenant: Tenant, console_for: ConsoleFor
) -> None:
    client, address = console_for(tenant, Role.ANALYST), f"/admin/registry/dataset/{dataset.pk}/anonymised/"
    chosen = {"quasi": list(QUASI), "sensitive": "diagnosis", "k": 5, "form": "figures"}
    page = client.post(address, chosen).content.decode()
    assert "How identifying it is" in page
    assert "Least values of diagnosis in a group" in page
    answer: Any = client.post(address, {**chosen, "form": "parquet"})
    assert pd.read_parquet(io.BytesIO(b"".join(answer.streaming_content)))["age"].notna().all()
    assert "Select a valid choice" in client.post(address, {**chosen, "quasi": ["street"]}).content.decode()


def test_the_command_measures_and_writes(dataset: Dataset, tenant: Tenant, tmp_path: Path) -> None:
    options = ["--tenant", "clinic", "--dataset", str(dataset.pk), "--quasi", *QUASI]
    target = tmp_path / "out.parquet"
    call_command("export_anonymised", *options, "--k", "10", "--output", str(target))
    assert identifiability(pd.read_parquet(target), QUASI).k >= 10
    call_command("export_anonymised", *options)
    with pytest.raises(CommandError, match="no format"):
        call_command("export_anonymised", *options, "--output", str(tmp_path / "out.xlsx"))
    assert not (tmp_path / "out.xlsx").exists()
