"""Bodies of the endpoints of channels and deliveries."""

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from monitoring.models import Channel, Delivery
from monitoring.models.alert import Severity
from monitoring.models.channel import ChannelKind, Digest
from monitoring.services.channels import place_of


class ChannelBody(serializers.ModelSerializer[Channel]):
    """A channel; of its secret only whether there is one."""

    models = serializers.ListField(source="model_names", child=serializers.CharField(), read_only=True)
    settings = serializers.DictField(read_only=True)
    has_secret = serializers.SerializerMethodField()
    leads_to = serializers.SerializerMethodField(help_text="Where it leads, without what is secret.")

    class Meta:
        model = Channel
        fields = [
            "id", "name", "kind", "settings", "has_secret", "leads_to", "least_severity", "models",
            "on_raised",
            "on_escalated", "on_resolved", "digest", "digest_hour", "enabled", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_has_secret(self, channel: Channel) -> bool:
        """Tell whether a secret is kept."""
        return bool(channel.credential)

    def get_leads_to(self, channel: Channel) -> str:
        """Return where it leads in words."""
        return place_of(channel)


class ChannelChange(StrictSerializer):
    """What changes of a channel; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    settings = serializers.DictField(
        required=False, help_text="E-mail: addresses, empty for members. Webhook: url. Slack: none."
    )
    secret = serializers.CharField(
        max_length=2_000,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        write_only=True,
        help_text="Slack: the chat's address. Webhook: the signing key. Sealed, and never shown again.",
    )
    least_severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    models = serializers.ListField(
        source="model_names",
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=200,
        help_text="The models it hears of; empty for all.",
    )
    on_raised = serializers.BooleanField(required=False)
    on_escalated = serializers.BooleanField(required=False)
    on_resolved = serializers.BooleanField(required=False)
    digest = serializers.ChoiceField(choices=Digest.choices, required=False, allow_blank=True)
    digest_hour = serializers.IntegerField(min_value=0, max_value=23, required=False)
    enabled = serializers.BooleanField(required=False)


class ChannelRequest(ChannelChange):
    """A new channel."""

    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=ChannelKind.choices)


class DeliveryBody(serializers.ModelSerializer[Delivery]):
    """A message for one channel, and how far it is; ``key`` is the event's id in every attempt."""

    channel = serializers.CharField(source="channel.name", read_only=True)
    model = serializers.CharField(source="model.name", allow_null=True, default=None, read_only=True)
    subject = serializers.SerializerMethodField()
    alerts = serializers.ListField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Delivery
        fields = [
            "id", "key", "channel", "model", "kind", "subject", "alerts", "state", "attempts", "next_try_at",
            "last_error", "created_at", "sent_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_subject(self, delivery: Delivery) -> str:
        """Return what it says first."""
        return str(delivery.payload.get("subject", ""))


class DeliveryDetail(DeliveryBody):
    """A message with what it tells."""

    payload = serializers.DictField(read_only=True)

    class Meta(DeliveryBody.Meta):
        fields = [*DeliveryBody.Meta.fields, "payload"]
        read_only_fields = fields
