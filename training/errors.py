"""What can go wrong on the way to a version."""

from mlplatform.errors import Conflict, InvalidInput, NotFound, Unavailable


class UnreadableFile(InvalidInput):
    """The file is no table that can be read; the text says where it breaks and how to mend it."""

    code = "unreadable_file"
    title = "The file cannot be read"


class FileTooLarge(InvalidInput):
    """The file is over the limit."""

    status = 413
    code = "file_too_large"
    title = "The file is too large"


class UnusableData(InvalidInput):
    """The dataset cannot teach this model."""

    code = "unusable_data"
    title = "The dataset cannot be used"


class InvalidConfig(InvalidInput):
    """The training's settings are wrong; ``fields`` says which."""

    code = "invalid_training_config"


class NoEvaluation(NotFound):
    """The version's record holds no evaluation: it came from elsewhere, or from before there were any."""

    code = "no_evaluation"


class NotComparableVersions(InvalidInput):
    """These versions or jobs cannot be put side by side."""

    code = "not_comparable"
    title = "Not comparable"


class NothingToRetrain(Conflict):
    """The model has no version yet whose data could be extended."""

    code = "nothing_to_retrain"


class PersonalFeatures(Conflict):
    """The log does not keep the true values of the model's inputs, so nothing can be learnt from it."""

    code = "personal_features"


class TrainingBroke(RuntimeError):
    """A bug in a training on personal data: its kind alone, since its text may quote values."""


class JobNotFound(NotFound):
    """No training job of this number."""

    code = "job_not_found"


class JobActive(Conflict):
    """A job for the same model and dataset waits or runs."""

    code = "job_active"


class JobEnded(Conflict):
    """The job has ended, so nothing about it can change."""

    code = "job_ended"


class NotReproducible(Conflict):
    """The version's record does not say enough to build it again."""

    code = "not_reproducible"


class TrainingFailed(InvalidInput):
    """A training that cannot succeed with this data and these settings; ``code`` says why in one word."""

    code = "training_failed"


class ScheduleNotFound(NotFound):
    """No schedule of this number."""

    code = "schedule_not_found"


class InvalidSchedule(InvalidInput):
    """The times, the time zone or the name of a schedule are wrong."""

    code = "invalid_schedule"


class ScheduleExists(Conflict):
    """The schedule's name is taken."""

    code = "schedule_exists"


class SourceNotFound(NotFound):
    """No data source of this number."""

    code = "source_not_found"


class SourceExists(Conflict):
    """The source's name is taken."""

    code = "source_exists"


class SourceInUse(Conflict):
    """Jobs or schedules name the source."""

    code = "source_in_use"


class InvalidSource(InvalidInput):
    """The source's settings are wrong; ``fields`` says which."""

    code = "invalid_source"


class SourceRefused(InvalidInput):
    """The source answers, but what it is asked for cannot be had."""

    code = "source_refused"
    title = "The source refuses"


class SourceDown(Unavailable):
    """The source does not answer now, or not in time."""

    code = "source_down"
    title = "The source does not answer"


class NoSnapshot(Conflict):
    """The source has no snapshot yet that could be checked or trained on."""

    code = "no_snapshot"


class BatchNotFound(NotFound):
    """No batch job of this number."""

    code = "batch_not_found"


class BatchEnded(Conflict):
    """The batch job has ended, so it cannot be cancelled."""

    code = "batch_ended"


class BatchNotReady(Conflict):
    """There are no answers to fetch: the job has not ended, or did not succeed."""

    code = "batch_not_ready"


class BatchFilesGone(NotFound):
    """The file was deleted when its time was over, or there never was one."""

    code = "batch_files_gone"


class InvalidBatch(InvalidInput):
    """What is asked of the batch cannot be done; ``fields`` says which setting is wrong."""

    code = "invalid_batch"


class BadRows(InvalidInput):
    """Rows of the batch's input do not fit the model; ``fields`` names the first of them."""

    code = "bad_rows"


class BatchFailed(InvalidInput):
    """A batch that cannot succeed with this input; ``code`` says why in one word."""

    code = "batch_failed"
