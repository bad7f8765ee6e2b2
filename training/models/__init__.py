"""Tables of how versions come to be."""

from training.models.job import JobLogLine, JobState, TrainingJob
from training.models.schedule import RetrainingSchedule
from training.models.trial import Trial

__all__ = ["JobLogLine", "JobState", "RetrainingSchedule", "TrainingJob", "Trial"]
