"""A tenant's report: how each model did, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Sum

from mlplatform.pictures import Bar, Figure, bars
from monitoring.models import DriftReport, Rollup
from monitoring.reporting.document import Block, Chapter, table
from monitoring.services.data_quality import data_report
from monitoring.services.fairness import fairness_reports
from monitoring.services.report_data import gap_in_words
from monitoring.services.report_events import deployed, raised, standing, trained
from monitoring.services.report_quality import Quality, measured_quality, quality_sentence
from monitoring.services.report_scope import Asked, champion_at, counted, number, share, spread
from monitoring.services.usage import usage_of
from registry.cards.document import Sentence
from registry.models import RegisteredModel

MOST_MODELS, MOST_BARS, MOST_CALLERS = 50, 15, 15


@dataclass(frozen=True)
class OneModel:
    """What a tenant's report tells of one model; ``told`` is the same question of this model alone."""

    model: RegisteredModel
    told: Asked
    quality: Quality


def models_of_days(asked: Asked) -> list[OneModel]:
    """Return the models that were there, those asked most first, at most fifty; each is measured."""
    period = asked.period
    hours = Rollup.objects.filter(begins__gte=period.since, begins__lt=period.until, slice_column="")
    totals = hours.order_by().values_list("model").annotate(answers=Sum("predictions"))
    answers = dict(totals)
    models = list(RegisteredModel.objects.filter(created_at__lt=period.until).order_by("name"))
    models.sort(key=lambda model: (-answers.get(model.pk, 0), model.name))
    found = []
    for model in models[:MOST_MODELS]:
        told = replace(asked, model=model, champion=champion_at(model, period.until))
        found.append(OneModel(model, told, measured_quality(model, told)))
    return found


def performance_chapter(asked: Asked, models: Sequence[OneModel]) -> Chapter:
    """Return how each model did, and how much each was asked."""
    total = RegisteredModel.objects.filter(created_at__lt=asked.period.until).count()
    rows = [_performance(one) for one in models]
    columns = ["Model", "Champion", "Answers", "Outcomes", "Metric", "Came true", "Hold-out"]
    note = "Each model's own report tells more." + (
        f" The {MOST_MODELS} models asked most are told." if total > MOST_MODELS else ""
    )
    blocks: list[Block] = [
        table(columns, rows, title="Models", most=MOST_MODELS, total=max(total, len(rows)), note=note)
        if rows
        else Sentence("There was no model in this period.", missing=True)
    ]
    silent = [one.model.name for one in models if one.quality.versions and not _labelled(one.quality)]
    if silent:
        blocks.append(Sentence(f"No outcomes came back for {', '.join(silent)}.", missing=True))
    drawn = [
        Bar(one.model.name, _answers(one.quality)) for one in models[:MOST_BARS] if _answers(one.quality)
    ]
    if drawn:
        title = "Answers by model"
        words = f"The {counted(len(drawn), 'model')} asked most."
        blocks.append(Figure(title, bars(drawn, axis="answers", title=title), words))
    return Chapter("Performance", blocks, ("15", "13(3)", "72"))


def _performance(one: OneModel) -> list[str]:
    metric = one.model.problem.primary
    best = next((found for found in one.quality.versions if metric.name in found.realized), None)
    return [
        one.model.name,
        f"v{one.told.champion.number}" if one.told.champion else "none",
        number(_answers(one.quality)),
        f"{_labelled(one.quality):,}",
        metric.title,
        spread(best.realized[metric.name]) if best else "–",
        number(best.version.metrics.get(metric.name)) if best else "–",
    ]


def _answers(quality: Quality) -> int:
    return sum(found.predictions for found in quality.versions)


def _labelled(quality: Quality) -> int:
    return sum(found.labelled for found in quality.versions)


def watch_chapter(models: Sequence[OneModel]) -> Chapter:
    """Return by model how often drift alarmed and what else happened."""
    rows = [
        [
            one.model.name,
            _drift(one.told),
            f"{raised(one.told).count():,}",
            f"{standing(one.told).count():,}",
            f"{deployed(one.told).count():,}",
            f"{trained(one.told).count():,}",
        ]
        for one in models
    ]
    columns = ["Model", "Drift alarms", "Alerts", "Unresolved as it ended", "Changes", "Training jobs"]
    blocks: list[Block] = [table(columns, rows, title="By model", most=MOST_MODELS)] if rows else []
    blocks = blocks or [Sentence("There was no model in this period.", missing=True)]
    return Chapter("Drift and what happened", blocks, ("9(2)", "26(5)", "72"))


def _drift(told: Asked) -> str:
    checks = told.of(DriftReport.objects.all())
    count = checks.count()
    return f"{checks.filter(alarm=True).count():,} of {count:,} checks" if count else "not checked"


def data_chapter(models: Sequence[OneModel]) -> Chapter:
    """Return by model what was amiss with the rows, and the proven gaps between groups."""
    rows: list[list[str]] = []
    blocks: list[Block] = []
    for one in models:
        version = one.quality.versions[0].version if one.quality.versions else None
        if version is None:
            continue
        found = data_report(model=one.model, period=one.told.period, version=version)
        if found is not None and found.rows:
            changed = [column.column for column in found.columns if column.changed]
            missing = max((column.missing for column in found.columns), default=None)
            rows.append(
                [one.model.name, number(found.rows), ", ".join(changed[:6]) or "none", share(missing)]
            )
        for groups in fairness_reports(model=one.model, period=one.told.period, version=version):
            proven = [gap for gap in groups.gaps if gap.proven]
            blocks += [
                Sentence(f"{one.model.name}, {groups.column}: {gap_in_words(one.model, gap)}")
                for gap in proven
            ]
    columns = ["Model", "Rows", "Columns that changed beyond chance", "Most missing in one"]
    told: list[Block] = [table(columns, rows, title="Data", most=MOST_MODELS)] if rows else []
    nothing = Sentence("No rows came in during this period.", missing=True)
    gaps = blocks or [Sentence("No difference between watched groups was proven in this period.")]
    return Chapter("Data and fairness", [*(told or [nothing]), *gaps], ("10(2)-(3)", "13(3)", "26(4)"))


def use_chapter(asked: Asked) -> Chapter:
    """Return who asked how much."""
    total: dict[str, int] = {}
    for one in usage_of(period=asked.period):
        total[one.caller] = total.get(one.caller, 0) + one.predictions
    if not total:
        return Chapter("Use", [Sentence("Nobody asked in this period.", missing=True)], ("12", "26(5)"))
    ordered = sorted(total.items(), key=lambda one: (-one[1], one[0]))
    rows = [[name, f"{count:,}"] for name, count in ordered]
    grid = table(["Who asked", "Answers"], rows, title="By caller", most=MOST_CALLERS)
    return Chapter("Use", [grid], ("12", "26(5)"))


def tenant_sentence(name: str, models: Sequence[OneModel]) -> str:
    """Return the verdict on quality in one sentence."""
    asked = [one for one in models if _answers(one.quality)]
    if not asked:
        return f"No model of {name} was asked for an answer in this period."
    if len(asked) == 1:
        return quality_sentence(asked[0].model, asked[0].quality)
    total = sum(_answers(one.quality) for one in asked)
    measured = sum(1 for one in asked if _labelled(one.quality))
    return (
        f"{counted(len(asked), 'model')} of {name} gave {counted(total, 'answer')}; "
        f"the quality of {counted(measured, 'of them', 'of them').replace('no of', 'none of')} "
        f"could be measured from outcomes."
    )
