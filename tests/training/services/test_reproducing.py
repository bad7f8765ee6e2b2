"""A version built again from its record, and how honestly the two are compared."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from registry.inference.native import predict
from registry.models import ModelVersion
from registry.problems import Predictions
from registry.services.models import create_model
from tests.factories import make_dataset, make_model, make_version
from tests.training.conftest import MakeJob
from training.automl.search import cross_validate
from training.automl.trials import STACK, VOTE, TrialSpec, ensemble_of
from training.errors import NotReproducible
from training.evaluation.splits import thinned
from training.models import JobState, TrainingJob
from training.models.trial import Trial
from training.services import execution
from training.services.claims import claim
from training.services.fitting import fitted, prepare
from training.services.jobs import create_job, find_job, newest_config
from training.services.options import decision_of
from training.services.repeating import retry_job
from training.services.reproducing import compared, create_reproduction
from training.services.tables import Table

pytestmark = pytest.mark.usefixtures("in_tenant")


def run(job: TrainingJob) -> TrainingJob:
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    return find_job(job.pk)


def test_a_version_is_built_again_to_the_last_bit(make_job: MakeJob) -> None:
    config = {"preprocessing": {"scale": "robust"}, "threshold": {"metric": "f1"}}
    trained = run(make_job(algorithms=["random_forest"], **config))
    assert trained.version is not None
    job = run(create_reproduction(version=trained.version, by=SYSTEM))
    assert (job.state, job.error, job.version) == (JobState.SUCCEEDED, "", None)
    assert job.verdict is not None
    assert (job.verdict["result"], job.verdict["rows"]) == ("identical", trained.version.holdout_rows)
    assert job.verdict["environment"] == []
    assert job.log.filter(message__endswith="alike, to the last bit.").exists()
    assert ModelVersion.objects.count() == 1
    assert AuditEvent.objects.filter(action="version.reproduced").exists()
    assert newest_config(trained.model) == trained.config
    assert retry_job(job=job, by=SYSTEM).reproduces == trained.version


@pytest.mark.any_database
def test_a_regression_is_built_again() -> None:
    config = {"algorithms": ["ridge"], "folds": 2}
    made = create_job(
        model=make_model(data="diabetes"), dataset=make_dataset("diabetes"), by=SYSTEM, config=config
    )
    trained = run(made)
    assert trained.version is not None
    job = run(create_reproduction(version=trained.version, by=SYSTEM))
    assert (job.verdict or {})["result"] == "identical"


def small(problem: str) -> pd.DataFrame:
    """Return few rows of every kind of column, with gaps; the target follows from most of them."""
    rng, rows = np.random.default_rng(8), 160
    frame = pd.DataFrame(
        {
            "dose": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "ward": pd.Series(rng.choice(["a", "b", "c"], rows), dtype="str"),
            "seen": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D"),
            "note": pd.Series(
                [f"patient {word} after the long night" for word in rng.choice(["calm", "in pain"], rows)],
                dtype="str",
            ),
        }
    )
    worth = frame["dose"].fillna(0) + (frame["ward"] == "a") + frame["note"].str.contains("pain")
    noisy = worth + rng.normal(0, 0.3, rows)
    if problem == "classification":
        return frame.assign(target=np.where(noisy > noisy.median(), "ill", "well"))
    return frame.assign(target=noisy) if problem == "regression" else frame[["dose", "ward"]]


FAST: dict[str, Any] = {"n_estimators": 10}
AUTOML: dict[str, Any] = {"seconds": 300, "trials": 4}
RECORDED: list[tuple[str, str, dict[str, Any]]] = [
    ("boosted", "classification", {"algorithms": [{"key": "xgboost", "params": FAST}]}),
    ("boosted by another", "classification", {"algorithms": [{"key": "lightgbm", "params": FAST}]}),
    ("boosted numbers", "regression", {"algorithms": [{"key": "lightgbm", "params": FAST}]}),
    ("calibrated", "classification", {"algorithms": ["naive_bayes"], "calibrate": "isotonic"}),
    (
        "resampled, with a threshold",
        "classification",
        {
            "algorithms": ["logistic_regression"],
            "preprocessing": {"balance": "over"},
            "threshold": {"metric": "f1"},
        },
    ),
    (
        "searched",
        "classification",
        {"algorithms": ["decision_tree"], "search": {"method": "random", "trials": 3}},
    ),
    ("several", "regression", {"algorithms": ["ridge", {"key": "random_forest", "params": FAST}]}),
    (
        "encoded by targets",
        "regression",
        {"algorithms": ["ridge"], "preprocessing": {"encode": "target"}},
    ),
    (
        "automatic",
        "classification",
        {"algorithms": ["naive_bayes", "logistic_regression", "knn"], "automl": AUTOML},
    ),
    (
        "automatic, calibrated",
        "classification",
        {
            "algorithms": ["naive_bayes", "logistic_regression", "knn"],
            "automl": AUTOML,
            "calibrate": "sigmoid",
        },
    ),
    ("unusual rows", "anomaly_detection", {"algorithms": ["isolation_forest"]}),
    ("groups", "clustering", {"algorithms": ["kmeans"]}),
]


@pytest.mark.parametrize(
    ("problem", "config"), [row[1:] for row in RECORDED], ids=[row[0] for row in RECORDED]
)
@pytest.mark.any_database
def test_every_kind_of_version_is_built_again_to_the_last_bit(problem: str, config: dict[str, Any]) -> None:
    frame = small(problem)
    target = "target" if "target" in frame else ""
    algorithms = [one if isinstance(one, dict) else {"key": one} for one in config["algorithms"]]
    trained = run(
        create_job(
            model=create_model(name="kinds", problem_type=problem, target=target, by=SYSTEM),
            dataset=make_dataset("kinds", frame),
            by=SYSTEM,
            config={"folds": 2, "seed": 3} | config | {"algorithms": algorithms},
        )
    )
    version = trained.version
    assert version is not None, trained.error
    assert version.environment["seed"] == 3
    assert version.environment["threads"] >= 1
    job = run(create_reproduction(version=version, by=SYSTEM))
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.config["seed"] == 3
    assert job.verdict is not None
    assert (job.verdict["result"], job.verdict["rows"]) == ("identical", version.holdout_rows)


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("how", [VOTE, STACK])
@pytest.mark.any_database
def test_an_ensemble_with_a_threshold_is_built_again(how: str, share: float) -> None:
    """Its decision was learnt from its members' answers together; a record without them has to suffice."""
    config = {
        "algorithms": [{"key": "naive_bayes"}, {"key": "logistic_regression"}],
        "folds": 2,
        "threshold": {"metric": "f1"},
    }
    made = create_job(
        model=create_model(name="kinds", problem_type="classification", target="target", by=SYSTEM),
        dataset=make_dataset("kinds", small("classification")),
        by=SYSTEM,
        config=config,
    )
    material = prepare(made, Table.of_job(made))
    members = {0: 0.6, 1: 0.4}
    spec = ensemble_of(members, [TrialSpec("naive_bayes"), TrialSpec("logistic_regression")], how)
    features, target = material.training
    tried = cross_validate(
        spec,
        features,
        target,
        material.columns,
        material.problem,
        thinned(material.folds(made.config), share, made.config["seed"]),
        made.config["seed"],
        decision=decision_of(made.config, target),
    )
    known, _ = fitted(made, material, tried)
    again, _ = fitted(made, material, replace(tried, out_of_fold=None, share=share))
    rows = material.holdout[0]
    before, after = (predict(one, rows, ["ill", "well"]) for one in (known, again))
    assert compared(before, after).result == "identical"


def test_another_model_than_the_record_says_is_found_out(make_job: MakeJob) -> None:
    trained = run(make_job(algorithms=["decision_tree"]))
    version = trained.version
    assert version is not None
    Trial.objects.filter(job=trained, rank=1).update(params={"max_depth": 1})
    version.environment["numpy"] = "1.0"
    version.save(update_fields=["environment"])
    job = run(create_reproduction(version=version, by=SYSTEM))
    assert job.verdict is not None
    assert job.verdict["result"] == "different"
    assert job.verdict["changed"] > 0
    assert [line.split(":")[0] for line in job.verdict["environment"]] == ["numpy"]
    assert job.log.filter(level="warning", message__contains="hold-out rows otherwise").exists()


def test_what_was_not_trained_here_cannot_be_built_again() -> None:
    with pytest.raises(NotReproducible, match="was not trained here"):
        create_reproduction(version=make_version(), by=SYSTEM)


def labels(*probabilities: float, last: str = "b") -> Predictions:
    return Predictions(np.array(["a", last]), np.array([[one, 1 - one] for one in probabilities]), ["a", "b"])


def test_verdicts_tell_bits_from_digits_from_answers() -> None:
    first = labels(0.9, 0.2)
    assert compared(first, labels(0.9, 0.2)).result == "identical"
    close = compared(first, labels(0.9, 0.2 + 1e-12))
    assert (close.result, close.changed) == ("close", 0)
    assert 0 < close.difference < 1e-11
    assert compared(first, labels(0.9, 0.2001)).result == "different"
    assert compared(first, labels(0.9, 0.2, last="a")).changed == 1
    numbers = Predictions(np.array([1e6, 2e6]))
    assert compared(numbers, Predictions(np.array([1e6, 2e6 + 1e-6]))).result == "close"
    assert compared(numbers, Predictions(np.array([1e6, 2e6 + 1.0]))).result == "different"
