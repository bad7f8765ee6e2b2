"""How policies and their previews are shown."""

from mlplatform.admin.parts import Badge, Facts, Section, Table
from monitoring.deciding.replay import Decided
from monitoring.deciding.rollback import SIGNAL_TITLES
from monitoring.deciding.terms import CAUSE_TITLES
from monitoring.models import RetrainingPolicy
from monitoring.models.policy import OnSuccess
from monitoring.services.policies import quiet_hours_of, terms_of
from monitoring.services.previews import Preview, preview_words
from monitoring.services.rollback_evidence import rollback_terms_of

SHOWN = 200
NOTE = (
    "Looked at every hour and whenever an alert was raised, by the same function that decides now, over the "
    "alerts, checks, outcomes and jobs as they were recorded. A retraining of the preview is taken to "
    "succeed; whether its version would have passed the gates nobody knows."
)


def policy_badge(policy: RetrainingPolicy) -> Badge:
    """Return whether the policy acts."""
    return Badge("Acts", "good") if policy.enabled else Badge("Off", "muted")


def policy_facts(policy: RetrainingPolicy) -> Facts:
    """Return the policy in words."""
    quiet = quiet_hours_of(policy)
    budget = f", {policy.monthly_budget:,} times in 30 days" if policy.monthly_budget else ""
    return Facts(
        "Retraining policy",
        [
            ("State", policy_badge(policy)),
            ("Model", policy.model),
            ("Retrains on", "; ".join(reasons(policy)) or "nothing"),
            ("Needs", f"{policy.minimum_outcomes:,} new outcomes"),
            ("At most", f"once in {policy.cooldown_minutes:,} min{budget}"),
            ("Quiet hours", str(quiet) if quiet else "none"),
            ("The new version", OnSuccess(policy.on_success).label),
            ("Scheduled trainings", "likewise" if policy.on_schedule else "are only registered"),
            ("Rolls back on", " and ".join(rollback_reasons(policy)) or "nothing"),
            ("Changed", policy.updated_at),
        ],
    )


def reasons(policy: RetrainingPolicy) -> list[str]:
    """Return what calls for retraining, in words."""
    terms = terms_of(policy)
    lost = "falling quality"
    if policy.performance_threshold is not None:
        lost += f" (worse than {policy.performance_threshold:g})"
    if policy.performance_loss is not None:
        lost += f" (lost {policy.performance_loss:.0%} of the hold-out's)"
    said = (
        ("drift", policy.on_drift),
        (lost, policy.on_performance),
        (f"data older than {policy.max_age_days} days", policy.on_age),
        (f"{terms.feedback or 0:,} new outcomes", policy.on_feedback),
        (f"{policy.volume_rows:,} new rows", policy.on_volume),
    )
    return [word for word, wanted in said if wanted]


def rollback_reasons(policy: RetrainingPolicy) -> list[str]:
    """Return by what a promoted version is taken back, in words."""
    wanted = rollback_terms_of(policy).signals
    return [title.lower() for signal, title in SIGNAL_TITLES.items() if signal in wanted]


def preview_sections(preview: Preview) -> list[Section]:
    """Return what the policy would have done: retrainings, and versions taken back."""
    taken = [
        [f"{one.at:%Y-%m-%d %H:%M} UTC", f"v{one.version}", one.judgement.sentence]
        for one in preview.rollbacks
    ]
    sections: list[Section] = [_retrainings(preview)]
    if rollback_reasons(preview.policy):
        empty = "None: nothing was proven against a version that had been promoted over another."
        note = "Outcomes are taken to have been known in the hour of their answer."
        columns = ["When", "Version", "Why"]
        sections.append(Table("Versions it would have taken back", columns, taken, empty=empty, note=note))
    return sections


def _retrainings(preview: Preview) -> Table:
    """Return what the policy would have decided on retraining, the newest first."""
    rows = [_row(one) for one in reversed(preview.replayed.decisions)]
    return Table(
        "What it would have done",
        ["When", "Because of", "What", "Why", "New outcomes"],
        rows[:SHOWN],
        empty="Nothing: no rule would have called for a retraining.",
        note=f"{preview_words(preview)} {NOTE}",
    )


def _row(one: Decided) -> list[object]:
    what = Badge("Retrain", "good") if one.code is None else Badge("Wait", "muted")
    when = f"{one.at:%Y-%m-%d %H:%M}"
    if one.last > one.at:
        when += f" to {one.last:%Y-%m-%d %H:%M}"
    return [f"{when} UTC", CAUSE_TITLES[one.call.cause], what, one.sentence, one.numbers["new_outcomes"]]
