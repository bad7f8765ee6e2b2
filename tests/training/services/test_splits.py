"""A job that holds out groups, or the newest rows, from the request to the gates."""

import numpy as np
import pandas as pd
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.frames import dataset_frame
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.services.gates import evaluate_gates, holdout_rows
from registry.services.models import create_model
from registry.services.personal import mark_dataset
from registry.services.promotion import promote
from registry.tabular.splits import held_out
from tests.conftest import ApiFor
from tests.factories import make_dataset
from training.errors import InvalidConfig, UnusableData
from training.models import JobState, TrainingJob
from training.services import execution
from training.services.claims import claim
from training.services.configs import checked_config, split_of
from training.services.fitting import prepare
from training.services.jobs import create_job, find_job
from training.services.tables import Table

pytestmark = pytest.mark.usefixtures("in_tenant")
GROUP, TIME = {"kind": "group", "column": "ward"}, {"kind": "time", "column": "seen"}
QUICK = {"algorithms": [{"key": "logistic_regression"}], "folds": 3}


def visits(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    value = rng.normal(size=n)
    return pd.DataFrame(
        {
            "ward": [f"w{number}" for number in rng.integers(0, 25, n)],
            "seen": pd.date_range("2025-01-01", periods=n, freq="D").strftime("%Y-%m-%d"),
            "value": value,
            "ill": np.where(value + rng.normal(size=n) > 0, "yes", "no"),
        }
    )


@pytest.fixture
def data() -> Dataset:
    return make_dataset("visits", visits())


@pytest.fixture
def model() -> RegisteredModel:
    return create_model(name="illness", problem_type="classification", target="ill", by=SYSTEM)


def trained(model: RegisteredModel, data: Dataset, **config: object) -> ModelVersion:
    job = create_job(model=model, dataset=data, by=SYSTEM, config=QUICK | config)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    job = find_job(job.pk)
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.version is not None
    return job.version


def test_folds_keep_groups_together_and_the_group_is_no_input(model: RegisteredModel, data: Dataset) -> None:
    job = TrainingJob(model=model, dataset=data, config=checked_config(model, QUICK | {"split": GROUP}))
    material = prepare(job, Table.of_job(job))
    assert [column.name for column in material.columns] == ["seen", "value"]
    assert material.arranged is not None
    groups = material.arranged[~material.held_out].to_numpy()
    for train, test in material.folds(job.config):
        assert not set(groups[train]) & set(groups[test])


def test_folds_in_order_of_time_test_on_what_comes_after(model: RegisteredModel, data: Dataset) -> None:
    job = TrainingJob(model=model, dataset=data, config=checked_config(model, QUICK | {"split": TIME}))
    material = prepare(job, Table.of_job(job))
    assert material.arranged is not None
    moments = material.arranged[~material.held_out].to_numpy()
    parts = material.folds(job.config)
    assert len(parts) == 3
    assert [len(train) for train, _ in parts] == sorted(len(train) for train, _ in parts)
    assert all(moments[train].max() < moments[test].min() for train, test in parts)
    assert material.arranged[material.held_out].min() > moments.max()


def test_versions_of_two_splits_meet_on_rows_that_neither_has_seen(
    model: RegisteredModel, data: Dataset
) -> None:
    champion = trained(model, data, split=GROUP)
    promote(model=model, version=champion, by=SYSTEM, reason="first", override=True)
    candidate = trained(model, data, split=TIME)
    assert champion.split == {"kind": "group", "column": "ward", "cutoff": None, "share": 0.2}
    assert candidate.split["cutoff"].startswith("2025-08-29")
    frame = dataset_frame(data)
    both = np.ones(len(frame), dtype=bool)
    for version in (champion, candidate):
        both &= held_out(frame, "ill", split_of({"split": version.split}))
    assert 0 < both.sum() < candidate.holdout_rows
    assert set(holdout_rows(model, candidate, champion).target.index) == set(np.flatnonzero(both))
    (gate,) = [
        one for one in evaluate_gates(model=model, candidate=candidate) if one.name.startswith("not_worse")
    ]
    assert gate.numbers["rows"] == both.sum()


@pytest.mark.parametrize("split", [None, GROUP, TIME], ids=["content", "group", "time"])
def test_as_much_is_held_out_as_the_job_says(
    model: RegisteredModel, data: Dataset, split: dict[str, str] | None
) -> None:
    config = checked_config(model, QUICK | {"split": split, "holdout": 0.4})
    job = TrainingJob(model=model, dataset=data, config=config)
    material = prepare(job, Table.of_job(job))
    assert 0.25 < material.held_out.mean() < 0.5
    assert material.split.share == 0.4


def test_versions_of_two_shares_meet_on_the_smaller_hold_out(model: RegisteredModel, data: Dataset) -> None:
    narrow, wide = trained(model, data, holdout=0.1), trained(model, data, holdout=0.4)
    assert (narrow.split["share"], wide.split["share"]) == (0.1, 0.4)
    assert narrow.holdout_rows < wide.holdout_rows
    assert len(holdout_rows(model, wide, narrow).target) == narrow.holdout_rows


def test_groups_are_compared_where_the_job_says_so(
    model: RegisteredModel, tenant: Tenant, api_for: ApiFor
) -> None:
    frame = visits(600).assign(region=lambda rows: np.where(rows.index % 3, "north", "south"))
    data = make_dataset("regions", frame)
    version = trained(model, data, fairness={"columns": ["region"], "favourable": "no"})
    assert {gap["measure"] for gap in version.evaluation["gaps"]} >= {"selection_rate", "f1"}
    assert version.evaluation["favourable"] == "no"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"split": {"kind": "group"}}, "Give"),
        ({"split": {"kind": "fancy", "column": "ward"}}, "cannot be split"),
        ({"split": {"kind": "time", "column": "seen", "cutoff": "2020-01-01"}}, "leave it out"),
        ({"split": GROUP | {"share": 0.3}}, "the share from holdout"),
        ({"split": {"kind": "group", "column": "ill"}}, "is what the model predicts"),
        ({"split": TIME, "calibrate": "sigmoid"}, "neither calibration nor threshold"),
        ({"fairness": {"columns": []}}, "Name 1 to 5"),
    ],
)
def test_a_senseless_measure_is_refused_before_a_job_exists(
    model: RegisteredModel, config: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidConfig, match=words):
        checked_config(model, QUICK | config)


def test_columns_that_are_missing_personal_or_no_dates_are_refused(
    model: RegisteredModel, data: Dataset
) -> None:
    for split, words in (
        ({"kind": "group", "column": "nobody"}, "no column"),
        ({"kind": "time", "column": "value"}, "not dates"),
    ):
        with pytest.raises(UnusableData, match=words):
            create_job(model=model, dataset=data, by=SYSTEM, config=QUICK | {"split": split})
    mark_dataset(dataset=data, changes={"ward": "pseudonymise"}, by=SYSTEM)
    with pytest.raises(UnusableData, match="personal"):
        create_job(model=model, dataset=data, by=SYSTEM, config=QUICK | {"fairness": {"columns": ["ward"]}})


def test_the_api_takes_split_and_fairness(
    model: RegisteredModel, data: Dataset, tenant: Tenant, api_for: ApiFor
) -> None:
    asked = {"model": "illness", "dataset": data.pk, "split": TIME, "fairness": {"columns": ["ward"]}}
    asked["holdout"] = 0.3
    answer = api_for(tenant).post("/api/v1/jobs", asked)
    assert answer.status_code == 201, answer.content
    config = TrainingJob.objects.get().config
    assert (config["split"], config["holdout"]) == (TIME, 0.3)
    assert config["fairness"] == {"columns": ["ward"], "favourable": None}
