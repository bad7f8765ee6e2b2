"""Tables of how versions come to be."""

from training.models.batch import BatchJob, BatchPart, FileForm, OnBadRow
from training.models.helper import SearchHelper
from training.models.job import JobLogLine, JobState, TrainingJob
from training.models.schedule import RetrainingSchedule
from training.models.source import DataSource, OnSourceFailure, SourceKind
from training.models.trial import Trial

__all__ = [
    "BatchJob",
    "BatchPart",
    "DataSource",
    "FileForm",
    "JobLogLine",
    "JobState",
    "OnBadRow",
    "OnSourceFailure",
    "RetrainingSchedule",
    "SearchHelper",
    "SourceKind",
    "TrainingJob",
    "Trial",
]
