"""One row of everything in a tenant, each with a text that no other tenant may ever see."""

import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pandas as pd
from django.utils import timezone

from feedback.models import (
    FeedbackSettings,
    HeldOutcome,
    HistoryImport,
    Label,
    LabelItem,
    LabelTally,
    Outcome,
    Quarantine,
    Rating,
    SubjectErasure,
)
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.services.teams import create_team
from mlplatform.tenancy.services.tenants import add_member
from monitoring.models import (
    Alert,
    AlertRule,
    Channel,
    Delivery,
    DriftReport,
    DriftResult,
    DriftSettings,
    ErrorStream,
    ModelHealth,
    PerformanceSnapshot,
    ReportSchedule,
    RetrainingDecision,
    RetrainingPolicy,
    Rollup,
)
from monitoring.services.concept import suited_test
from registry.models import (
    Deployment,
    KeptAnswer,
    Prediction,
    PromotionRequest,
    RequestTally,
    Rollout,
    ShadowAnswer,
    ShadowTally,
)
from registry.models.request import RequestState
from registry.models.request_tally import ALL_TIME
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, make_model, rows_of, table
from training.models import (
    BatchJob,
    BatchPart,
    DataSource,
    JobLogLine,
    JobState,
    RetrainingSchedule,
    SearchHelper,
    TrainingJob,
    Trial,
)
from training.models.batch import PartKind, PartState
from training.services.batch_files import stored


def populate(tenant: Tenant, canary: str, frame: pd.DataFrame | None = None) -> dict[str, Any]:
    """Fill the tenant, with ``canary`` in every free text; return its rows by the name of their route."""
    with tenant_scope(tenant), tenant_transaction():
        # The same values again where nobody cares for them, so that the same model need not be fitted again.
        data, value = (table(), 7) if frame is None else (frame, tenant.pk)
        dataset = make_dataset(name="cancer", frame=data.assign(**{f"{canary}-column": value}))
        model = make_model(canary)
        version = make_champion(model, dataset=dataset)
        predict(model=model, rows=rows_of(version), entity_keys=[canary], by=SYSTEM)
        prediction = Prediction.objects.get()
        rows: dict[str, Any] = {
            "models": model,
            "versions": version,
            "gates": version,
            "datasets": dataset,
            "predictions": prediction,
            "deployments": Deployment.objects.get(),
            "members": add_member(email=f"{canary}@example.com", role=Role.VIEWER, by=SYSTEM, name=canary),
            "teams": create_team(name=canary, by=SYSTEM),
            "api-keys": create_api_key(name=canary, scopes=["read"], by=SYSTEM).key,
            "outcomes": Outcome.objects.create(
                prediction=prediction,
                model=model,
                label="benign",
                received_at=timezone.now(),
                received_from=canary,
            ),
        }
        rows["promotion-requests"] = PromotionRequest.objects.create(
            model=model,
            version=version,
            state=RequestState.WITHDRAWN,
            comment=canary,
            actor_kind="user",
            actor_label=canary,
            hand=canary,
            expires_at=timezone.now(),
            decided_by=canary,
            comments=[{"at": "2026-01-01T00:00:00+00:00", "by": canary, "text": canary}],
        )
        rows["rollouts"] = Rollout.objects.create(
            model=model,
            champion=version,
            challenger=version,
            kind="canary",
            state="stopped",
            salt=canary,
            steps=[{"at": "2026-01-01T00:00:00+00:00", "share": 0.1}],
            least_share=0.1,
            most_share=0.5,
            margin=0.02,
            largest_error=1.0,
            ends_at=timezone.now(),
            ended_by=canary,
            reason=canary,
            outcome=canary,
            actor_kind="user",
            actor_label=canary,
        )
        ShadowAnswer.objects.create(
            prediction=prediction,
            model=model,
            version=version,
            label="benign",
            failure=canary,
            asked_at=prediction.created_at,
        )
        ShadowTally.objects.create(model=model, version=version, dropped=1, reason=canary)
        KeptAnswer.objects.create(
            model=model,
            name=f"name of {canary}"[:64],
            fingerprint="0" * 64,
            answer=canary,
            created_at=timezone.now(),
        )
        RequestTally.objects.create(
            model=model, number=1, begins=ALL_TIME, outcome="failed", count=3, within=[3, *[0] * 10]
        )
        feedback_rows(rows, canary)
        rows["grants"] = give_right(model=model, holder=rows["teams"], role="viewer", by=SYSTEM)
        rows["erasures"] = SubjectErasure.objects.create(
            entity=f"psn_{canary}", model=model, requested_by=canary
        )
        return rows | training_rows(rows, canary) | monitoring_rows(rows, canary)


def feedback_rows(rows: dict[str, Any], canary: str) -> None:
    """Add a rating, an outcome that waits, and an imported history."""
    now = timezone.now()
    sent = {"source": "api", "received_at": now, "received_from": canary}
    rows["ratings"] = Rating.objects.create(
        prediction=rows["predictions"], model=rows["models"], rating="4", comment=canary, **sent
    )
    rows["held-outcomes"] = HeldOutcome.objects.create(
        model=rows["models"],
        entity_key=f"psn_{canary}",
        value=canary,
        comment=canary,
        reason=canary,
        digest="0" * 64,
        sender_kind="system",
        **sent,
    )
    HistoryImport.objects.create(
        model=rows["models"],
        name=canary,
        content_hash="0" * 64,
        lines=1,
        predictions=1,
        outcomes=1,
        repeated=0,
        refused=0,
        imported_at=now,
        imported_by=canary,
    )

    labelling_rows(rows, canary)


def labelling_rows(rows: dict[str, Any], canary: str) -> None:
    """Add a disputed label, a quarantine, its tally and the settings."""
    now, model = timezone.now(), rows["models"]
    rows["labelled"] = LabelItem.objects.create(
        model=model, prediction=rows["predictions"], state="disputed", second=True, reason=canary
    )
    Label.objects.create(item=rows["labelled"], model=model, person=canary, label="benign")
    rows["quarantines"] = Quarantine.objects.create(
        model=model, sender=canary, suspicion="share", reason=canary, numbers={"note": canary}, since=now
    )
    LabelTally.objects.create(model=model, sender=canary, day=now.date(), since=now, labels=3)
    FeedbackSettings.objects.create(model=model, trusted=[canary])


def training_rows(rows: dict[str, Any], canary: str) -> dict[str, Any]:
    """Add a job with its trial and log, and a schedule."""
    job = TrainingJob.objects.create(
        model=rows["models"],
        dataset=rows["datasets"],
        config={"algorithms": [{"key": "dummy", "params": {}}], "folds": 5, "seed": 1, "holdout": 0.2},
        state=JobState.FAILED,
        error=canary,
        created_by=canary,
    )
    Trial.objects.create(job=job, algorithm="dummy", metric="f1", mean=0.5, std=0.1, rank=1)
    JobLogLine.objects.create(job=job, message=canary)
    SearchHelper.objects.create(
        job=job,
        number=2,
        name=canary,
        claim_token=uuid.uuid4(),
        job_token=uuid.uuid4(),
        heartbeat_at=timezone.now(),
        ended_at=timezone.now(),
    )
    schedule = RetrainingSchedule.objects.create(model=rows["models"], name=canary, cron="0 3 * * 1")
    source = DataSource.objects.create(
        name=f"{canary} rows",
        kind="rest",
        settings={"url": f"http://127.0.0.1:9/{canary}"},
        last_snapshot=rows["datasets"],
        last_snapshot_at=timezone.now(),
        last_failure=canary,
        created_by=canary,
    )
    batch = batch_of(rows, canary)
    return {"jobs": job, "schedules": schedule, "sources": source, "batches": batch}


def batch_of(rows: dict[str, Any], canary: str) -> BatchJob:
    """Return a batch that has ended, with its file of answers and a part."""
    with stored() as answers, stored() as errors:
        answers.write(canary.encode())
        errors.write(canary.encode())
    now = timezone.now()
    batch = BatchJob.objects.create(
        model=rows["models"],
        version=rows["versions"],
        asked="alias champion",
        input_name=f"{canary}.csv",
        state=JobState.SUCCEEDED,
        rows=1,
        output_file=answers.path,
        output_hash=answers.sha256,
        output_bytes=answers.size,
        errors_file=errors.path,
        stored_bytes=answers.size + errors.size,
        created_by=canary,
        started_at=now,
        finished_at=now,
        expires_at=now + timedelta(days=7),
    )
    BatchPart.objects.create(job=batch, kind=PartKind.ANSWERS, number=1, state=PartState.DONE, worker=canary)
    return batch


def monitoring_rows(rows: dict[str, Any], canary: str) -> dict[str, Any]:
    """Add reports, a rule with its alert, a policy and a decision."""
    now = timezone.now()
    of = {"model": rows["models"], "version": rows["versions"]}
    window = {"window_start": now, "window_end": now}
    report = DriftReport.objects.create(**of, **window, rows=50, features=1, drifted_features=1)
    DriftResult.objects.create(report=report, feature=canary, score=0.5, threshold=0.1, drifted=True)
    snapshot = PerformanceSnapshot.objects.create(
        **of, **window, predictions=1, labelled=1, metrics={"f1": 0.9}
    )
    rows["rollups"] = Rollup.objects.create(
        **of, begins=now, predictions=1, service={"asked_by": {canary: 1}}
    )
    rule = AlertRule.objects.create(
        model=rows["models"], metric="drift_share", threshold=0.3, severity="info"
    )
    alert = Alert.objects.create(
        **of,
        rule=rule,
        severity="info",
        title=canary,
        message=canary,
        last_seen_at=now,
        evidence={"note": canary},
    )
    channel = Channel.objects.create(
        name=f"Channel {canary}",
        kind="webhook",
        settings={"url": f"http://127.0.0.1:9/{canary}"},
        created_by=canary,
    )
    delivery = Delivery.objects.create(
        channel=channel,
        model=rows["models"],
        kind="raised",
        event=canary,
        alerts=[alert.pk],
        payload={"subject": canary, "channel": canary, "tenant_name": canary, "model": canary},
        state="dead",
        last_error=canary,
    )
    report_schedule = ReportSchedule.objects.create(
        model=rows["models"],
        name=f"Report {canary}",
        recipients=[f"{canary}@example.com"],
        created_by=canary,
        last_error=canary,
    )
    RetrainingPolicy.objects.get_or_create(model=rows["models"])
    DriftSettings.objects.get_or_create(model=rows["models"])
    followed = {
        "rows": 1,
        "state": asdict(suited_test(rows["versions"])),
        "course": [[now.isoformat(), 0.5, 0.5]],
    }
    ErrorStream.objects.create(model=rows["models"], version=rows["versions"], **followed)
    decision = RetrainingDecision.objects.create(
        model=rows["models"], champion=rows["versions"], alert=alert, state="declined", reason=canary
    )
    ModelHealth.objects.create(
        model=rows["models"], state="bad", reasons=["errors"], words=canary, begins=now, ends=now
    )
    return {
        "drift-reports": report,
        "performance-snapshots": snapshot,
        "alert-rules": rule,
        "channels": channel,
        "deliveries": delivery,
        "alerts": alert,
        "decisions": decision,
        "report-schedules": report_schedule,
    }
