"""The data of a retraining: what the newest version learnt from, and what has turned out since."""

from uuid import UUID

import pytest

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import Sight, current_tenant, tenant_scope
from registry.errors import DatasetHidden
from registry.frames import dataset_frame
from registry.models import Dataset, ModelVersion
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.datasets import freeze
from registry.services.personal import dataset_marks, mark_model
from registry.services.serving import predict
from registry.tabular.schema import Treatment
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table
from training.errors import NothingToRetrain, PersonalFeatures
from training.services.datasets import retraining_dataset

pytestmark = pytest.mark.usefixtures("in_tenant")


def answer_and_label(version: ModelVersion, labels: list[str]) -> list[UUID]:
    """Predict as many rows as there are labels, and report these as what happened."""
    rows = rows_of(version, len(labels))
    answered = predict(model=version.model, rows=[{**row, "mean_radius": 99.5} for row in rows], by=SYSTEM)
    ids = [prediction.pk for prediction in answered.predictions]
    label(ids, labels)
    return ids


def label(ids: list[UUID], labels: list[str]) -> None:
    items = [OutcomeItem(pk, value) for pk, value in zip(ids, labels, strict=True)]
    record_outcomes(items=items, source="api", by=SYSTEM)


def test_without_outcomes_it_is_the_newest_versions_dataset() -> None:
    version = make_champion()
    assert retraining_dataset(model=version.model, by=SYSTEM) == version.dataset


def test_labelled_rows_are_appended_with_the_same_types() -> None:
    version = make_champion()
    answer_and_label(version, ["malignant", "benign", "benign"])
    dataset = retraining_dataset(model=version.model, by=SYSTEM)
    assert (dataset.rows, dataset.parent) == (572, version.dataset)
    assert dataset.origin == {
        "kind": "retraining", "model": "cancer", "rows_added": 3, "base": version.dataset_id,
    }  # fmt: skip
    frame = dataset_frame(dataset)
    assert list(frame["diagnosis"].tail(3)) == ["malignant", "benign", "benign"]
    assert list(frame["mean_radius"].tail(3)) == [99.5] * 3
    assert (frame.dtypes == dataset_frame(version.dataset).dtypes).all()


def test_data_of_a_models_feedback_belongs_to_the_model() -> None:
    """Whoever may not see the model sees neither this data nor that it is there; the base is everybody's."""
    version = make_champion()
    answer_and_label(version, ["malignant"])
    dataset = retraining_dataset(model=version.model, by=SYSTEM)
    assert dataset.model == version.model
    tenant = current_tenant()
    with tenant_scope(tenant, Sight(hidden=frozenset([version.model.name]))):
        assert list(Dataset.objects.all()) == [version.dataset]
        with pytest.raises(DatasetHidden):
            freeze(name="mine", frame=dataset_frame(dataset), by=SYSTEM, origin={"kind": "file"})


def test_nothing_new_gives_the_same_dataset_again() -> None:
    version = make_champion()
    answer_and_label(version, ["malignant"])
    first = retraining_dataset(model=version.model, by=SYSTEM)
    assert retraining_dataset(model=version.model, by=SYSTEM) == first


def test_a_second_retraining_adds_no_row_twice() -> None:
    version = make_champion()
    answer_and_label(version, ["malignant"])
    make_version(version.model, dataset=retraining_dataset(model=version.model, by=SYSTEM))
    answer_and_label(version, ["benign", "benign"])
    assert retraining_dataset(model=version.model, by=SYSTEM).rows == 569 + 3


def test_a_corrected_outcome_replaces_the_wrong_one() -> None:
    version = make_champion()
    ids = answer_and_label(version, ["malignant"])
    make_version(version.model, dataset=retraining_dataset(model=version.model, by=SYSTEM))
    label(ids, ["benign"])
    frame = dataset_frame(retraining_dataset(model=version.model, by=SYSTEM))
    assert len(frame) == 570
    assert frame["diagnosis"].iloc[-1] == "benign"


def test_labels_that_are_numbers_stay_numbers() -> None:
    model = make_model()
    coded = table().assign(diagnosis=lambda rows: (rows["diagnosis"] == "malignant").astype(int))
    version = make_champion(model, dataset=make_dataset(frame=coded))
    answer_and_label(version, ["1", "0"])
    frame = dataset_frame(retraining_dataset(model=model, by=SYSTEM))
    assert list(frame["diagnosis"].tail(2)) == [1, 0]


def test_a_model_without_a_version_is_told_to_train_first() -> None:
    with pytest.raises(NothingToRetrain, match="Train it on a dataset first"):
        retraining_dataset(model=make_model(), by=SYSTEM)


def test_predictions_whose_inputs_are_personal_teach_nothing() -> None:
    version = make_champion()
    version.model = mark_model(model=version.model, changes={"mean_radius": "pseudonymise"}, by=SYSTEM)
    assert retraining_dataset(model=version.model, by=SYSTEM) == version.dataset
    answer_and_label(version, ["malignant"])
    with pytest.raises(PersonalFeatures, match="the log keeps mean_radius only as"):
        retraining_dataset(model=version.model, by=SYSTEM)


def test_personal_columns_that_are_no_inputs_do_not_stand_in_the_way() -> None:
    named = table().assign(patient=[f"patient {number}" for number in range(569)])
    marks = {"patient": Treatment.pseudonymise}
    frozen, _ = freeze(name="n", frame=named, by=SYSTEM, origin={"kind": "test"}, personal=marks)
    version = make_champion(make_model(), dataset=frozen)
    assert version.features[-1]["type"] == "identifier"
    answer_and_label(version, ["malignant", "benign"])
    dataset = retraining_dataset(model=version.model, by=SYSTEM)
    assert (dataset.rows, dataset_marks(dataset)) == (571, marks)
    assert all(is_pseudonym(name) for name in dataset_frame(dataset)["patient"].tail(2))
