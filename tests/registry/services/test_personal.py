import pandas as pd
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.errors import InvalidMarks
from registry.models import Dataset, ModelVersion, Prediction
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.datasets import freeze
from registry.services.log_treatment import treat_predictions
from registry.services.personal import dataset_marks, mark_dataset, mark_model, model_marks
from registry.services.pseudonyms import entity_pseudonym
from registry.services.serving import predict
from registry.tabular.schema import Treatment
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table

KEEP, DROP = Treatment.pseudonymise, Treatment.drop
WARDS = ["ward-east", "ward-west"]


def with_wards() -> pd.DataFrame:
    frame = table()
    return frame.assign(ward=[WARDS[place % 2] for place in range(len(frame))])


@pytest.fixture
def dataset(in_tenant: Tenant) -> Dataset:
    """The cancer data with the ward of each patient, nothing marked."""
    return make_dataset(frame=with_wards())


@pytest.fixture
def champion(dataset: Dataset) -> ModelVersion:
    """A deployed version that looks at the ward."""
    return make_champion(make_model(), dataset=dataset)


def test_marks_at_import_leave_nothing_of_the_values_beside_the_file(in_tenant: Tenant) -> None:
    marks = {"ward": KEEP, "mean_radius": DROP}
    frozen, _ = freeze(name="w", frame=with_wards(), by=SYSTEM, origin={"kind": "test"}, personal=marks)
    assert dataset_marks(frozen) == marks
    assert "ward-east" not in f"{frozen.columns}{frozen.profile}"
    assert frozen.profile["columns"]["mean_radius"].keys() == {"type", "missing", "distinct"}
    assert AuditEvent.objects.get(action="dataset.frozen").details["personal"] == marks


def test_the_same_content_again_takes_on_the_stricter_marks(dataset: Dataset) -> None:
    again, new = freeze(
        name="w", frame=with_wards(), by=SYSTEM, origin={"kind": "test"}, personal={"ward": DROP}
    )
    assert (again.pk, new) == (dataset.pk, False)
    assert dataset_marks(again) == {"ward": DROP}
    loose, _ = freeze(
        name="w", frame=with_wards(), by=SYSTEM, origin={"kind": "test"}, personal={"ward": KEEP}
    )
    assert dataset_marks(loose) == {"ward": DROP}


@pytest.mark.parametrize(
    ("changes", "named"), [({"wrad": "drop"}, "wrad"), ({"ward": "hide"}, "ward"), ({"ward": ""}, "ward")]
)
def test_unknown_columns_and_treatments_are_refused(
    dataset: Dataset, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(InvalidMarks) as refused:
        mark_dataset(dataset=dataset, changes=changes, by=SYSTEM)
    assert named in (refused.value.fields or {})
    assert dataset_marks(dataset) == {}


def test_a_later_mark_treats_the_profile_and_taking_it_off_profiles_anew(dataset: Dataset) -> None:
    dataset.refresh_from_db()
    columns, profile = dataset.columns, dataset.profile
    assert "ward-east" in str(profile)
    marked = mark_dataset(dataset=dataset, changes={"ward": KEEP, "mean_radius": KEEP}, by=SYSTEM)
    assert "ward-east" not in f"{marked.columns}{marked.profile}"
    bare = mark_dataset(dataset=marked, changes={"ward": None, "mean_radius": None}, by=SYSTEM)
    assert (bare.columns, bare.profile) == (columns, profile)
    told = [(one.before, one.after) for one in AuditEvent.objects.filter(action="dataset.columns_marked")]
    assert ({}, {"ward": "pseudonymise", "mean_radius": "pseudonymise"}) in told


def test_what_was_made_from_a_dataset_is_marked_with_it(dataset: Dataset) -> None:
    longer = pd.concat([with_wards(), with_wards()], ignore_index=True)
    child, _ = freeze(name="c", frame=longer, by=SYSTEM, origin={"kind": "retraining"}, parent=dataset)
    mark_dataset(dataset=dataset, changes={"ward": DROP}, by=SYSTEM)
    child.refresh_from_db()
    assert dataset_marks(child) == {"ward": DROP}
    assert "ward-east" not in f"{child.columns}{child.profile}"


def test_a_model_inherits_the_marks_of_its_data(in_tenant: Tenant) -> None:
    frozen, _ = freeze(
        name="w", frame=with_wards(), by=SYSTEM, origin={"kind": "test"}, personal={"ward": KEEP}
    )
    version = make_version(make_model(), dataset=frozen)
    assert model_marks(version.model) == {"ward": KEEP}
    assert "ward-east" not in f"{version.features}{version.reference}"
    assert [is_pseudonym(name) for name in version.reference["ward"]["categories"]] == [True, True]


def test_a_mark_on_the_data_reaches_the_models_trained_on_it(
    champion: ModelVersion, dataset: Dataset
) -> None:
    assert "ward-east" in f"{champion.features}{champion.reference}"
    mark_dataset(dataset=dataset, changes={"ward": KEEP, "mean_radius": DROP}, by=SYSTEM)
    champion.refresh_from_db()
    champion.model.refresh_from_db()
    assert model_marks(champion.model) == {"ward": KEEP, "mean_radius": DROP}
    assert "ward-east" not in f"{champion.features}{champion.reference}"
    assert "mean_radius" not in champion.reference


def test_the_log_keeps_what_the_marks_allow_while_the_model_sees_all(champion: ModelVersion) -> None:
    rows = rows_of(champion, 6)
    before = predict(model=champion.model, rows=rows, by=SYSTEM).predictions
    model = mark_model(model=champion.model, changes={"ward": KEEP, "mean_radius": DROP}, by=SYSTEM)
    after = predict(model=model, rows=rows, by=SYSTEM).predictions
    assert [one.probabilities for one in after] == [one.probabilities for one in before]
    logged = Prediction.objects.get(pk=after[0].pk)
    assert is_pseudonym(logged.features["ward"])
    assert "mean_radius" not in logged.features
    assert logged.features["mean_area"] == rows[0]["mean_area"]
    assert logged.features["ward"] != Prediction.objects.get(pk=after[1].pk).features["ward"]
    assert Prediction.objects.get(pk=before[0].pk).features == rows[0]


def test_applying_marks_to_the_log_treats_what_was_logged_before(champion: ModelVersion) -> None:
    predict(model=champion.model, rows=rows_of(champion, 5), by=SYSTEM, entity_keys=list("abcde"))
    Prediction.objects.update(entity_key="plain, from before")
    model = mark_model(model=champion.model, changes={"ward": DROP}, by=SYSTEM)
    assert treat_predictions(model=model) == 5
    assert all("ward" not in one.features for one in Prediction.objects.all())
    assert {one.entity_key for one in Prediction.objects.all()} == {entity_pseudonym("plain, from before")}
    assert treat_predictions(model=model) == 0


def test_the_target_cannot_be_personal(champion: ModelVersion, dataset: Dataset) -> None:
    for mark in (
        lambda: mark_dataset(dataset=dataset, changes={"diagnosis": KEEP}, by=SYSTEM),
        lambda: mark_model(model=champion.model, changes={"diagnosis": KEEP}, by=SYSTEM),
    ):
        with pytest.raises(InvalidMarks):
            mark()
    assert dataset_marks(Dataset.objects.get()) == {}


def test_a_model_adds_to_the_marks_of_its_data_and_takes_none_off(
    champion: ModelVersion, dataset: Dataset
) -> None:
    mark_dataset(dataset=dataset, changes={"ward": KEEP}, by=SYSTEM)
    model = mark_model(model=champion.model, changes={"ward": DROP, "mean_area": KEEP}, by=SYSTEM)
    assert model_marks(model) == {"ward": DROP, "mean_area": KEEP}
    assert model_marks(mark_model(model=model, changes={"mean_area": None}, by=SYSTEM)) == {"ward": DROP}
    with pytest.raises(InvalidMarks, match="ward"):
        mark_model(model=model, changes={"ward": None}, by=SYSTEM)


def test_a_model_forgets_the_reference_that_no_log_will_match_again(champion: ModelVersion) -> None:
    model = mark_model(model=champion.model, changes={"ward": KEEP}, by=SYSTEM)
    mark_model(model=model, changes={"ward": None}, by=SYSTEM)
    champion.refresh_from_db()
    assert "ward" not in champion.reference


def test_a_model_that_has_no_version_yet_takes_any_column(in_tenant: Tenant) -> None:
    model = mark_model(model=make_model(), changes={"anything": KEEP}, by=SYSTEM)
    assert model_marks(model) == {"anything": KEEP}
    version = make_version(model)
    with pytest.raises(InvalidMarks):
        mark_model(model=version.model, changes={"else": KEEP}, by=SYSTEM)


def test_tenants_have_secrets_of_their_own(tenant: Tenant, other_tenant: Tenant) -> None:
    names = []
    for one in (tenant, other_tenant, tenant):
        with tenant_scope(one), tenant_transaction():
            names.append(entity_pseudonym("Alice"))
    assert names[0] == names[2] != names[1]


def test_cases_are_logged_by_pseudonym(champion: ModelVersion) -> None:
    keys = ["Alice", None, entity_pseudonym("Bo")]
    logged = predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM, entity_keys=keys).predictions
    assert [one.entity_key for one in logged] == [entity_pseudonym("Alice"), "", entity_pseudonym("Bo")]
