"""How a model's feedback is labelled and guarded, and how people change it."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError

from feedback.errors import InvalidFeedbackSettings
from feedback.models import FeedbackSettings
from feedback.models.settings import MOST_SENDERS
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.inference.values import unstorable
from registry.models import RegisteredModel

SHARES = (
    *("second_opinion_share", "number_tolerance", "most_share", "false_alarm_rate"),
    *("least_change", "most_disagreement"),
)
COUNTS = ("least_labels", "least_compared")
FIELDS = ("guard", *SHARES, *COUNTS, "trusted")
LONGEST_SENDER = 200


def feedback_settings_of(model: RegisteredModel) -> FeedbackSettings:
    """Return the model's settings; a model that has none gets the default ones, which are not stored."""
    with tenant_transaction():
        found = FeedbackSettings.objects.select_related("model").filter(model=model).first()
    return found or FeedbackSettings(model=model)


def settings_of_models(models: Collection[RegisteredModel]) -> dict[int, FeedbackSettings]:
    """Return the settings of each model by its key; call it in the tenant's transaction."""
    stored = {one.model_id: one for one in FeedbackSettings.objects.filter(model__in=models)}
    return {model.pk: stored.get(model.pk) or FeedbackSettings(model=model) for model in models}


def update_feedback_settings(*, model: RegisteredModel, by: Actor, **changes: Any) -> FeedbackSettings:
    """Change the settings (see ``FIELDS``); the next report follows them. Raises InvalidFeedbackSettings."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        hint = f"Choose from {', '.join(FIELDS)}."
        raise InvalidFeedbackSettings(
            "The settings have no such field.", fields={name: [hint] for name in unknown}
        )
    if "trusted" in changes:
        changes["trusted"] = _senders(changes["trusted"])
    with tenant_transaction():
        # The row lock keeps two people from making the settings twice.
        RegisteredModel.objects.select_for_update().get(pk=model.pk)
        found = feedback_settings_of(model)
        before = {name: getattr(found, name) for name in changes}
        for name, value in changes.items():
            setattr(found, name, value)
        _check(found)
        found.save()
        record(by=by, action="feedback_settings.updated", target=found, before=before, after=dict(changes))
    return found


def _senders(given: object) -> list[str]:
    names = given if isinstance(given, list) else None
    if names is None or not all(isinstance(one, str) for one in names) or len(names) > MOST_SENDERS:
        raise _wrong(f"Send a list of at most {MOST_SENDERS} senders, as outcomes tell them.")
    told = list(dict.fromkeys(one.strip() for one in names if one.strip()))
    if any(unstorable(one, LONGEST_SENDER) for one in told):
        raise _wrong(f"A sender has at most {LONGEST_SENDER} characters.")
    return told


def _wrong(problem: str) -> InvalidFeedbackSettings:
    return InvalidFeedbackSettings("Some fields of the settings are wrong.", fields={"trusted": [problem]})


def _check(found: FeedbackSettings) -> None:
    try:
        found.clean_fields()
    except ValidationError as error:
        raise InvalidFeedbackSettings(
            "Some fields of the settings are wrong.", fields=error.message_dict
        ) from error
    # A number that is none passes every comparison.
    wrong = {
        name: ["This must be a finite number."]
        for name in SHARES
        if not abs(getattr(found, name)) < float("inf")
    }
    if wrong:
        raise InvalidFeedbackSettings("Some fields of the settings are wrong.", fields=wrong)
