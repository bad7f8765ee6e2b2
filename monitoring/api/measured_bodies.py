"""Bodies of what is measured over a period."""

from typing import Any

from rest_framework import serializers

from monitoring.api.quality import EstimateBody


class ReliabilityBody(serializers.Serializer[Any]):
    """The answers with probabilities in [low, high): how many, what they said, and what came true."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    rows = serializers.IntegerField()
    said = serializers.FloatField()
    happened = serializers.FloatField()


class CalibrationBody(serializers.Serializer[Any]):
    """One version's calibration over ``rows`` with outcomes.

    ``error`` is the expected calibration error of the likeliest class, ``noise`` what chance alone would
    show; both are null without rows. ``diagram`` is the likeliest class's, ``classes`` has one for each
    class.
    """

    version = serializers.IntegerField(source="version.number")
    rows = serializers.IntegerField()
    error = serializers.FloatField(allow_null=True)
    noise = serializers.FloatField(allow_null=True)
    diagram = ReliabilityBody(many=True)
    classes = serializers.DictField(child=ReliabilityBody(many=True))


class ColumnQualityBody(serializers.Serializer[Any]):
    """One feature's shares among the rows, 0 to 1; ``changed`` names those that grew beyond chance."""

    column = serializers.CharField()
    rows = serializers.IntegerField()
    missing = serializers.FloatField()
    missing_before = serializers.FloatField(help_text="In the training data.")
    unknown = serializers.FloatField(help_text="Categories that the reference does not have.")
    low = serializers.FloatField(help_text="Below the smallest of the training data.")
    high = serializers.FloatField(help_text="Above the largest of the training data.")
    mistyped = serializers.FloatField(help_text="Numbers sent as text, or fractions in a column of integers.")
    changed = serializers.ListField(child=serializers.CharField())


class DataQualityBody(serializers.Serializer[Any]):
    """The rows of the period.

    ``before`` is their number in the period of the same length before; ``repeated`` the share that says what
    another one says, exact up to 400 different rows, else within 10 %.
    """

    version = serializers.IntegerField(source="version.number")
    rows = serializers.IntegerField()
    before = serializers.IntegerField()
    last = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    silent_hours = serializers.IntegerField(help_text="Full hours of the period without a row.")
    repeated = serializers.FloatField(allow_null=True)
    columns = ColumnQualityBody(many=True)


class FairnessGroupBody(serializers.Serializer[Any]):
    """One group, by its outcomes that are known."""

    value = serializers.CharField()
    labelled = serializers.IntegerField()
    figures = serializers.DictField(child=EstimateBody())


class FairnessGapBody(serializers.Serializer[Any]):
    """The largest difference between two groups; ``allowed`` is the gate's, null where it says nothing."""

    measure = serializers.CharField()
    highest = serializers.CharField()
    lowest = serializers.CharField()
    gap = EstimateBody()
    proven = serializers.BooleanField(help_text="Whether there is a difference beyond chance.")
    allowed = serializers.FloatField(allow_null=True)


class FairnessBody(serializers.Serializer[Any]):
    """The groups of one column; those with fewer than 30 outcomes are left out of the gaps."""

    version = serializers.IntegerField(source="version.number")
    column = serializers.CharField()
    groups = FairnessGroupBody(many=True)
    gaps = FairnessGapBody(many=True)


class LatencyBody(serializers.Serializer[Any]):
    """Within how many milliseconds half, 95 and 99 of 100 were answered (to 12 %); null without rows."""

    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)
    p99_ms = serializers.FloatField(allow_null=True)
    mean_ms = serializers.FloatField(allow_null=True)


class VersionServiceBody(serializers.Serializer[Any]):
    """How one version served; ``fallbacks`` are answers of the original where there is a twin."""

    version = serializers.IntegerField(source="version.number")
    predictions = serializers.IntegerField()
    latency = LatencyBody()
    engines = serializers.DictField(child=serializers.IntegerField())
    cached = serializers.IntegerField()
    fallbacks = serializers.IntegerField()


class ServiceStepBody(serializers.Serializer[Any]):
    """One step of the course."""

    begins = serializers.DateTimeField()
    predictions = serializers.IntegerField()
    p95_ms = serializers.FloatField(allow_null=True)


class VersionRequestsBody(serializers.Serializer[Any]):
    """How the requests for one version ended; version 0: they ended before one was chosen."""

    version = serializers.IntegerField(source="number")
    requests = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())


class RequestStepBody(serializers.Serializer[Any]):
    """One step of the course."""

    begins = serializers.DateTimeField()
    requests = serializers.IntegerField()
    error_rate = serializers.FloatField(allow_null=True)
    refusal_rate = serializers.FloatField(allow_null=True)


class RequestsBody(serializers.Serializer[Any]):
    """How requests ended, those that left no prediction as well, counted within some seconds.

    ``outcomes`` are ``answered``, ``stood_in`` (an earlier version answered), ``invalid``, ``denied``,
    ``conflict``, ``throttled``, ``unavailable`` and ``failed``. ``error_rate`` is the share of requests that
    nothing was wrong with and that were not answered as asked, ``refusal_rate`` that of all requests that
    were refused; null without any.
    """

    requests = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    error_rate = serializers.FloatField(allow_null=True)
    refusal_rate = serializers.FloatField(allow_null=True)
    versions = VersionRequestsBody(many=True)
    steps = RequestStepBody(many=True)


class ServiceBody(serializers.Serializer[Any]):
    """How a model served over a period: the answers in its log, and how requests ended (not of a slice)."""

    predictions = serializers.IntegerField()
    latency = LatencyBody()
    cached = serializers.IntegerField()
    fallbacks = serializers.IntegerField()
    versions = VersionServiceBody(many=True)
    steps = ServiceStepBody(many=True)
    requests = RequestsBody(allow_null=True)


class UsageBody(serializers.Serializer[Any]):
    """How much one caller, a person or an API key, asked one model on one day (UTC)."""

    day = serializers.DateField()
    model = serializers.CharField()
    caller = serializers.CharField()
    predictions = serializers.IntegerField()
