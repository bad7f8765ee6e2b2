"""Reports over a period, of a model or of the tenant: put together from the rows, the same for every door.

What a report says of days that are over follows from rows that stay: roll-ups, alerts, deployments,
decisions, the audit trail. So it can be made again and its hash compared. Outcomes that
come later are counted with the predictions that they belong to, and change it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.reporting.articles import ARTICLES, REGULATION
from monitoring.reporting.document import Chapter, Content, Report, content_hash
from monitoring.services import report_tenant
from monitoring.services.report_data import data_chapter, fairness_chapter
from monitoring.services.report_days import Days
from monitoring.services.report_drift import drift_chapter, drift_sentence
from monitoring.services.report_events import (
    alerts_chapter,
    alerts_sentence,
    deployments_chapter,
    training_chapter,
)
from monitoring.services.report_people import oversight_chapter, oversight_sentence, records_chapter
from monitoring.services.report_quality import (
    measured_quality,
    quality_chapter,
    quality_sentence,
    service_chapter,
)
from monitoring.services.report_scope import Asked, champion_at
from monitoring.services.rollups import roll_up
from registry.cards.document import Facts, Grid, Sentence
from registry.models import RegisteredModel
from registry.services.retention_rules import rules_of

HALF_A_YEAR = 183
MODEST = (
    "Each part says which articles of the AI Act it serves: it is material for those who have the duty, who "
    "judge whether the system is of high risk (Article 6) and whether the material is enough. It is no "
    "declaration that a duty is fulfilled."
)


def make_report(
    *, days: Days, by: Actor, form: str, model: RegisteredModel | None = None, trail: bool = False
) -> Report:
    """Put a report together, and record that it was made.

    Args:
        days: which it tells of, from ``report_days``.
        by: who asks; it is told in the report.
        form: page, html, pdf, json or mail, for the trail.
        model: whose; None for the whole tenant.
        trail: whether entries of the audit trail are quoted, for those who may read it.
    """
    roll_up()  # what came in up to now is counted once, for all chapters
    with tenant_transaction():
        content = _of_model(model, days, trail=trail) if model else _of_tenant(days)
        now = timezone.now()
        report = Report(content, _made(days, by, now, content, model, trail=trail), _name(days, model))
        record(
            by=by,
            action="report.made",
            target=model or current_tenant(),
            form=form,
            since=str(days.first),
            until=str(days.last),
            content_hash=report.digest,
        )
    return report


def _of_model(model: RegisteredModel, days: Days, *, trail: bool) -> Content:
    asked = Asked(days, model, champion_at(model, days.period.until), trail)
    found = measured_quality(model, asked)
    looked_at = found.versions[0].version if found.versions else asked.champion
    drift, alerts = drift_sentence(asked), alerts_sentence(asked)
    return Content(
        title=f"Report on {model.name}, {days}",
        about=Facts(
            [
                ("Tenant", current_tenant().name),
                ("Model", f"{model.name}: {model.problem.title.lower()}, it {model.purpose}"),
                *_champions(model, asked),
                *_days(days),
            ]
        ),
        verdict=[
            quality_sentence(model, found),
            f"{drift[0].upper()}{drift[1:]}; {alerts}.",
            oversight_sentence(asked),
        ],
        chapters=_with_articles(
            [
                quality_chapter(model, asked, found),
                drift_chapter(asked),
                data_chapter(model, asked, looked_at),
                fairness_chapter(model, asked, looked_at),
                alerts_chapter(asked),
                deployments_chapter(asked),
                training_chapter(asked),
                oversight_chapter(asked),
                service_chapter(model, asked),
                records_chapter(asked),
            ]
        ),
    )


def _of_tenant(days: Days) -> Content:
    tenant, asked = current_tenant(), Asked(days, trail=True)
    models = report_tenant.models_of_days(asked)
    drift, alerts = drift_sentence(asked), alerts_sentence(asked)
    return Content(
        title=f"Report on {tenant.name}, {days}",
        about=Facts([("Tenant", tenant.name), ("Models", f"{len(models):,}"), *_days(days)]),
        verdict=[
            report_tenant.tenant_sentence(tenant.name, models),
            f"{drift[0].upper()}{drift[1:]}; {alerts}.",
            oversight_sentence(asked),
        ],
        chapters=_with_articles(
            [
                report_tenant.performance_chapter(asked, models),
                report_tenant.watch_chapter(models),
                report_tenant.data_chapter(models),
                alerts_chapter(asked),
                deployments_chapter(asked),
                training_chapter(asked),
                oversight_chapter(asked),
                report_tenant.use_chapter(asked),
                records_chapter(asked),
            ]
        ),
    )


def _champions(model: RegisteredModel, asked: Asked) -> list[tuple[str, str]]:
    before = champion_at(model, asked.period.since)
    names = [f"v{one.number}" if one else "none" for one in (before, asked.champion)]
    return [("Champion", names[0] if names[0] == names[1] else f"{names[0]} at first, {names[1]} at the end")]


def _days(days: Days) -> list[tuple[str, str]]:
    return [("Period", f"{days}, both days included"), ("Time zone", days.zone)]


def _with_articles(chapters: Sequence[Chapter]) -> list[Chapter]:
    """Add the list of articles with the chapters that serve each."""
    rows = [
        [
            one.number,
            one.title,
            one.asks,
            one.whose,
            ", ".join(chapter.title for chapter in chapters if key in chapter.serves),
        ]
        for key, one in ARTICLES.items()
        if any(key in chapter.serves for chapter in chapters)
    ]
    columns = ["Article", "About", "What it asks for, in our words", "Of", "Served by"]
    grid = Grid(columns, rows, REGULATION)
    return [*chapters, Chapter("Which article each part serves", [Sentence(MODEST), grid])]


def _made(
    days: Days, by: Actor, now: datetime, content: Content, model: RegisteredModel | None, *, trail: bool
) -> Facts:
    open_days = days.period.until > now
    state = "not over yet: figures still change" if open_days else "over; outcomes that come later are added"
    kept = rules_of(model)["predictions"].days
    short = "; Articles 19 and 26(6) ask for six months at least" if kept and kept < HALF_A_YEAR else ""
    return Facts(
        [
            ("Made", f"{days.moment(now)} ({days.zone}) by {by}"),
            ("Period", f"{days}, {state}"),
            ("Audit trail", "quoted" if trail or model is None else "counted, not quoted"),
            ("Log kept at present", (f"{kept:,} days{short}" if kept else "for ever") + "; counts stay"),
            ("Content (SHA-256)", content_hash(content)),
            ("Check it", "Made again for the same days from the same rows, the content has the same hash."),
        ]
    )


def _name(days: Days, model: RegisteredModel | None) -> str:
    tenant: Tenant = current_tenant()
    return f"{model.name if model else tenant.slug}-report-{days.first}-{days.last}"
