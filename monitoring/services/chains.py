"""The chain of a decision: alert, decision, job, version, gates, request, deployment, as one reading."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from mlplatform.tenancy.models import TenantModel
from monitoring.errors import DecisionNotFound
from monitoring.models import RetrainingDecision
from training.models import TrainingJob

HEAVY = ("reference", "evaluation", "features", "importance")


@dataclass(frozen=True)
class Station:
    """One station of the chain: ``row`` is where to read on; of gates the version's, for they have none."""

    kind: str
    title: str
    state: str
    sentence: str
    at: datetime | None
    row: TenantModel


def decisions_overview() -> QuerySet[RetrainingDecision]:
    """Return the tenant's decisions with all that their chains tell."""
    found = RetrainingDecision.objects.select_related(
        "model",
        "champion__model",
        "alert",
        "job__model",
        "job__version__model",
        "request__version__model",
        "deployment__version__model",
    )
    versions = ("champion", "job__version", "request__version", "deployment__version")
    return found.defer(*(f"{of}__{name}" for of in versions for name in HEAVY))


def find_decision(pk: int) -> RetrainingDecision:
    """Return the tenant's decision; raises DecisionNotFound."""
    found = decisions_overview().filter(pk=pk).first()
    if found is None:
        raise DecisionNotFound(f"There is no decision {pk}. List them at /api/v1/decisions.")
    return found


def chain_of(decision: RetrainingDecision) -> list[Station]:
    """Return the stations that the decision has reached, from its alert to what it deployed."""
    stations = [_alert(decision), _decision(decision), *_job(decision.job)]
    return [one for one in (*stations, *_ends(decision)) if one is not None]


def _alert(decision: RetrainingDecision) -> Station | None:
    alert = decision.alert
    if alert is None:
        return None
    state = f"{alert.get_severity_display()}, {alert.get_state_display().lower()}"
    return Station("alert", alert.title, state, alert.message, alert.created_at, alert)


def _decision(decision: RetrainingDecision) -> Station:
    title = f"Decision by {decision.get_rule_display().lower()}" if decision.rule else "Decision"
    told = f"{decision.reason} {decision.outcome}".strip()
    return Station("decision", title, decision.get_state_display(), told, decision.created_at, decision)


def _job(job: TrainingJob | None) -> list[Station]:
    if job is None:
        return []
    trained = Station(
        "job", str(job), job.get_state_display(), job.error, job.finished_at or job.created_at, job
    )
    version = job.version
    if version is None:
        return [trained]
    told = version.algorithm.replace("_", " ")
    made = Station("version", str(version), version.get_status_display(), told, version.created_at, version)
    return [trained, made]


def _ends(decision: RetrainingDecision) -> list[Station]:
    found: list[Station] = []
    version = decision.job.version if decision.job else None
    if decision.gates and version is not None:
        failed = [gate for gate in decision.gates if not gate["passed"]]
        state = f"{len(failed)} of {len(decision.gates)} failed" if failed else "all passed"
        told = " ".join(gate["detail"] for gate in failed or decision.gates)
        found.append(Station("gates", "Gates", state, told, decision.settled_at, version))
    if (asked := decision.request) is not None:
        told = asked.decision or asked.comment
        found.append(Station("request", str(asked), asked.get_state_display(), told, asked.created_at, asked))
    deployed = decision.deployment or (getattr(asked, "deployment", None) if asked else None)
    if deployed is not None:
        found.append(
            Station(
                "deployment",
                str(deployed),
                f"{deployed.alias}, by {deployed.actor}",
                deployed.reason,
                deployed.created_at,
                deployed,
            )
        )
    return found
