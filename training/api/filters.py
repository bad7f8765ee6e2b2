"""Filters of the lists."""

from django_filters import CharFilter, FilterSet, IsoDateTimeFilter, NumberFilter

from registry.models import Dataset
from training.models import BatchJob, DataSource, JobLogLine, RetrainingSchedule, TrainingJob


class DatasetFilter(FilterSet):
    """Datasets by name and time."""

    search = CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")
    created_after = IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="From this time on")
    created_before = IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = Dataset
        fields = ["name", "content_hash"]


class JobFilter(FilterSet):
    """Jobs by model, state, trigger and time."""

    model = CharFilter(field_name="model__name", label="The model's name")
    created_after = IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="From this time on")
    created_before = IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = TrainingJob
        fields = ["model", "state", "priority", "trigger"]


class BatchFilter(FilterSet):
    """Batches by state and time."""

    created_after = IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="From this time on")
    created_before = IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = BatchJob
        fields = ["state"]


class SourceFilter(FilterSet):
    """Sources by kind and name."""

    search = CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")

    class Meta:
        model = DataSource
        fields = ["name", "kind"]


class LogFilter(FilterSet):
    """Log lines by level, and those that came after one."""

    after = NumberFilter(
        field_name="pk", lookup_expr="gt", min_value=0, max_value=2**63 - 1, label="After the line of this id"
    )

    class Meta:
        model = JobLogLine
        fields = ["level"]


class ScheduleFilter(FilterSet):
    """Schedules by model and whether they fire."""

    model = CharFilter(field_name="model__name", label="The model's name")

    class Meta:
        model = RetrainingSchedule
        fields = ["model", "enabled", "kind"]
