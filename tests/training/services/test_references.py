"""Our implementations against scikit-learn's, through every door."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.urls import reverse

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.errors import InvalidModel
from registry.models import Dataset, RegisteredModel
from registry.services.personal import mark_model
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model
from training.errors import InvalidConfig, UnusableData
from training.services.references import MOST_ROWS, compare_with_library

ADDRESS = "/api/v1/models/cancer/compare-reference"
Ready = tuple[RegisteredModel, Dataset]


@pytest.fixture
def ready(tenant: Tenant) -> Ready:
    """The clinic's model and its data."""
    with tenant_scope(tenant), tenant_transaction():
        return make_model(), make_dataset()


@pytest.mark.usefixtures("in_tenant")
class TestService:
    def test_both_logistic_regressions_come_to_the_same_coefficients(self, ready: Ready) -> None:
        found = compare_with_library(model=ready[0], dataset=ready[1], kind="logistic_regression")
        assert found.agreement > 0.98
        assert found.ours.scores["accuracy"] == pytest.approx(found.theirs.scores["accuracy"], abs=0.02)
        for weight in found.weights[:5]:
            assert weight.ours == pytest.approx(weight.theirs, rel=0.05)
        assert found.cost_history[0] == pytest.approx(np.log(2))
        assert (np.diff(found.cost_history) <= 0).all()
        assert found.learnt_rows + found.test_rows == ready[1].rows
        assert found.ours.roc["malignant"].area == pytest.approx(found.theirs.roc["malignant"].area, abs=0.01)

    def test_both_trees_are_as_large_and_as_good(self, ready: Ready) -> None:
        found = compare_with_library(model=ready[0], dataset=ready[1], kind="decision_tree")
        assert found.agreement > 0.95
        assert found.ours.size["depth"] == found.theirs.size["depth"] == 5
        assert found.ours.size["leaves"] == pytest.approx(found.theirs.size["leaves"], abs=2)
        assert found.tree.startswith("<svg")
        assert found.cost_history == []
        assert sum(weight.ours for weight in found.weights) == pytest.approx(1, abs=0.05)

    def test_more_than_two_classes_are_taken_one_against_the_rest(self) -> None:
        rng = np.random.default_rng(0)
        kinds = np.repeat(["a", "b", "c"], 40)
        frame = pd.DataFrame({"x": rng.normal(0, 0.4, 120) + np.repeat([0, 2, 4], 40), "kind": kinds})
        frame["y"] = rng.normal(size=120)
        model = make_model("kinds")
        RegisteredModel.objects.filter(pk=model.pk).update(target="kind")
        model.refresh_from_db()
        found = compare_with_library(
            model=model, dataset=make_dataset(frame=frame), kind="logistic_regression"
        )
        assert list(found.ours.roc) == ["a", "b", "c"]
        assert found.agreement > 0.9

    def test_many_rows_are_sampled_and_personal_columns_left_out(self) -> None:
        rng = np.random.default_rng(0)
        x = rng.normal(size=MOST_ROWS + 500)
        frame = pd.DataFrame({"x": x, "secret": rng.normal(size=len(x))})
        frame["diagnosis"] = np.where(x > 0, "malignant", "benign")
        model, dataset = make_model(), make_dataset(frame=frame)
        model = mark_model(model=model, changes={"secret": "drop"}, by=SYSTEM)
        found = compare_with_library(model=model, dataset=dataset, kind="decision_tree")
        assert found.learnt_rows + found.test_rows == MOST_ROWS
        assert [weight.input for weight in found.weights] == ["x"]
        model = mark_model(model=model, changes={"x": "drop"}, by=SYSTEM)
        with pytest.raises(UnusableData, match="would show their values"):
            compare_with_library(model=model, dataset=dataset, kind="decision_tree")

    def test_what_cannot_be_compared_is_refused(self, ready: Ready) -> None:
        with pytest.raises(InvalidConfig, match="no reference of 'forest'"):
            compare_with_library(model=ready[0], dataset=ready[1], kind="forest")  # type: ignore[arg-type]
        numbers = make_model(data="diabetes")
        with pytest.raises(InvalidModel, match="both references classify"):
            compare_with_library(model=numbers, dataset=ready[1], kind="decision_tree")


def test_a_program_gets_figures_curves_and_the_drawing(tenant: Tenant, api_for: ApiFor, ready: Ready) -> None:
    body: dict[str, Any] = {"dataset": ready[1].pk, "kind": "decision_tree"}
    answer = api_for(tenant).post(ADDRESS, body)
    assert answer.status_code == 200
    found = answer.json()
    assert found["ours"]["roc"]["malignant"]["area"] > 0.9
    assert found["tree"].startswith("<svg")
    refused = api_for(tenant).post(ADDRESS, body | {"kind": "forest"})
    assert refused.status_code == 400


def test_the_page_shows_both_sides_after_one_press(
    tenant: Tenant, console_for: ConsoleFor, ready: Ready
) -> None:
    address = reverse("admin:registry_registeredmodel_changelist") + f"{ready[0].pk}/compare-reference/"
    client = console_for(tenant)
    asked = client.get(address).text
    assert "Compare" in asked
    assert "ROC curves" not in asked
    shown = client.post(address, {"dataset": ready[1].pk, "kind": "logistic_regression"}).text
    for words in (
        "ours against scikit-learn",
        "Cost of the descent",
        "ROC curves for malignant",
        "Learning took",
    ):
        assert words in shown
    tree = client.post(address, {"dataset": ready[1].pk, "kind": "decision_tree"}).text
    assert "Our tree" in tree
    assert "Leaves" in tree


def test_the_command_tells_a_row_for_each_side(tenant: Tenant, ready: Ready) -> None:
    shown = io.StringIO()
    arguments = [f"--tenant={tenant.slug}", "--model=cancer", f"--dataset={ready[1].pk}", "--json"]
    call_command("compare_reference", *arguments, stdout=shown)
    sides = json.loads(shown.getvalue())
    assert [side["implementation"] for side in sides] == ["Ours", "scikit-learn"]
