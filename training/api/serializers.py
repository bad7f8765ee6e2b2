"""What the training endpoints take."""

from typing import Any

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from training.automl.study import SAMPLERS
from training.models.schedule import IntervalUnit, ScheduleKind


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


class SearchChoice(StrictSerializer):
    """How parameters are searched, and when to stop: whichever comes first."""

    method = serializers.ChoiceField(choices=sorted(SAMPLERS), default="tpe")
    trials = serializers.IntegerField(
        required=False, min_value=1, max_value=1000, help_text="Most trials (40)."
    )
    seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=5,
        max_value=86_400,
        help_text="No trial begins after so long.",
    )
    patience = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=1000,
        help_text="Stop after so many trials without a better one.",
    )


class JobRequest(StrictSerializer):
    """What to train on what."""

    model = serializers.CharField(max_length=100, help_text="The model's name.")
    dataset = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    algorithms = AlgorithmChoice(many=True, required=False, allow_empty=False)
    folds = serializers.IntegerField(required=False, min_value=2, max_value=20)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    search = SearchChoice(
        required=False,
        allow_null=True,
        help_text="Vary the parameters that are not given; without it none is.",
    )


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


class ScheduleRequest(ScheduleChange):
    """A model, and when to retrain it: a cron line, or every so many units."""

    model = serializers.CharField(max_length=100, help_text="The model's name.")
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=ScheduleKind.choices)
