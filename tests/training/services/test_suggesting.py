"""What is said before a training."""

import io
import json

import pandas as pd
from django.core.management import call_command

from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model, table
from training.automl.suggestions import Facts, hints, suggest


def keys(facts: Facts) -> list[str]:
    return [one.algorithm for one in suggest(facts)]


def test_few_rows_call_for_simple_models_and_many_for_boosting() -> None:
    few = keys(Facts("classification", rows=200, inputs=10, classes=2))
    many = keys(Facts("classification", rows=200_000, inputs=10, classes=2))
    assert few.index("logistic_regression") < few.index("hist_gradient_boosting")
    assert many.index("hist_gradient_boosting") < many.index("logistic_regression")
    assert {"svm", "knn"} & set(few)
    assert not {"svm", "knn"} & set(many)


def test_time_grows_with_the_table_and_shrinks_with_the_cores() -> None:
    small, large = Facts("regression", 1000, 10), Facts("regression", 100_000, 10)

    def seconds(facts: Facts, threads: int = 1) -> float:
        found = suggest(facts, threads=threads)
        return next(one.seconds for one in found if one.algorithm == "random_forest")

    assert seconds(large) > 50 * seconds(small)
    assert seconds(large, threads=2) < seconds(large)


def test_missing_values_and_rare_classes_are_pointed_at() -> None:
    facts = Facts("classification", 5000, 10, classes=2, missing=0.3, categories=200, rarest=0.02)
    boosting = next(one for one in suggest(facts) if one.algorithm == "hist_gradient_boosting")
    assert "takes the missing values (30%) as they are" in boosting.why
    told = " ".join(hints(facts))
    assert "2.0% of the rows" in told
    assert "encode=target" in told
    assert hints(Facts("classification", 5000, 10, classes=2)) == []


def test_the_same_is_said_by_api_command_and_console(
    tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    rare = table().assign(site=pd.Series([f"s{place % 40}" for place in range(569)], dtype="str"))
    with tenant_scope(tenant), tenant_transaction():
        model, dataset = make_model(), make_dataset(frame=rare)
    answer = api_for(tenant).post("/api/v1/models/cancer/suggest-algorithms", {"dataset": dataset.pk})
    assert answer.status_code == 200
    body = answer.json()
    assert body["algorithms"][0]["why"]
    assert all(one["seconds"] > 0 for one in body["algorithms"])
    assert any("40 categories" in hint for hint in body["hints"])
    shown = io.StringIO()
    call_command(
        "suggest_algorithms",
        f"--tenant={tenant.slug}",
        "--model=cancer",
        f"--dataset={dataset.pk}",
        "--json",
        stdout=shown,
        stderr=io.StringIO(),
    )
    assert json.loads(shown.getvalue()) == body["algorithms"]
    page = console_for(tenant, Role.ANALYST).get(
        f"/admin/training/trainingjob/add/?model={model.pk}&dataset={dataset.pk}"
    )
    text = page.content.decode()
    assert body["algorithms"][0]["why"] in text
    assert "40 categories" in text
