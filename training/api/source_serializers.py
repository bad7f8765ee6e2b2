"""What the endpoints of data sources take."""

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from registry.tabular.schema import Treatment
from training.models.source import SourceKind


class SourceTrial(StrictSerializer):
    """A place and how it is asked; the settings follow from the kind."""

    kind = serializers.ChoiceField(choices=SourceKind.choices)
    settings = serializers.DictField(
        help_text="Of the kind: see docs/sources.md. Never put a secret here: everybody may read it."
    )
    secret = serializers.CharField(
        max_length=5_000,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        write_only=True,
        help_text="Password, token or secret key; sealed, and never shown again.",
    )
    model = serializers.CharField(
        max_length=100, required=False, help_text="With predictions: the model's name."
    )
    personal = serializers.DictField(
        child=serializers.ChoiceField(choices=[str(one) for one in Treatment]),
        required=False,
        help_text="Columns that are personal, with what is kept of them beside a snapshot's file.",
    )


class SourceRequest(SourceTrial):
    """A source to write down."""

    name = serializers.CharField(max_length=100)


class SourceChange(StrictSerializer):
    """What changes; what is left out stays. Settings are given as a whole."""

    name = serializers.CharField(max_length=100, required=False)
    settings = serializers.DictField(required=False)
    secret = serializers.CharField(
        max_length=5_000, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )
    personal = serializers.DictField(
        child=serializers.ChoiceField(choices=[str(one) for one in Treatment]), required=False
    )
