"""Forms of channels, one for each kind."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from mlplatform.admin.forms import ConsoleForm
from monitoring.models import Channel
from monitoring.models.alert import Severity
from monitoring.models.channel import ChannelKind, Digest
from registry.models import RegisteredModel

SECRET = forms.PasswordInput(attrs={"autocomplete": "new-password"})
KEPT = "Leave it empty to keep the one that is kept."


class ChannelKindForm(ConsoleForm):
    """Which kind of channel."""

    kind = forms.ChoiceField(choices=ChannelKind.choices)


class ChannelForm(ConsoleForm):
    """What goes through the channel; each kind adds where that leads."""

    name = forms.CharField(max_length=100, help_text="For whom it is, for example On-call team.")
    least_severity = forms.ChoiceField(
        choices=Severity.choices, initial=Severity.WARNING, label="Alerts from this severity on"
    )
    models: "forms.ModelMultipleChoiceField[RegisteredModel]" = forms.ModelMultipleChoiceField(
        queryset=None, required=False, help_text="None chosen: of all models."
    )
    on_raised = forms.BooleanField(required=False, initial=True, label="Tell when an alert is raised")
    on_escalated = forms.BooleanField(
        required=False,
        initial=True,
        label="Tell when an alert became graver",
        help_text="A channel with this alone hears only of what nobody acknowledged.",
    )
    on_resolved = forms.BooleanField(required=False, label="Tell when an alert is over")
    digest = forms.ChoiceField(choices=Digest.choices, required=False, label="Summary")
    digest_hour = forms.IntegerField(min_value=0, max_value=23, initial=7, label="Summary at this hour (UTC)")
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(
        self, *args: Any, models: QuerySet[RegisteredModel], channel: Channel | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["models"].queryset = models  # type: ignore[attr-defined]  # a model choice
        if channel is not None and "secret" in self.fields:
            self.fields["secret"].required = False
            self.fields["secret"].help_text = KEPT

    def given(self) -> dict[str, Any]:
        """Return the channel's fields, its settings and its secret where one was entered."""
        found = dict(self.cleaned_data)
        given = {
            "model_names": [model.name for model in found.pop("models")],
            "settings": self.settings(found),
        }
        if secret := found.pop("secret", ""):
            given["secret"] = secret
        return {**found, **given}

    def settings(self, found: dict[str, Any]) -> dict[str, Any]:
        """Take the settings of the kind out of what was filled in."""
        return {}


class EmailChannelForm(ChannelForm):
    """Letters."""

    addresses = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One on each line. Empty: the members who look after the alert's model.",
    )
    field_order = ("name", "addresses")

    def settings(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return the addresses."""
        return {"addresses": found.pop("addresses").replace(",", " ").split()}


class SlackChannelForm(ChannelForm):
    """A chat."""

    secret = forms.CharField(
        max_length=2_000,
        widget=SECRET,
        label="Address of the incoming webhook",
        help_text="From the chat's settings: https://hooks.slack.com/services/... It is kept encrypted.",
    )
    field_order = ("name", "secret")


class WebhookChannelForm(ChannelForm):
    """A program."""

    url = forms.CharField(max_length=2_000, label="Address", help_text="Begins with https://.")
    secret = forms.CharField(
        max_length=500,
        widget=SECRET,
        label="Signing key",
        help_text="16 characters at least, the same at the receiver. Kept encrypted.",
    )
    field_order = ("name", "url", "secret")

    def settings(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return the address."""
        return {"url": found.pop("url")}


FORMS: dict[str, type[ChannelForm]] = {
    ChannelKind.EMAIL: EmailChannelForm,
    ChannelKind.SLACK: SlackChannelForm,
    ChannelKind.WEBHOOK: WebhookChannelForm,
}


def initial_of(channel: Channel) -> dict[str, Any]:
    """Return what the channel's form shows at first."""
    names = ("name", "least_severity", "on_raised", "on_escalated", "on_resolved", "digest", "digest_hour")
    shown = {name: getattr(channel, name) for name in (*names, "enabled")}
    models = RegisteredModel.objects.filter(name__in=channel.model_names)
    settings = dict(channel.settings)
    if "addresses" in settings:
        settings["addresses"] = "\n".join(settings["addresses"])
    return {**shown, **settings, "models": list(models)}
