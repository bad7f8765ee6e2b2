"""The form of a job: in groups, with what suits the kind of problem alone."""

import pytest
from django.test import Client

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from registry.models import RegisteredModel
from registry.services.models import create_model
from tests.conftest import ConsoleFor
from tests.factories import make_dataset, make_model
from training.admin.job_forms import GROUPS, JobForm
from training.models import TrainingJob

pytestmark = pytest.mark.usefixtures("in_tenant")
ADD = "/admin/training/trainingjob/add/"
WITHOUT_TARGET = ("anomaly_detection", "clustering")


@pytest.fixture
def analyst(tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant, Role.ANALYST)


def model_of(kind: str) -> RegisteredModel:
    if kind in WITHOUT_TARGET:
        return create_model(name="found", problem_type=kind, target="", by=SYSTEM)
    return make_model(data="cancer" if kind == "classification" else "diabetes")


def test_every_field_stands_in_one_group_so_that_none_is_lost() -> None:
    names = [name for group in GROUPS for name in group.names]
    assert len(names) == len(set(names))
    assert set(names) == set(JobForm.base_fields)


@pytest.mark.parametrize(
    ("kind", "absent", "present"),
    [
        ("classification", {"reshape_target"}, {"calibrate", "favourable", "aim", "fairness"}),
        ("regression", {"calibrate", "threshold", "favourable", "balance"}, {"reshape_target", "fairness"}),
        ("anomaly_detection", {"calibrate", "reshape_target", "aim", "fairness"}, {"search", "impute"}),
        ("clustering", {"calibrate", "reshape_target", "aim", "fairness"}, {"split", "scale"}),
    ],
)
def test_only_what_suits_the_kind_of_problem_is_asked(
    analyst: Client, kind: str, absent: set[str], present: set[str]
) -> None:
    form = analyst.get(f"{ADD}?model={model_of(kind).pk}").context["form"]
    assert not absent & set(form.fields)
    assert present <= set(form.fields)


@pytest.mark.parametrize("kind", WITHOUT_TARGET)
def test_the_form_as_it_is_shown_trains_a_model_without_a_target(analyst: Client, kind: str) -> None:
    model, data = model_of(kind), make_dataset()
    form = analyst.get(f"{ADD}?model={model.pk}&dataset={data.pk}").context["form"]
    assert "automl" not in dict(form.fields["search"].choices)
    sent = {name: form[name].value() for name in form.fields}
    answer = analyst.post(
        f"{ADD}?model={model.pk}", {name: value for name, value in sent.items() if value not in (None, "")}
    )
    assert answer.status_code == 302, answer.context["form"].errors
    assert TrainingJob.objects.get().config["automl"] is None


def shown(analyst: Client, address: str, **sent: str) -> dict[str, bool]:
    page = analyst.post(address, sent) if sent else analyst.get(address)
    return {group.title: group.unfolded for group in page.context["form"].grouped_fields()}


def test_rare_choices_are_folded_until_one_of_them_is_wrong_or_filled_in(analyst: Client) -> None:
    model, data = model_of("classification"), make_dataset()
    new = shown(analyst, f"{ADD}?model={model.pk}")
    assert new["Data"]
    assert new["How it is tested"]
    assert not new["How answers are made"]
    assert not new["More about the search"]
    wrong = shown(analyst, f"{ADD}?model={model.pk}", dataset=str(data.pk), folds="99", seed="0")
    assert wrong["More about the search"]
    assert not wrong["When it runs"]
    filled = shown(analyst, f"{ADD}?model={model.pk}&calibrate=sigmoid")
    assert filled["How answers are made"]


def test_the_page_draws_the_groups(analyst: Client) -> None:
    page = analyst.get(f"{ADD}?model={model_of('classification').pk}").content.decode()
    assert page.count("<details") == len(GROUPS)
    assert page.count('<details class="c-group" open>') == 3
