"""How long feedback keeps what found no prediction."""

from django.conf import settings
from django.db.models import Q

from feedback.models import HeldOutcome
from feedback.models.held import HeldState
from registry.services.retention_kinds import KINDS, Rule, aged_rows

KINDS.add(
    aged_rows(
        name="held_outcomes",
        title="Outcomes that found no prediction",
        purpose="Reports that waited in vain or did not fit, to look at. Those that still wait stay.",
        table=HeldOutcome,
        moment="received_at",
        usual=lambda: Rule(settings.PREDICTION_RETENTION_DAYS),
        only=~Q(state=HeldState.WAITING),
        model_field=None,
    )
)
