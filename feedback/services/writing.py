"""Storing reports that were understood, and telling those who wait for them."""

from collections import Counter
from collections.abc import Mapping
from functools import partial

from django.db import transaction

from feedback.models import Outcome
from feedback.services.guarding import guard
from feedback.services.history import Settled, new_rows, settle
from feedback.services.opinions import write_opinions
from feedback.services.reported import OutcomeResult
from feedback.services.verdicts import Understood
from feedback.signals import rollout_outcomes_recorded
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.bulk_rows import insert_rows
from mlplatform.tenancy.services.audit import record
from registry.models import RegisteredModel, Rollout
from registry.models.rollout import ACTIVE_ROLLOUTS


def write_reports(found: Understood, *, by: Actor, source: str) -> OutcomeResult:
    """Store what is new of the reports, and tell of it; call it in the tenant's transaction."""
    settled = settle(found.reports)
    if settled.replaced:
        Outcome.objects.filter(pk__among=settled.replaced).update(current=False)
    insert_rows(Outcome, new_rows(settled))
    set_aside = guard(settled, found.models)
    rated = write_opinions(found.opinions, found.models, by=by, source=source)
    _tell(settled, found.models, source=source, by=by)
    _tell_rollouts({entry.report.model_id for entry in settled.new if entry.report})
    return OutcomeResult(
        len(settled.new),
        settled.repeated,
        settled.corrections,
        settled.outdated,
        found.errors,
        rated,
        quarantined=set_aside,
    )


def _tell_rollouts(models: set[int]) -> None:
    """Tell of outcomes that may decide a rollout, once they are committed."""
    for rollout in Rollout.objects.filter(model__in=models, state__in=ACTIVE_ROLLOUTS).only("tenant_id"):
        transaction.on_commit(
            partial(
                rollout_outcomes_recorded.send_robust,  # a lost notice is harmless: a sweep weighs it, too
                sender=Outcome,
                tenant_id=rollout.tenant_id,
                rollout_id=rollout.pk,
            )
        )


def _tell(settled: Settled, models: Mapping[int, RegisteredModel], *, source: str, by: Actor) -> None:
    reports = [entry.report for entry in settled.new if entry.report is not None]
    counts = Counter(report.model_id for report in reports)
    corrected = {(one.asked.id, one.model_id) for one in reports if one.asked.id in settled.corrected}
    corrections = Counter(model_id for _, model_id in corrected)
    for key, count in counts.items():
        record(
            by=by,
            action="outcomes.recorded",
            target=models[key],
            count=count,
            corrections=corrections[key],
            source=source,
        )
