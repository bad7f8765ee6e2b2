"""A company, or a part of one, that shares this installation with others."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

SLUG_FORM = RegexValidator(
    r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
    "Use lower-case letters, digits and single hyphens, for example north-clinic.",
)


def check_time_zone(name: str) -> None:
    """Raise ValidationError for a name that is no time zone."""
    if name not in available_timezones():
        raise ValidationError("There is no such time zone. Write it like Europe/Berlin, or UTC.")


def own_limit() -> "models.PositiveBigIntegerField[int | None, int | None]":
    """Return the column of a limit that a platform administrator set; empty where the setting's holds."""
    return models.PositiveBigIntegerField(null=True, blank=True, editable=False)


class Tenant(models.Model):
    """The owner of every other row.

    The last columns hold its own limits (see ``limits.py``): they are read with the tenant, so that a request
    is judged without another query.
    """

    slug = models.CharField(max_length=50, unique=True, validators=[SLUG_FORM])
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True, help_text="Off: members and keys are refused.")
    require_second_factor = models.BooleanField(
        "second factor required",
        default=False,
        help_text="Members without an authenticator app or a passkey are sent to set one up, and see nothing "
        "of the tenant before.",
    )
    measure_personal_groups = models.BooleanField(
        "groups of personal columns measured",
        default=False,
        help_text="With each new version, groups of a personal column (by sex, by age) are measured: how "
        "well it does for them, and whether it treats them alike. Everybody who may see the model sees the "
        "figures. Groups have at least 20 rows and stand under pseudonyms, or as group 1, group 2; who knows "
        "how frequent a value is can guess which is which. Off: nothing of this is measured, and what was "
        "measured before is not shown.",
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        validators=[check_time_zone],
        help_text="In which quiet hours are meant, for example Europe/Berlin. Empty: UTC.",
    )
    outcome_match_days = models.PositiveSmallIntegerField(
        "days in which an outcome's case is looked for",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="An outcome that names its case by your own key counts for the newest prediction of that "
        "case that was made before the outcome was observed, and no more than so many days before.",
    )
    outcome_hold_days = models.PositiveSmallIntegerField(
        "days for which an outcome waits for its prediction",
        default=7,
        validators=[MaxValueValidator(365)],
        help_text="An outcome whose prediction is not known is kept so long, and counts as soon as its "
        "prediction arrives. 0: it is refused at once.",
    )
    drop_comments = models.BooleanField(
        "comments dropped",
        default=False,
        help_text="Free text beside outcomes may name persons. On: comments are not stored, ratings are.",
    )
    retention = models.JSONField(
        default=dict, editable=False, help_text="Where it differs from the installation's: by kind, its rule."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    requests_per_minute = own_limit()
    running_jobs = own_limit()
    active_jobs = own_limit()
    storage_bytes = own_limit()
    stored_rows = own_limit()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
