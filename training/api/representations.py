"""What the training endpoints answer."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from registry.models import Dataset
from training.checks import Verdict
from training.models import DataSource, JobLogLine, RetrainingSchedule, TrainingJob, Trial
from training.services.schedules import next_runs


class DatasetSummary(serializers.ModelSerializer[Dataset]):
    """A dataset as lists show it."""

    class Meta:
        model = Dataset
        fields = [
            "id",
            "name",
            "content_hash",
            "rows",
            "size_bytes",
            "origin",
            "parent",
            "created_at",
            "created_by",
        ]
        read_only_fields = fields


class DatasetBody(DatasetSummary):
    """A dataset in full, with its schema and profile."""

    class Meta(DatasetSummary.Meta):
        fields = [*DatasetSummary.Meta.fields, "columns", "profile"]
        read_only_fields = fields


class ImportedDataset(DatasetBody):
    """A dataset after an upload; ``created`` is false where the same content was there already."""

    created = serializers.BooleanField(read_only=True)

    class Meta(DatasetBody.Meta):
        fields = [*DatasetBody.Meta.fields, "created"]
        read_only_fields = fields


class SourceBody(serializers.ModelSerializer[DataSource]):
    """A data source; its credential is never shown."""

    model = serializers.CharField(source="model.name", allow_null=True, default=None, read_only=True)
    settings = serializers.DictField(read_only=True)
    personal = serializers.DictField(child=serializers.CharField(), read_only=True)
    has_credential = serializers.SerializerMethodField()

    class Meta:
        model = DataSource
        fields = [
            "id", "name", "kind", "model", "settings", "has_credential", "personal", "last_snapshot",
            "last_snapshot_at", "last_failure", "last_failed_at", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_has_credential(self, source: DataSource) -> bool:
        """Tell whether a credential is kept."""
        return bool(source.credential)


class PreviewColumn(serializers.Serializer[Any]):
    """A column of a preview."""

    name = serializers.CharField()
    type = serializers.CharField()
    personal = serializers.CharField(allow_null=True)


class PreviewBody(serializers.Serializer[Any]):
    """The first rows of a source, each cell as text, null where it is missing or left out."""

    columns = PreviewColumn(many=True)
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_null=True, allow_blank=True))
    )
    seconds = serializers.FloatField()


class TrialBody(serializers.ModelSerializer[Trial]):
    """One line of a leaderboard."""

    class Meta:
        model = Trial
        fields = [
            "rank",
            "worker",
            "algorithm",
            "params",
            "preprocessing",
            "state",
            "share",
            "metric",
            "mean",
            "std",
            "fold_scores",
            "fit_seconds",
            "predict_ms",
            "size_bytes",
            "error",
        ]
        read_only_fields = fields


class JobSummary(serializers.ModelSerializer[TrainingJob]):
    """A job as lists show it."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", allow_null=True, default=None, read_only=True)
    seconds_left = serializers.IntegerField(
        allow_null=True, read_only=True, help_text="An estimate, while the job runs."
    )

    class Meta:
        model = TrainingJob
        fields = [
            "id", "model", "dataset", "source", "on_source_failure", "source_note", "state", "priority",
            "stage", "progress", "seconds_left", "attempt", "trigger", "cancel_requested",
            "error_code", "error", "version", "created_at", "created_by", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class FindingBody(serializers.Serializer[Any]):
    """What one check of the data found."""

    check = serializers.CharField()
    verdict = serializers.ChoiceField(choices=list(Verdict))
    message = serializers.CharField()
    hint = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())


class VerdictBody(serializers.Serializer[Any]):
    """How a version that was built again compares with the one that stands."""

    result = serializers.ChoiceField(choices=["identical", "close", "different"])
    rows = serializers.IntegerField(help_text="Rows of the hold-out that both answered.")
    changed = serializers.IntegerField(help_text="Rows that are answered otherwise.")
    difference = serializers.FloatField(help_text="Greatest, as a share of the greatest number.")
    tolerance = serializers.FloatField()
    environment = serializers.ListField(child=serializers.CharField(), help_text="What is not as it was.")


class JobBody(JobSummary):
    """A job in full, with its settings and leaderboard, the best first."""

    findings = FindingBody(many=True, read_only=True)
    leaderboard = TrialBody(source="ranked_trials", many=True, read_only=True)
    reproduces = serializers.IntegerField(
        source="reproduces.number", allow_null=True, default=None, read_only=True
    )
    verdict = VerdictBody(allow_null=True, read_only=True)

    class Meta(JobSummary.Meta):
        fields = [*JobSummary.Meta.fields, "config", "findings", "leaderboard", "reproduces", "verdict"]
        read_only_fields = fields


class LogLineBody(serializers.ModelSerializer[JobLogLine]):
    """One line of a job's log."""

    class Meta:
        model = JobLogLine
        fields = ["id", "at", "level", "message"]
        read_only_fields = fields


class SuggestionBody(serializers.Serializer[Any]):
    """An algorithm that suits; ``seconds`` are expected for its cross-validation and last fit."""

    algorithm = serializers.CharField()
    title = serializers.CharField()
    why = serializers.CharField()
    seconds = serializers.FloatField()


class SuggestionsBody(serializers.Serializer[Any]):
    """What suits a dataset, the best first, and what else it asks for."""

    algorithms = SuggestionBody(many=True)
    hints = serializers.ListField(child=serializers.CharField())


class AlgorithmBody(serializers.Serializer[Any]):
    """An algorithm and the JSON Schema of its parameters."""

    key = serializers.CharField()
    title = serializers.CharField()
    problems = serializers.ListField(child=serializers.CharField())
    advice = serializers.CharField()
    params = serializers.DictField()


class ScheduleBody(serializers.ModelSerializer[RetrainingSchedule]):
    """A retraining schedule with its next five runs (UTC)."""

    model = serializers.CharField(source="model.name", read_only=True)
    unit = serializers.CharField(read_only=True, help_text="minutes, hours or days; empty for a cron line.")
    next_runs = serializers.SerializerMethodField()

    class Meta:
        model = RetrainingSchedule
        fields = [
            "id", "name", "model", "kind", "cron", "every", "unit", "timezone", "source", "on_source_failure",
            "enabled", "next_runs",
            "last_fired_at", "last_result", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_next_runs(self, schedule: RetrainingSchedule) -> list[datetime]:
        """Return when the scheduler will fire next; empty while paused."""
        return next_runs(schedule)
