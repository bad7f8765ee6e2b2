"""What the registry's endpoints take."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from registry.inference.bounds import DEFAULT_COVERAGE, LEAST_COVERAGE, MOST_COVERAGE
from registry.inference.reasons import DEFAULT_TOP, MOST_TOP
from registry.models.registered_model import LONGEST_CACHE_SECONDS, CheckPolicy, LogWriting, ProblemKind
from registry.privacy.release import DEFAULT_K, LARGEST_K, SMALLEST_K
from registry.services.anonymised import TableFormat
from registry.services.models import MOST_SHADOWS
from registry.services.schemas import LONGEST
from registry.tabular.schema import ColumnType, Treatment

ONE_VERSION = "Name a version or an alias, not both."


@extend_schema_field({"type": "object", "additionalProperties": {}})
class RowField(serializers.Field[Any, Any, Any, Any]):
    """One row as sent; the version's own schema says what it must hold."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the value untouched."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Return the value untouched."""
        return value


@extend_schema_field(
    {"type": "array", "items": {"type": "object", "additionalProperties": {}}, "minItems": 1}
)
class RowsField(RowField):
    """Many rows as sent."""

    default_error_messages = {"not_a_list": "Must be a list of objects."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the list untouched; its rows are checked in one go against the schema."""
        if not isinstance(data, list):
            self.fail("not_a_list")
        return data


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 200, "nullable": True}})
class KeysField(RowsField):
    """The client's own names for the cases."""

    default_error_messages = {"not_a_list": "Must be a list with a text or null for each row."}


class ModelRequest(StrictSerializer):
    """A model to register."""

    name = serializers.CharField(max_length=100)
    problem_type = serializers.ChoiceField(
        choices=ProblemKind.choices,
        required=False,
        default="",
        help_text="Left out: read off the target's values in the dataset.",
    )
    target = serializers.CharField(
        max_length=200,
        allow_blank=True,
        required=False,
        default="",
        help_text="The column to predict; of anomalies one that marks known ones, or none; of clusters none.",
    )
    dataset = serializers.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        allow_null=True,
        default=None,
        help_text="Read the problem type off the target's values in this dataset.",
    )
    description = serializers.CharField(max_length=10_000, allow_blank=True, required=False, default="")


class ModelChange(StrictSerializer):
    """What may be changed of a model; what is left out stays."""

    description = serializers.CharField(max_length=10_000, allow_blank=True, required=False)
    data_checks = serializers.ChoiceField(
        choices=CheckPolicy.choices,
        required=False,
        help_text="What a training does where the checks of its data find something.",
    )
    log_writing = serializers.ChoiceField(
        choices=LogWriting.choices,
        required=False,
        help_text="When answers are written to the log: before they leave, or in the background.",
    )
    twin_tolerance = serializers.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        help_text="How far a twin's probabilities, or numbers as a share of the largest, may be from the "
        "original's; twins that are made from now on keep to it.",
    )
    log_share = serializers.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        help_text="The share of answers that is kept in the log, chosen by case; the others have no id.",
    )
    cache_answers = serializers.BooleanField(
        required=False, help_text="Give a row that was asked before the same answer, from memory."
    )
    cache_seconds = serializers.IntegerField(
        min_value=1, max_value=LONGEST_CACHE_SECONDS, required=False, help_text="For how long."
    )
    shadow_aliases: Any = serializers.ListField(
        child=serializers.CharField(max_length=50),
        max_length=MOST_SHADOWS,
        required=False,
        help_text="Aliases whose versions answer every logged row as well, unseen by clients.",
    )


class ColumnsChange(StrictSerializer):
    """Which columns are personal; those that are not named stay as they are."""

    columns = serializers.DictField(
        child=serializers.ChoiceField(choices=list(Treatment), allow_null=True),
        allow_empty=False,
        help_text="By column: pseudonymise, drop, or null for one that is not personal.",
    )


class ColumnEdit(StrictSerializer):
    """What people know of a column; what is left out stays."""

    type = serializers.ChoiceField(choices=list(ColumnType), required=False)
    unit = serializers.CharField(max_length=LONGEST["unit"], allow_blank=True, required=False)
    description = serializers.CharField(max_length=LONGEST["description"], allow_blank=True, required=False)


class SchemaChange(StrictSerializer):
    """Types, units and descriptions of columns; those that are not named stay as they are."""

    columns = serializers.DictField(
        child=ColumnEdit(), allow_empty=False, help_text="By column: type, unit, description."
    )


class DifferenceQuery(StrictSerializer):
    """With which dataset to compare."""

    before = serializers.IntegerField(required=False, min_value=1, help_text="The earlier dataset.")


class AnonymityRequest(StrictSerializer):
    """What others may know of a person, what they must not learn, and how small a group may be."""

    quasi: Any = serializers.ListField(
        child=serializers.CharField(max_length=200),
        max_length=100,
        help_text="Columns that others may know of a person, for example age, postcode and sex.",
    )
    sensitive = serializers.CharField(
        max_length=200, required=False, allow_null=True, default=None, help_text="What nobody should learn."
    )
    k = serializers.IntegerField(min_value=SMALLEST_K, max_value=LARGEST_K, required=False, default=DEFAULT_K)
    leave_out: Any = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, default=list
    )


class AnonymisedRequest(AnonymityRequest):
    """The same, and the file's format."""

    format = serializers.ChoiceField(choices=list(TableFormat), required=False, default=TableFormat.csv)


class PromoteRequest(StrictSerializer):
    """Which version to promote, and why."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = serializers.CharField(max_length=500, allow_blank=True, required=False, default="")
    override = serializers.BooleanField(required=False, default=False, help_text="Pass over failed gates.")


class RollbackRequest(StrictSerializer):
    """Why to roll back, and to which version; without ``to`` the champion before."""

    reason = serializers.CharField(max_length=500, allow_blank=True, required=False, default="")
    to = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None
    )


def _refine(attrs: dict[str, Any], switch: str, refined: str, usual: Any) -> None:
    """Take the switch off, and give what refines it where it is on; refuse the one without the other."""
    if attrs.pop(switch):
        attrs.setdefault(refined, usual)
    elif refined in attrs:
        raise serializers.ValidationError({refined: [f"Says nothing without {switch}: true."]})


class AnswerOptions(StrictSerializer):
    """What an answer is to hold beside the prediction."""

    intervals = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Answer with an interval, or the classes that cannot be ruled out, that holds the truth.",
    )
    coverage = serializers.FloatField(
        required=False,
        min_value=LEAST_COVERAGE,
        max_value=MOST_COVERAGE,
        help_text="How often intervals are to hold the truth (0.9).",
    )
    explain = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Answer with the largest contributions, in numbers and words.",
    )
    top = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_TOP, help_text="How many contributions explain gives (5)."
    )
    probabilities = serializers.BooleanField(
        required=False, default=True, help_text="False leaves the probabilities out of the answer."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for nothing that says nothing: a coverage of intervals alone, ``top`` of reasons alone."""
        _refine(attrs, "intervals", "coverage", DEFAULT_COVERAGE)
        _refine(attrs, "explain", "top", DEFAULT_TOP)
        return attrs


class InvocationParams(AnswerOptions):
    """What MLflow's clients send as ``params``, or in the query of a table."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    alias = serializers.CharField(max_length=50, required=False)
    entity_keys = KeysField(required=False)
    probabilities = serializers.BooleanField(
        required=False, default=False, help_text="Answer each row with an object that holds them."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one version at most."""
        if "alias" in attrs and "version" in attrs:
            raise serializers.ValidationError({"alias": [ONE_VERSION]})
        return super().validate(attrs)


class PredictRequest(AnswerOptions):
    """Rows to answer: ``row`` for one, ``rows`` for many."""

    row = RowField(required=False)
    rows = RowsField(required=False)
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None
    )
    alias = serializers.CharField(
        max_length=50,
        required=False,
        help_text="Ask the version that this name points to, for example challenger.",
    )
    entity_keys = KeysField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one of ``row`` and ``rows``."""
        attrs = super().validate(attrs)
        if attrs.get("alias") and attrs["version"] is not None:
            raise serializers.ValidationError({"alias": [ONE_VERSION]})
        if ("row" in attrs) == ("rows" in attrs):
            raise serializers.ValidationError({"rows": ["Send either rows (a list) or row (one object)."]})
        if "row" in attrs:
            attrs["rows"] = [attrs.pop("row")]
        return attrs
