"""What the training endpoints take."""

from typing import Any

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from training.automl.scoring import OBJECTIVES
from training.automl.study import SAMPLERS
from training.models.job import Priority
from training.models.schedule import IntervalUnit, ScheduleKind
from training.models.source import OnSourceFailure


class NamesField(serializers.ListField):
    """Names of columns; a form sends the field once for each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=200), required=False, default=list, **kwargs)


class DatasetUpload(StrictSerializer):
    """A file of a table, and what to call it."""

    name = serializers.CharField(max_length=100)
    file = serializers.FileField(
        allow_empty_file=True, help_text="CSV with a header line, Parquet, JSON Lines or Excel (.xlsx)."
    )
    sheet = serializers.CharField(
        max_length=100, required=False, default="", help_text="Of a workbook; its first one where left out."
    )
    pseudonymise = NamesField(help_text="Personal columns of which pseudonyms are kept.")
    drop = NamesField(help_text="Personal columns of which nothing is kept beside the file.")


class AlgorithmChoice(StrictSerializer):
    """An algorithm to try, with the parameters that differ from its defaults."""

    key = serializers.CharField(max_length=50)
    params: Any = serializers.DictField(required=False, default=dict)


def _limit(least: int, most: int, help_text: str, *, nullable: bool = True) -> serializers.IntegerField:
    """Return a whole number that may be left out: where a search ends."""
    return serializers.IntegerField(
        required=False, allow_null=nullable, min_value=least, max_value=most, help_text=help_text
    )


class SearchChoice(StrictSerializer):
    """How parameters are searched, and when to stop: whichever comes first."""

    method = serializers.ChoiceField(choices=sorted(SAMPLERS), default="tpe")
    trials = _limit(1, 1000, "Most trials (40).", nullable=False)
    seconds = _limit(5, 86_400, "No trial begins after so long.")
    patience = _limit(1, 1000, "Stop after so many trials without a better one.")


class AutoMLChoice(StrictSerializer):
    """An automatic search: algorithms, parameters and preparations of the inputs together."""

    seconds = _limit(10, 86_400, "For all of it, the last fit too (60).", nullable=False)
    trials = _limit(2, 10_000, "Most trials; left out: as the time allows.")
    metric = serializers.ChoiceField(
        required=False,
        allow_null=True,
        choices=sorted({name for names in OBJECTIVES.values() for name in names}),
        help_text="What it aims at; left out: what the leaderboard ranks by.",
    )
    ensemble = serializers.BooleanField(
        required=False, help_text="Let the best answer together where that is better (true)."
    )
    per_millisecond = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=1e6,
        help_text="How much of the metric one millisecond of an answer's time is worth (0).",
    )
    patience = _limit(5, 1000, "Stop after so many trials without a better one (100).")


class SplitChoice(StrictSerializer):
    """Which rows are held out: whole groups of a column, or the newest rows by a column of dates."""

    kind = serializers.ChoiceField(choices=["content", "group", "time"])
    column = serializers.CharField(max_length=200, required=False, allow_null=True, default=None)


class FairnessChoice(StrictSerializer):
    """Columns whose groups are compared, and the class that people hope for."""

    columns: Any = serializers.ListField(
        child=serializers.CharField(max_length=200), min_length=1, max_length=5
    )
    favourable = serializers.CharField(max_length=200, required=False, allow_null=True, default=None)


class PriorityField(serializers.ChoiceField):
    """How urgent a job is among the tenant's own; tenants take turns whatever it says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=Priority.choices, **kwargs)


class LimitsChoice(StrictSerializer):
    """What the job may use, where that is less than the platform allows."""

    minutes = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    memory_mb = serializers.IntegerField(required=False, allow_null=True, min_value=50)
    cpus = serializers.IntegerField(required=False, allow_null=True, min_value=1)


class JobSettings(StrictSerializer):
    """How to train."""

    algorithms = AlgorithmChoice(many=True, required=False, allow_empty=False)
    folds = serializers.IntegerField(required=False, min_value=2, max_value=20)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    search = SearchChoice(
        required=False,
        allow_null=True,
        help_text="Vary the parameters that are not given; without it none is.",
    )
    automl = AutoMLChoice(
        required=False, allow_null=True, help_text="Find the best model by itself; {} takes 60 seconds."
    )
    preprocessing: Any = serializers.DictField(
        required=False,
        help_text="How inputs are prepared: impute, indicators, scale, encode, max_categories, rare_share, "
        'select, keep, balance, reshape_target. Example: {"encode": "target", "balance": "weights"}.',
    )
    calibrate = serializers.ChoiceField(
        required=False,
        choices=["none", "isotonic", "sigmoid", "auto"],
        help_text="Correct the probabilities, as learnt from rows that the model had not seen; auto takes "
        "the correction that proves itself on such rows, or none.",
    )
    threshold: Any = serializers.DictField(
        required=False,
        allow_null=True,
        help_text='From which probability on the answer is yes: {"metric": "f1"}, or {"costs": {"positive": '
        '"sick", "false_positive": 1, "false_negative": 5}}.',
    )
    limits = LimitsChoice(required=False, allow_null=True)
    holdout = serializers.FloatField(
        required=False,
        min_value=0.05,
        max_value=0.5,
        help_text="The share of the rows that no fit sees and scores are measured on (0.2).",
    )
    workers = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="How many workers may share the search; idle ones join its own (1). Not for AutoML.",
    )
    split = SplitChoice(
        required=False,
        allow_null=True,
        help_text="How rows are held out and folds are made; by their content where left out.",
    )
    fairness = FairnessChoice(required=False, allow_null=True, help_text="Compare how groups fare.")


class JobRequest(JobSettings):
    """What to train on what."""

    model = serializers.CharField(max_length=100, help_text="The model's name.")
    dataset = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Either this or a source."
    )
    source = serializers.IntegerField(  # type: ignore[assignment]  # taken out of the class as a field
        required=False, min_value=1, max_value=2**63 - 1, help_text="Read anew when the job runs."
    )
    on_source_failure = serializers.ChoiceField(
        choices=OnSourceFailure.choices,
        required=False,
        help_text="What happens where the source does not answer; fail where left out.",
    )
    priority = PriorityField(required=False)


class DataCheckRequest(StrictSerializer):
    """What to look at."""

    dataset = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class ScheduleChange(StrictSerializer):
    """New times or a new name; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    kind = serializers.ChoiceField(choices=ScheduleKind.choices, required=False)
    cron = serializers.CharField(max_length=100, required=False, allow_blank=True)
    every = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10_000)
    unit = serializers.ChoiceField(choices=IntervalUnit.choices, required=False, allow_blank=True)
    timezone = serializers.CharField(max_length=64, required=False)
    source = serializers.IntegerField(  # type: ignore[assignment]  # taken out of the class as a field
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**63 - 1,
        help_text="Where new rows come from; without one, from the model's own outcomes.",
    )
    on_source_failure = serializers.ChoiceField(choices=OnSourceFailure.choices, required=False)


class ScheduleRequest(ScheduleChange):
    """A model, and when to retrain it: a cron line, or every so many units."""

    model = serializers.CharField(max_length=100, help_text="The model's name.")
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=ScheduleKind.choices)
