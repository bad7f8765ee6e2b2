"""A version built again from its record, and how honestly the two are compared."""

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from registry.models import ModelVersion
from registry.problems import Predictions
from tests.factories import make_dataset, make_model, make_version
from tests.training.conftest import MakeJob
from training.errors import NotReproducible
from training.models import JobState, TrainingJob
from training.models.trial import Trial
from training.services import execution
from training.services.claims import claim
from training.services.jobs import create_job, find_job, newest_config
from training.services.repeating import retry_job
from training.services.reproducing import compared, create_reproduction

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


def test_a_regression_is_built_again() -> None:
    config = {"algorithms": ["ridge"], "folds": 2}
    made = create_job(
        model=make_model(data="diabetes"), dataset=make_dataset("diabetes"), by=SYSTEM, config=config
    )
    trained = run(made)
    assert trained.version is not None
    job = run(create_reproduction(version=trained.version, by=SYSTEM))
    assert (job.verdict or {})["result"] == "identical"


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
