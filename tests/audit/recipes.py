"""For each way to change something: an input that works in the furnished tenant."""

import io
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.conf import settings
from django.utils import timezone

from feedback.models import LabelItem, Quarantine
from mlplatform.admin.links import add_url, command_url, list_command_url, list_url
from mlplatform.identity.lockout import account_key
from mlplatform.identity.models import ClaimMapping
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import ApiKey, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.services.teams import create_team
from mlplatform.tenancy.services.tenants import add_member
from monitoring.models import Alert, AlertRule, Channel, Delivery, ReportSchedule, RetrainingPolicy
from registry.models import Dataset, ModelVersion, Prediction, RegisteredModel
from registry.models.registered_model import CheckPolicy, LogWriting
from registry.services.aliases import set_alias
from registry.services.model_export import export_model
from registry.services.promotion import promote
from registry.services.requests import propose
from registry.services.rollouts import pause, start_rollout
from registry.services.version_export import export_version
from tests.audit.writes import Write
from tests.console import Furnished
from tests.factories import make_champion, make_dataset, make_model, make_version, table
from training.models import BatchJob, DataSource, RetrainingSchedule, TrainingJob, Trial
from training.services.jobs import create_job, request_cancel
from training.services.schedules import create_schedule, pause_schedule

API = "/api/v1"
RULE = {"provider": "corp", "claim": "groups", "role": "viewer"}
TAGGED = {"tags": "team = risk"}
TOLD = {
    "description": "Told anew.",
    "data_checks": CheckPolicy.BLOCK,
    "log_writing": LogWriting.BACKGROUND,
    "twin_tolerance": 0.01,
    "log_share": 0.5,
    "cache_seconds": 60,
}
WRITTEN = {"limits": "Tried on adults alone."}
PERSON = {"entity_key": "alice"}
FEWER = {"rules": {"versions": {"newest": 5}}}
QUASI = {"quasi": ["diagnosis"]}
URGENT = {"priority": "high"}
TIMES = {"kind": "cron", "cron": "0 4 * * *", "timezone": "UTC"}
ADDRESS = {"url": "https://rows.example.com/"}
WEB: dict[str, Any] = {"settings": ADDRESS, "secret": ""}
PAGES = {"first_page": 1, "size": 100, "max_pages": 10}
WHY: dict[str, Any] = {"override": True, "reason": "checked by hand"}
NEW_MODEL = {"name": "new", "problem_type": "classification", "target": "diagnosis"}
NEW_RULE = {"metric": "performance", "threshold": 0.5, "severity": "info"}
PATIENCE = {"cooldown_minutes": 5, "minimum_rows": 7}
CLASSIC = {"rule": "classic", "false_alarms_a_month": 1.0, "psi_limit": 0.25, "drift_share": 0.3}
DESK = {"addresses": ["desk@clinic.example"]}
HEARS = {"addresses": "desk@clinic.example", "least_severity": "info", "digest_hour": 7}
GUARDED: dict[str, Any] = {
    "second_opinion_share": 0.2,
    "number_tolerance": 0.1,
    "guard": "on",
    "least_labels": 500,
    "most_share": 0.5,
    "false_alarm_rate": 0.001,
    "least_change": 0.1,
    "least_compared": 20,
    "most_disagreement": 0.2,
    "trusted": "ann@clinic.example",
}
QUARTERLY = {"rhythm": "quarterly", "hour": 6, "attached": "both", "enabled": True}
LIMITS = {"minimum_outcomes": 7, "cooldown_minutes": 5, "on_success": "tell"}


class Scene:
    """The furnished tenant, and what must have happened before some of the changes are possible."""

    def __init__(self, made: Furnished) -> None:
        self.made, self.model = made, made.model
        self.waiting = made.newest(TrainingJob)
        with tenant_scope(made.tenant), tenant_transaction():
            promote(model=made.model, version=made.candidate, by=SYSTEM, **WHY)  # so that there is a way back
            own = Actor(ActorKind.USER, "admin@clinic.example")
            dataset = made.champion.dataset
            self.own = propose(model=made.model, version=make_version(made.model, dataset=dataset), by=own)
            third = make_version(made.model, dataset=dataset)
            self.request = propose(model=made.model, version=third, by=SYSTEM)
            set_alias(model=made.model, name="canary", version=made.champion, by=SYSTEM)
            self.data = make_dataset(frame=table().head(300))
            self.paused = create_schedule(model=made.model, name="Paused", by=SYSTEM, cron="0 5 * * *")
            pause_schedule(schedule=self.paused, by=SYSTEM)
            self.team = create_team(name="Radiology", by=SYSTEM)
            self.running = start_rollout(model=made.model, challenger=third, by=SYSTEM)
            self.resting = start_rollout(**_beside_a_champion("resting", dataset), by=SYSTEM)
            pause(rollout=self.resting, by=SYSTEM)
            self.fresh = _beside_a_champion("fresh", dataset)["challenger"]
            self.grant = give_right(model=made.model, holder=self.team, role="viewer", by=SYSTEM)
            self.member = add_member(email="locked@clinic.example", role="viewer", by=SYSTEM)
            self.source = DataSource.objects.get()
            Delivery.objects.update(state="dead")
            Alert.objects.update(snoozed_until=timezone.now() + timedelta(days=1))
            self.active = RetrainingSchedule.objects.get(name="Nightly")
            self.origin = create_job(model=made.model, dataset=self.data, by=SYSTEM)
            request_cancel(job=self.origin, by=SYSTEM)
            TrainingJob.objects.filter(pk=self.origin.pk).update(version=made.champion)
            Trial.objects.create(job=self.origin, rank=1, algorithm=made.champion.algorithm)
            self.ended = create_job(model=made.model, dataset=self.data, by=SYSTEM)
            request_cancel(job=self.ended, by=SYSTEM)
        Authenticator.objects.create(
            user=self.member.user, type=Authenticator.Type.TOTP, data={"secret": "x"}
        )
        failures = {"failures_since_start": settings.AXES_FAILURE_LIMIT, "attempt_time": timezone.now()}
        self.rule = ClaimMapping.objects.create(tenant=made.tenant, value="old", **RULE)
        name = account_key(None, {"email": "locked@clinic.example"})
        AccessAttempt.objects.create(username=name, ip_address="10.0.0.1", **failures)

    def key(self, table: Any) -> Any:
        """Return the key of the newest row."""
        return self.model.pk if table is RegisteredModel else self.made.newest(table).pk

    def command(self, table: Any, slug: str) -> str:
        """Return the address of a command on the newest row."""
        return command_url(self.model if table is RegisteredModel else self.made.newest(table), slug)


def _beside_a_champion(name: str, dataset: Dataset) -> dict[str, Any]:
    model = make_model(name)
    make_champion(model, dataset=dataset)
    return {"model": model, "challenger": make_version(model, dataset=dataset)}


def csv_file() -> io.BytesIO:
    """Return a table that no dataset holds yet, as a file."""
    file = io.BytesIO(table().head(60).to_csv(index=False).encode())
    file.name = "rows.csv"
    return file


def archive_file(scene: Scene) -> io.BytesIO:
    """Return the model as an archive."""
    file = io.BytesIO()
    with tenant_scope(scene.made.tenant), tenant_transaction():
        export_model(model=scene.made.model, target=file, by=SYSTEM)
    file.name = "model.zip"
    return file


def skops_file(scene: Scene) -> io.BytesIO:
    """Return the champion as a file from outside."""
    with tenant_scope(scene.made.tenant), tenant_transaction():
        done = export_version(version=scene.made.champion, form="skops", by=SYSTEM)
    file = io.BytesIO(done.data)
    file.name = "model.skops"
    return file


def outcomes_file(scene: Scene) -> io.BytesIO:
    """Return a correction of one outcome, as a file."""
    file = io.BytesIO(f"prediction_id,outcome\n{scene.key(Prediction)},malignant\n".encode())
    file.name = "outcomes.csv"
    return file


def unlabelled(scene: Scene) -> Any:
    """Return the key of a prediction that nobody has labelled on the labelling page."""
    with tenant_scope(scene.made.tenant), tenant_transaction():
        return Prediction.objects.filter(label_items=None).values_list("pk", flat=True)[0]


def past_file() -> io.BytesIO:
    """Return a few past predictions with their outcomes, as a file."""
    frame = table().head(3).rename(columns={"diagnosis": "outcome"})
    frame = frame.assign(prediction=frame["outcome"], predicted_at="2026-03-01T09:30:00Z")
    file = io.BytesIO(frame.to_csv(index=False).encode())
    file.name = "history.csv"
    return file


def api_writes(scene: Scene) -> dict[str, Write]:
    """Return what to send for each way of the API."""
    return organisation(scene) | registry(scene) | training(scene) | monitoring(scene)


def organisation(scene: Scene) -> dict[str, Write]:
    """Members, keys, the tenant's own settings."""
    members, keys = f"{API}/members", f"{API}/api-keys"
    member, key = f"{members}/{scene.member.pk}", f"{keys}/{scene.key(ApiKey)}"
    return {
        "PATCH tenant": Write("tenant.settings_changed", f"{API}/tenant", {"require_second_factor": True}),
        "POST tokens": Write("api_key.issued_token", f"{API}/tokens"),
        "POST team-list": Write("team.created", f"{API}/teams", {"name": "Surgery"}),
        "PATCH team-detail": Write("team.updated", f"{API}/teams/{scene.team.pk}", {"name": "X-ray"}),
        "DELETE team-detail": Write("team.deleted", f"{API}/teams/{scene.team.pk}"),
        "POST member-list": Write("member.added", members, {"email": "new@clinic.example", "role": "viewer"}),
        "PATCH member-detail": Write("member.role_changed", member, {"role": "analyst"}),
        "DELETE member-detail": Write("member.removed", member),
        "POST member-unlock": Write("account.unlocked", f"{member}/unlock"),
        "POST api-key-list": Write("api_key.created", keys, {"name": "new", "scopes": ["read"]}),
        "PATCH api-key-detail": Write("api_key.limited", key, {"requests_per_minute": 5}),
        "POST api-key-revoke": Write("api_key.revoked", f"{key}/revoke"),
        "POST api-key-rotate": Write("api_key.rotated", f"{key}/rotate"),
    }


def first_dropped(columns: list[Any]) -> dict[str, Any]:
    """Return the console's form that drops the first column and marks no other."""
    return {f"column-{place}": "none" if place else "drop" for place in range(len(columns))}


def described_columns(columns: list[Any]) -> dict[str, Any]:
    """Return the console's form that gives the first column a unit and leaves the others."""
    types = {f"column-{place}_0": column["type"] for place, column in enumerate(columns)}
    return {**types, "column-0_1": "mm"}


def registry(scene: Scene) -> dict[str, Write]:
    """Models, versions, datasets."""
    model = f"{API}/models/{scene.model.name}"
    personal = {"columns": {"mean_texture": "drop"}}
    upload = {"name": "new", "file": csv_file()}
    archive = {"file": archive_file(scene), "name": "copied"}
    foreign = {"file": skops_file(scene), "dataset": scene.data.pk}
    asked = f"{API}/promotion-requests/{scene.request.pk}"
    return {
        "POST proposals": Write("promotion.proposed", f"{model}/requests", {"version": 1}),
        "POST promotion-request-approve": Write("promotion.approved", f"{asked}/approve", WHY),
        "POST promotion-request-reject": Write("promotion.rejected", f"{asked}/reject", {"reason": "no"}),
        "POST promotion-request-withdraw": Write("promotion.withdrawn", f"{asked}/withdraw"),
        "POST promotion-request-comments": Write("promotion.commented", f"{asked}/comments", {"text": "x"}),
        "POST models": Write("model.created", f"{API}/models", NEW_MODEL),
        "POST model-import": Write("model.imported", f"{API}/models/import", archive, multipart=True),
        "POST version-import": Write("version.imported", f"{model}/versions/import", foreign, multipart=True),
        "PATCH model": Write("model.updated", model, {"description": "Told anew."}),
        "PATCH model-columns": Write("model.columns_marked", f"{model}/columns", personal),
        "PUT alias": Write("model.alias_set", f"{model}/aliases/challenger", {"version": 1}),
        "DELETE alias": Write("model.alias_removed", f"{model}/aliases/canary"),
        "PUT model-gates": Write("model.gates_chosen", f"{model}/gates", {"gates": {"latency": {}}}),
        "PATCH model-card": Write("model.card_written", f"{model}/card", {"words": WRITTEN}),
        "PATCH version-card": Write("version.card_written", f"{model}/versions/1/card", {"words": WRITTEN}),
        "PATCH model-tags": Write("model.tagged", f"{model}/tags", {"tags": {"team": "risk"}}),
        "PATCH version-tags": Write("version.tagged", f"{model}/versions/1/tags", {"tags": {"team": "risk"}}),
        "POST promote": Write("model.promoted", f"{model}/promote", {"version": 1, **WHY}),
        "POST rollback": Write("model.rolled_back", f"{model}/rollback"),
        "POST grants": Write("access.granted", f"{model}/grants", {"team": "Radiology", "role": "analyst"}),
        "DELETE grant": Write("access.withdrawn", f"{model}/grants/{scene.grant.pk}"),
        "POST datasets": Write("dataset.frozen", f"{API}/datasets", upload, multipart=True),
        "PATCH dataset-columns": Write(
            "dataset.columns_marked", f"{API}/datasets/{scene.data.pk}/columns", personal
        ),
        "PATCH dataset-schema": Write(
            "dataset.columns_described",
            f"{API}/datasets/{scene.data.pk}/schema",
            {"columns": {"mean_texture": {"unit": "grey levels"}}},
        ),
        "PUT retention": Write("retention.changed", f"{API}/retention", FEWER),
        "PUT model-retention": Write("retention.changed", f"{model}/retention", FEWER),
        "POST retention-run": Write("retention.run", f"{API}/retention/run"),
        "POST version-twin": Write("version.twin_made", f"{model}/versions/1/twin"),
        "POST anonymity": Write("dataset.measured", f"{API}/datasets/{scene.data.pk}/anonymity", QUASI),
        "POST anonymised": Write("dataset.exported", f"{API}/datasets/{scene.data.pk}/anonymised", QUASI),
    }


def training(scene: Scene) -> dict[str, Write]:
    """Jobs, schedules, outcomes."""
    schedules, active = f"{API}/schedules", f"{API}/schedules/{scene.active.pk}"
    outcome = {"prediction": str(scene.key(Prediction)), "value": "malignant"}
    new, aside = str(unlabelled(scene)), f"{API}/quarantines/{scene.key(Quarantine)}"
    job = {"model": scene.model.name, "dataset": scene.data.pk}
    source = f"{API}/sources/{scene.source.pk}"
    return {
        "POST sources": Write("source.created", f"{API}/sources", {"name": "new", "kind": "rest", **WEB}),
        "PATCH source": Write("source.updated", source, {"name": "Later"}),
        "DELETE source": Write("source.deleted", source),
        "POST source-snapshot": Write("source.snapshot_taken", f"{source}/snapshot"),
        "POST batches": Write(
            "batch.created", f"{API}/models/{scene.model.name}/batches", {"file": csv_file()}, multipart=True
        ),
        "POST batch-cancel": Write(
            "batch.cancelled", f"{API}/models/{scene.model.name}/batches/{scene.key(BatchJob)}/cancel"
        ),
        "POST jobs": Write("job.created", f"{API}/jobs", job),
        "POST job-cancel": Write("job.cancel_requested", f"{API}/jobs/{scene.waiting.pk}/cancel"),
        "POST job-retry": Write("job.created", f"{API}/jobs/{scene.ended.pk}/retry"),
        "POST job-clone": Write("job.created", f"{API}/jobs/{scene.ended.pk}/clone", {"folds": 3}),
        "PUT job-priority": Write("job.reprioritised", f"{API}/jobs/{scene.waiting.pk}/priority", URGENT),
        "POST model-retrain": Write("job.created", f"{API}/models/{scene.model.name}/retrain"),
        "POST version-reproduce": Write(
            "job.created", f"{API}/models/{scene.model.name}/versions/{scene.made.champion.number}/reproduce"
        ),
        "POST train-all": Write("job.created", f"{API}/train-all"),
        "POST schedules": Write(
            "schedule.created", schedules, {"model": scene.model.name, "name": "new", **TIMES}
        ),
        "PATCH schedule": Write("schedule.updated", active, {"name": "Later"}),
        "DELETE schedule": Write("schedule.deleted", active),
        "POST schedule-pause": Write("schedule.paused", f"{active}/pause"),
        "POST schedule-resume": Write("schedule.resumed", f"{schedules}/{scene.paused.pk}/resume"),
        "POST schedule-run": Write("schedule.run", f"{active}/run"),
        "POST outcome-list": Write("outcomes.recorded", f"{API}/outcomes", outcome),
        "POST outcomes-bulk": Write(
            "outcomes.recorded",
            f"{API}/outcomes/bulk",
            lines=outcomes_file(scene).getvalue().decode(),
        ),
        "POST labels": Write(
            "label.given", f"{API}/models/{scene.model.name}/labels", {"prediction": new, "value": "benign"}
        ),
        "POST labelled-decide": Write(
            "label.decided",
            f"{API}/labelled/{scene.key(LabelItem)}/decide",
            {"value": "benign", "reason": "x"},
        ),
        "PUT feedback-settings": Write(
            "feedback_settings.updated",
            f"{API}/models/{scene.model.name}/feedback-settings",
            {"least_labels": 500},
        ),
        "POST quarantine-release": Write("quarantine.released", f"{aside}/release", {"reason": "x"}),
        "POST quarantine-reject": Write("quarantine.rejected", f"{aside}/reject", {"reason": "x"}),
        "POST past-predictions": Write(
            "predictions.imported",
            f"{API}/models/{scene.model.name}/past-predictions",
            lines=past_file().getvalue().decode(),
        ),
        "POST subject-search": Write("subject.looked_up", f"{API}/subjects/search", PERSON),
        "POST subject-export": Write("subject.exported", f"{API}/subjects/export", PERSON),
        "POST erasure-list": Write("subject.erasure_requested", f"{API}/erasures", PERSON),
    }


def monitoring(scene: Scene) -> dict[str, Write]:
    """Checks, alerts, rules, policies."""
    alert, rule = f"{API}/alerts/{scene.key(Alert)}", f"{API}/alert-rules/{scene.key(AlertRule)}"
    channel = f"{API}/channels/{scene.key(Channel)}"
    model = f"{API}/models/{scene.model.name}"
    running = f"{model}/rollouts/{scene.running.pk}"
    mailed = f"{API}/report-schedules/{scene.key(ReportSchedule)}"
    plan = {"plan": [{"share": 0.3}]}
    return {
        "POST rollouts": Write("rollout.started", f"{API}/models/fresh/rollouts", {"challenger": 2}),
        "POST rollout-ramp": Write("rollout.ramped", f"{running}/ramp", plan),
        "POST rollout-pause": Write("rollout.paused", f"{running}/pause"),
        "POST rollout-resume": Write(
            "rollout.resumed", f"{API}/models/resting/rollouts/{scene.resting.pk}/resume"
        ),
        "POST rollout-stop": Write("rollout.stopped", f"{running}/stop"),
        "POST rollout-promote": Write("rollout.promoted", f"{running}/promote", WHY),
        "POST rollout-weigh": Write("rollout.weighed", f"{running}/weigh"),
        "POST checks": Write("model.checked", f"{model}/checks"),
        "PUT slices": Write("model.slices_chosen", f"{model}/slices", {"slices": {"mean_texture": [20]}}),
        "PUT policy": Write("policy.updated", f"{model}/policy", LIMITS),
        "PUT drift-settings": Write("drift_settings.updated", f"{model}/drift-settings", CLASSIC),
        "POST alert-acknowledge": Write("alert.acknowledged", f"{alert}/acknowledge"),
        "POST alert-snooze": Write(
            "alert.snoozed", f"{alert}/snooze", {"until": timezone.now() + timedelta(days=1)}
        ),
        "POST alert-wake": Write("alert.woken", f"{alert}/wake"),
        "POST alert-assign": Write("alert.assigned", f"{alert}/assign", {"owner": "locked@clinic.example"}),
        "POST alert-resolve": Write("alert.resolved", f"{alert}/resolve", {"reason": "seen to"}),
        "POST channel-list": Write(
            "channel.created", f"{API}/channels", {"name": "new", "kind": "email", "settings": DESK}
        ),
        "PATCH channel-detail": Write("channel.updated", channel, {"name": "Later"}),
        "DELETE channel-detail": Write("channel.deleted", channel),
        "POST channel-test": Write("channel.tried", f"{channel}/test"),
        "POST delivery-resend": Write(
            "delivery.sent_again", f"{API}/deliveries/{scene.key(Delivery)}/resend"
        ),
        "POST report-schedule-list": Write(
            "report_schedule.created", f"{API}/report-schedules", {"name": "new"}
        ),
        "PATCH report-schedule-detail": Write("report_schedule.updated", mailed, {"name": "Later"}),
        "DELETE report-schedule-detail": Write("report_schedule.deleted", mailed),
        "POST report-schedule-send": Write("report_schedule.sent_by_hand", f"{mailed}/send"),
        "POST alert-rule-list": Write(
            "alert_rule.created", f"{API}/alert-rules", {"model": scene.model.name, **NEW_RULE}
        ),
        "PATCH alert-rule-detail": Write("alert_rule.updated", rule, {"threshold": 0.4}),
        "DELETE alert-rule-detail": Write("alert_rule.deleted", rule),
    }


def console_writes(scene: Scene) -> dict[str, Write]:
    """Return what to send for each way of the console."""
    return added(scene) | commanded(scene) | selected(scene)


def added(scene: Scene) -> dict[str, Write]:
    """The pages that add a row."""
    model = {"model": scene.model.pk}
    job = {**model, "dataset": scene.data.pk, "algorithms": ["dummy"], "folds": 3, "seed": 1}
    outcome = {"prediction": scene.key(Prediction), "value": "malignant"}
    key, member = {"name": "new", "scopes": ["read"]}, {"email": "new@clinic.example", "role": "viewer"}
    training_page = add_url("training.trainingjob", model=scene.model.pk)
    return {
        "tenancy.apikey add": Write("api_key.created", add_url("tenancy.apikey"), key),
        "tenancy.membership add": Write("member.added", add_url("tenancy.membership"), member),
        "tenancy.tenant add": Write(
            "tenant.created", add_url("tenancy.tenant"), {"name": "Mill", "slug": "mill"}
        ),
        "tenancy.team add": Write("team.created", add_url("tenancy.team"), {"name": "Surgery"}),
        "tenancy.grant add": Write(
            "access.granted",
            add_url("tenancy.grant"),
            {**model, "holder": f"member:{scene.member.pk}", "role": "analyst"},
        ),
        "identity.claimmapping add": Write(
            "sign_on_rule.added",
            add_url("identity.claimmapping"),
            {
                "provider": "corp",
                "claim": "groups",
                "value": "ml",
                "tenant": scene.made.tenant.pk,
                "role": "viewer",
            },
        ),
        "registry.dataset add": Write(
            "dataset.frozen", add_url("registry.dataset"), {"name": "new", "file": csv_file()}, multipart=True
        ),
        "registry.registeredmodel add": Write(
            "model.created", add_url("registry.registeredmodel"), NEW_MODEL
        ),
        "feedback.outcome add": Write("outcomes.recorded", add_url("feedback.outcome"), outcome),
        "training.datasource add": Write(
            "source.created",
            add_url("training.datasource", kind="rest"),
            {"name": "new", "method": "GET", "auth": "none", "paging": "none", **ADDRESS, **PAGES},
        ),
        "training.batchjob add": Write(
            "batch.created",
            add_url("training.batchjob", model=scene.model.pk),
            {"dataset": scene.data.pk, "form": "csv", "on_bad_row": "skip"},
        ),
        "training.trainingjob add": Write("job.created", training_page, job),
        "training.retrainingschedule add": Write(
            "schedule.created", add_url("training.retrainingschedule"), {**model, "name": "new", **TIMES}
        ),
        "monitoring.reportschedule add": Write(
            "report_schedule.created", add_url("monitoring.reportschedule"), {"name": "new", **QUARTERLY}
        ),
        "monitoring.channel add": Write(
            "channel.created", add_url("monitoring.channel", kind="email"), {"name": "new", **HEARS}
        ),
        "monitoring.alertrule add": Write(
            "alert_rule.created", add_url("monitoring.alertrule"), {**model, **NEW_RULE, **PATIENCE}
        ),
    }


def commanded(scene: Scene) -> dict[str, Write]:
    """The commands on one object, or on a list."""
    member, active = scene.member, scene.active
    rule = {"threshold": 0.4, "severity": "info", "enabled": "on", "metric": "performance", **PATIENCE}
    owner = User.objects.get(email="someone@clinic.example")
    other = Tenant.objects.get(slug="winery")
    return {
        "training.batchjob cancel": Write("batch.cancelled", scene.command(BatchJob, "cancel")),
        "tenancy.user deactivate": Write("account.deactivated", command_url(owner, "deactivate")),
        "tenancy.user new-link": Write("account.link_issued", command_url(owner, "new-link")),
        "tenancy.user unlock": Write("account.unlocked", command_url(member.user, "unlock")),
        "tenancy.user remove-second-factors": Write(
            "account.second_factors_changed", command_url(member.user, "remove-second-factors")
        ),
        "tenancy.tenant set-limits": Write(
            "tenant.limited", command_url(other, "set-limits"), {"requests_per_minute": 50}
        ),
        "tenancy.tenant deactivate": Write("tenant.deactivated", command_url(other, "deactivate")),
        "tenancy.team edit": Write("team.updated", command_url(scene.team, "edit"), {"name": "X-ray"}),
        "tenancy.team remove": Write("team.deleted", command_url(scene.team, "remove")),
        "tenancy.grant edit": Write("access.granted", command_url(scene.grant, "edit"), {"role": "analyst"}),
        "tenancy.grant withdraw": Write("access.withdrawn", command_url(scene.grant, "withdraw")),
        "identity.claimmapping remove": Write("sign_on_rule.removed", command_url(scene.rule, "remove")),
        "feedback.subjecterasure look-up": Write("subject.looked_up", subjects("look-up"), PERSON),
        "feedback.subjecterasure export": Write("subject.exported", subjects("export"), PERSON),
        "feedback.subjecterasure erase": Write(
            "subject.erasure_requested", subjects("erase"), {**PERSON, "confirm": "on"}
        ),
        "tenancy.apikey rotate": Write(
            "api_key.rotated", scene.command(ApiKey, "rotate"), {"overlap_hours": 1}
        ),
        "tenancy.apikey limit": Write(
            "api_key.limited", scene.command(ApiKey, "limit"), {"requests_per_minute": 5}
        ),
        "tenancy.apikey revoke": Write("api_key.revoked", scene.command(ApiKey, "revoke")),
        "tenancy.membership change-role": Write(
            "member.role_changed", command_url(member, "change-role"), {"role": "analyst"}
        ),
        "tenancy.membership new-link": Write("account.link_issued", command_url(member, "new-link")),
        "tenancy.membership remove": Write("member.removed", command_url(member, "remove")),
        "tenancy.membership unlock": Write("account.unlocked", command_url(member, "unlock")),
        "tenancy.auditevent export": Write(
            "audit.exported", list_command_url("tenancy.auditevent", "export"), {"form": "csv"}
        ),
        "registry.dataset train": Write(
            "model.created", command_url(scene.data, "train"), {"name": "asked", "target": "diagnosis"}
        ),
        "registry.dataset columns": Write(
            "dataset.columns_marked", command_url(scene.data, "columns"), first_dropped(scene.data.columns)
        ),
        "registry.dataset schema": Write(
            "dataset.columns_described",
            command_url(scene.data, "schema"),
            described_columns(scene.data.columns),
        ),
        "registry.dataset anonymised": Write(
            "dataset.exported", command_url(scene.data, "anonymised"), {**QUASI, "k": 5, "form": "csv"}
        ),
        "registry.registeredmodel edit": Write("model.updated", scene.command(RegisteredModel, "edit"), TOLD),
        "registry.registeredmodel tags": Write(
            "model.tagged", scene.command(RegisteredModel, "tags"), TAGGED
        ),
        "registry.registeredmodel gates": Write(
            "model.gates_chosen", scene.command(RegisteredModel, "gates"), {"latency": "on"}
        ),
        "registry.registeredmodel alias": Write(
            "model.alias_set",
            scene.command(RegisteredModel, "alias"),
            {"alias": "challenger", "version": 1, "reason": "x"},
        ),
        "registry.registeredmodel slices": Write(
            "model.slices_chosen", scene.command(RegisteredModel, "slices"), {"slices": "mean_texture: 20"}
        ),
        "registry.registeredmodel words": Write(
            "model.card_written", scene.command(RegisteredModel, "words"), WRITTEN
        ),
        "registry.modelversion words": Write(
            "version.card_written", scene.command(ModelVersion, "words"), WRITTEN
        ),
        "registry.registeredmodel export": Write("model.exported", scene.command(RegisteredModel, "export")),
        "registry.registeredmodel import-archive": Write(
            "model.imported",
            list_command_url("registry.registeredmodel", "import-archive"),
            {"file": archive_file(scene), "name": "copied"},
            multipart=True,
        ),
        "registry.registeredmodel import-version": Write(
            "version.imported",
            scene.command(RegisteredModel, "import-version"),
            {"file": skops_file(scene), "dataset": scene.data.pk},
            multipart=True,
        ),
        "registry.modelversion export": Write(
            "version.exported", scene.command(ModelVersion, "export"), {"form": "skops"}
        ),
        "registry.modelversion tags": Write("version.tagged", scene.command(ModelVersion, "tags"), TAGGED),
        "registry.registeredmodel columns": Write(
            "model.columns_marked",
            scene.command(RegisteredModel, "columns"),
            first_dropped(scene.made.champion.features),
        ),
        "registry.registeredmodel roll-back": Write(
            "model.rolled_back",
            scene.command(RegisteredModel, "roll-back"),
            {"to": scene.made.champion.pk, "reason": "x"},
        ),
        "registry.registeredmodel check": Write("model.checked", scene.command(RegisteredModel, "check")),
        "registry.modelversion reproduce": Write(
            "job.created", command_url(scene.made.champion, "reproduce")
        ),
        "registry.registeredmodel retention": Write(
            "retention.changed", scene.command(RegisteredModel, "retention"), {"versions.newest": "5"}
        ),
        "registry.modelversion twin": Write("version.twin_made", command_url(scene.made.champion, "twin")),
        "registry.modelversion roll-out": Write(
            "rollout.started", command_url(scene.fresh, "roll-out"), {"kind": "ab", "when_good": "tell"}
        ),
        "registry.rollout ramp": Write("rollout.ramped", command_url(scene.running, "ramp"), {"plan": "30%"}),
        "registry.rollout pause": Write("rollout.paused", command_url(scene.running, "pause")),
        "registry.rollout resume": Write("rollout.resumed", command_url(scene.resting, "resume")),
        "registry.rollout stop": Write("rollout.stopped", command_url(scene.running, "stop")),
        "registry.rollout weigh": Write("rollout.weighed", command_url(scene.running, "weigh")),
        "registry.rollout promote": Write(
            "rollout.promoted", command_url(scene.running, "promote"), {"override": "on", "reason": "x"}
        ),
        "registry.modelversion propose": Write(
            "promotion.proposed", command_url(scene.made.champion, "propose"), {"comment": "x"}
        ),
        "registry.promotionrequest approve": Write(
            "promotion.approved", command_url(scene.request, "approve"), {"override": "on", "reason": "x"}
        ),
        "registry.promotionrequest reject": Write(
            "promotion.rejected", command_url(scene.request, "reject"), {"reason": "x"}
        ),
        "registry.promotionrequest withdraw": Write(
            "promotion.withdrawn", command_url(scene.own, "withdraw")
        ),
        "registry.promotionrequest comment": Write(
            "promotion.commented", command_url(scene.request, "comment"), {"text": "x"}
        ),
        "registry.modelversion promote": Write(
            "model.promoted", command_url(scene.made.champion, "promote"), {"override": "on", "reason": "x"}
        ),
        "feedback.outcome import-file": Write(
            "outcomes.recorded",
            list_command_url("feedback.outcome", "import-file"),
            {"file": outcomes_file(scene)},
            multipart=True,
        ),
        "feedback.labelitem label": Write(
            "label.given",
            list_command_url("feedback.labelitem", "label"),
            {"prediction": unlabelled(scene), "value": "benign"},
        ),
        "feedback.labelitem decide": Write(
            "label.decided", scene.command(LabelItem, "decide"), {"value": "benign", "reason": "x"}
        ),
        "feedback.quarantine release": Write(
            "quarantine.released", scene.command(Quarantine, "release"), {"reason": "x"}
        ),
        "feedback.quarantine reject": Write(
            "quarantine.rejected", scene.command(Quarantine, "reject"), {"reason": "x"}
        ),
        "registry.registeredmodel feedback-settings": Write(
            "feedback_settings.updated", scene.command(RegisteredModel, "feedback-settings"), GUARDED
        ),
        "feedback.historyimport import-file": Write(
            "predictions.imported",
            list_command_url("feedback.historyimport", "import-file"),
            {"file": past_file(), "model": scene.model.pk},
            multipart=True,
        ),
        "training.datasource snapshot": Write("source.snapshot_taken", command_url(scene.source, "snapshot")),
        "training.datasource edit": Write(
            "source.updated", command_url(scene.source, "edit"), {"name": "Later"}
        ),
        "training.datasource remove": Write("source.deleted", command_url(scene.source, "remove")),
        "training.trainingjob cancel": Write("job.cancel_requested", command_url(scene.waiting, "cancel")),
        "training.trainingjob retry": Write("job.created", command_url(scene.ended, "retry")),
        "training.trainingjob priority": Write(
            "job.reprioritised", command_url(scene.waiting, "priority"), URGENT
        ),
        "training.trainingjob train-all": Write(
            "job.created", list_command_url("training.trainingjob", "train-all"), URGENT
        ),
        "registry.registeredmodel drift-settings": Write(
            "drift_settings.updated", scene.command(RegisteredModel, "drift-settings"), CLASSIC
        ),
        "registry.registeredmodel retrain": Write("job.created", scene.command(RegisteredModel, "retrain")),
        "training.retrainingschedule edit": Write(
            "schedule.updated", command_url(active, "edit"), {"name": "Later", **TIMES}
        ),
        "training.retrainingschedule run": Write("schedule.run", command_url(active, "run")),
        "training.retrainingschedule pause": Write("schedule.paused", command_url(active, "pause")),
        "training.retrainingschedule resume": Write("schedule.resumed", command_url(scene.paused, "resume")),
        "training.retrainingschedule remove": Write("schedule.deleted", command_url(active, "remove")),
        "monitoring.alert acknowledge": Write("alert.acknowledged", scene.command(Alert, "acknowledge")),
        "monitoring.reportschedule send": Write(
            "report_schedule.sent_by_hand", scene.command(ReportSchedule, "send")
        ),
        "monitoring.reportschedule edit": Write(
            "report_schedule.updated", scene.command(ReportSchedule, "edit"), {"name": "Later", **QUARTERLY}
        ),
        "monitoring.reportschedule remove": Write(
            "report_schedule.deleted", scene.command(ReportSchedule, "remove")
        ),
        "monitoring.channel test": Write("channel.tried", scene.command(Channel, "test")),
        "monitoring.channel edit": Write(
            "channel.updated", scene.command(Channel, "edit"), {"name": "Later", **HEARS}
        ),
        "monitoring.channel remove": Write("channel.deleted", scene.command(Channel, "remove")),
        "monitoring.delivery resend": Write("delivery.sent_again", scene.command(Delivery, "resend")),
        "monitoring.alert snooze": Write("alert.snoozed", scene.command(Alert, "snooze"), {"hours": 8}),
        "monitoring.alert wake": Write("alert.woken", scene.command(Alert, "wake")),
        "monitoring.alert assign": Write(
            "alert.assigned", scene.command(Alert, "assign"), {"owner": scene.member.pk}
        ),
        "monitoring.alert resolve": Write("alert.resolved", scene.command(Alert, "resolve"), {"reason": "x"}),
        "monitoring.retrainingpolicy edit": Write(
            "policy.updated", scene.command(RetrainingPolicy, "edit"), LIMITS
        ),
        "monitoring.alertrule edit": Write("alert_rule.updated", scene.command(AlertRule, "edit"), rule),
        "monitoring.alertrule remove": Write("alert_rule.deleted", scene.command(AlertRule, "remove")),
    }


def subjects(slug: str) -> str:
    """Return the address of a page about a person whom predictions are about."""
    return list_command_url("feedback.subjecterasure", slug)


def selected(scene: Scene) -> dict[str, Write]:
    """The actions on rows selected in a list."""

    def act(table: Any, name: str, action: str, row: Any = None) -> Write:
        body = {"action": name, "_selected_action": [str(row.pk if row else scene.key(table))]}
        return Write(action, list_url(table._meta.label_lower), body)

    return {
        "tenancy.apikey revoke_selected": act(ApiKey, "revoke_selected", "api_key.revoked"),
        "training.trainingjob cancel_selected": act(
            TrainingJob, "cancel_selected", "job.cancel_requested", scene.waiting
        ),
        "training.trainingjob retry_selected": act(TrainingJob, "retry_selected", "job.created", scene.ended),
        "registry.registeredmodel retrain_selected": act(RegisteredModel, "retrain_selected", "job.created"),
        "registry.modelversion make_twins": act(
            ModelVersion, "make_twins", "version.twin_made", scene.made.champion
        ),
        "monitoring.alert acknowledge_selected": act(Alert, "acknowledge_selected", "alert.acknowledged"),
        "monitoring.delivery resend_selected": act(Delivery, "resend_selected", "delivery.sent_again"),
        "monitoring.alert resolve_selected": act(Alert, "resolve_selected", "alert.resolved"),
    }
