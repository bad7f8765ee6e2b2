"""How often a model was asked over the API, and what became of it."""

from datetime import UTC, datetime

from django.db import models

from mlplatform.tenancy.models import TenantModel

ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # where the sums of all hours stand
# Seconds; requests that took longer than the last are counted beyond it.
LATENCY_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class RequestOutcome(models.TextChoices):
    """What became of a request for answers; each has one."""

    ANSWERED = "answered", "Answered"
    STOOD_IN = "stood_in", "Answered by an earlier version, as the file of the one asked is damaged"
    INVALID = "invalid", "Refused: the request is wrong"
    DENIED = "denied", "Refused: no right"
    CONFLICT = "conflict", "Refused: not possible as things stand"
    THROTTLED = "throttled", "Refused: over a limit"
    UNAVAILABLE = "unavailable", "Not answered: the platform was busy"
    FAILED = "failed", "Not answered: an error"


SERVED = (RequestOutcome.ANSWERED, RequestOutcome.STOOD_IN)
REFUSED = (
    RequestOutcome.INVALID,
    RequestOutcome.DENIED,
    RequestOutcome.CONFLICT,
    RequestOutcome.THROTTLED,
)
NOT_ANSWERED = (RequestOutcome.UNAVAILABLE, RequestOutcome.FAILED)


class RequestTally(TenantModel):
    """The requests for one version's answers in one hour that ended the same way.

    A second row, of ``ALL_TIME``, has the sum of all hours: it only grows, though hours are kept no longer.
    ``within`` counts them by ``LATENCY_BOUNDS``, with one place more for what took longer.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField(help_text="Of the version; 0 where the request did not come so far.")
    begins = models.DateTimeField()
    outcome = models.CharField(max_length=20, choices=RequestOutcome)
    count = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text="Time that all of them took together.")
    within = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "begins", "number", "outcome"], name="one_tally_of_requests"
            )
        ]
        indexes = [models.Index(fields=["tenant", "begins"])]

    def __str__(self) -> str:
        return f"{self.count} requests {self.outcome}"
