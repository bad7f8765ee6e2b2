"""Models, datasets and predictions in the console."""

import pytest

from mlplatform.admin.links import page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset, Prediction, RegisteredModel
from registry.services.serving import predict
from tests.conftest import ConsoleFor
from tests.console import furnish
from tests.factories import make_champion, make_dataset, make_model, rows_of, table
from tests.plugins.application_role import whole_database

MODELS = "/admin/registry/registeredmodel/"
EVIL = "<script>alert(1)</script>"


def test_a_model_is_registered(tenant: Tenant, console_for: ConsoleFor) -> None:
    form = {"name": "churn", "problem_type": "classification", "target": "left"}
    console_for(tenant, Role.ANALYST).post(f"{MODELS}add/", form)
    with whole_database():
        assert RegisteredModel.all_tenants.get().tenant == tenant


@pytest.mark.parametrize(
    ("name", "words"), [("Churn Risk", "lower-case letters"), ("taken", "already"), ("", "required")]
)
def test_a_bad_name_is_said_in_the_form(
    tenant: Tenant, console_for: ConsoleFor, name: str, words: str
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_model("taken")
    form = {"name": name, "problem_type": "classification", "target": "left"}
    assert words in console_for(tenant).post(f"{MODELS}add/", form).content.decode()
    with whole_database():
        assert RegisteredModel.all_tenants.count() == 1


def test_a_description_is_shown_as_text(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model()
    client = console_for(tenant)
    told = {"description": EVIL, "data_checks": "warn", "log_writing": "background"}
    client.post(
        f"{MODELS}{model.pk}/edit/", told | {"log_share": 1, "cache_seconds": 300, "twin_tolerance": 0.001}
    )
    with tenant_scope(tenant):
        entry = AuditEvent.objects.get(action="model.updated")
    for address in (f"{MODELS}{model.pk}/change/", f"{MODELS}{model.pk}/edit/", page_url(entry)):
        page = client.get(address).content.decode()
        assert EVIL not in page
        assert "&lt;script&gt;" in page


def test_names_from_data_are_shown_as_text(tenant: Tenant, console_for: ConsoleFor) -> None:
    frame = table().rename(columns={"mean_radius": EVIL})
    with tenant_scope(tenant), tenant_transaction():
        dataset = make_dataset(EVIL, frame.assign(kind=["<b>x</b>", "<i>y</i>"] * 284 + ["<b>x</b>"]))
    page = console_for(tenant).get(f"/admin/registry/dataset/{dataset.pk}/change/").content.decode()
    assert EVIL not in page
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_the_models_page_shows_its_whole_loop(tenant: Tenant, console_for: ConsoleFor) -> None:
    made = furnish(tenant)
    page = console_for(tenant).get(f"{MODELS}{made.model.pk}/change/").content.decode()
    for step in (
        "Data",
        "Training jobs",
        "Versions",
        "Deployments",
        "Predictions",
        "Outcomes",
        "Drift checks",
        "Alerts",
        "Decisions",
    ):
        assert f'<span class="c-step-title">{step}</span>' in page
    for section in (
        "Deployment history",
        "Realized quality",
        "Drift",
        "Retraining schedules",
        "Retraining policy",
    ):
        assert section in page


def test_the_page_of_a_new_model_says_what_to_do(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model()
    page = console_for(tenant).get(f"{MODELS}{model.pk}/change/").content.decode()
    assert "Train the model to compare algorithms" in page
    assert "Promote a version to let it answer" in page


def test_no_page_shows_raw_json(tenant: Tenant, console_for: ConsoleFor) -> None:
    made = furnish(tenant)
    page = (
        console_for(tenant).get(f"/admin/registry/modelversion/{made.champion.pk}/change/").content.decode()
    )
    assert "{&#x27;" not in page
    assert "[{" not in page


def test_a_prediction_is_found_by_its_id(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM)
        other, wanted, _ = Prediction.objects.all()
    page = console_for(tenant).get(f"/admin/registry/prediction/?q={wanted.pk}").content.decode()
    assert f"/admin/registry/prediction/{wanted.pk}/change/" in page
    assert f"/admin/registry/prediction/{other.pk}/change/" not in page


def test_predictions_are_filtered_by_label(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        predict(model=champion.model, rows=rows_of(champion, 30), by=SYSTEM)
        malignant = Prediction.objects.filter(label="malignant").count()
    page = console_for(tenant).get("/admin/registry/prediction/?label=malignant").content.decode()
    assert 0 < malignant < 30
    assert f"{malignant} results" in page


def test_filters_offer_the_own_tenants_models_only(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        make_model("secret-of-others")
    with tenant_scope(tenant), tenant_transaction():
        make_champion()
    for page in ("registry/modelversion", "registry/prediction", "training/trainingjob", "monitoring/alert"):
        assert "secret-of-others" not in console_for(tenant).get(f"/admin/{page}/").content.decode()


def test_a_filter_by_another_tenants_key_finds_nothing(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        theirs = make_champion()
    page = console_for(tenant).get(f"/admin/registry/modelversion/?model__id__exact={theirs.model_id}")
    assert "cancer" not in page.content.decode()


def test_nothing_is_deleted_or_edited_through_django_s_own_forms(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        dataset = make_dataset()
    client = console_for(tenant)
    address = f"/admin/registry/dataset/{dataset.pk}"
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{address}/change/", {"name": "other"}).status_code == 405
    with whole_database():
        assert Dataset.all_tenants.get().name == "cancer"


def test_what_is_rarely_done_with_a_model_folds_away(tenant: Tenant, console_for: ConsoleFor) -> None:
    made = furnish(tenant)
    page = console_for(tenant).get(f"{MODELS}{made.model.pk}/change/").content.decode()
    before, *menus = page.split('<div class="c-sections">')[0].split('<details class="c-menu"')
    assert [menu.split("<summary")[1].split(">")[1].split("<")[0] for menu in menus] == [
        "Look closer",
        "Settings",
        "Files",
    ]
    assert "/edit/" in before
    assert [slug for slug in ("past", "gates", "export") if f"/{slug}/" in before] == []
    assert [slug in menu for slug, menu in zip(("past", "gates", "export"), menus, strict=True)] == [True] * 3
