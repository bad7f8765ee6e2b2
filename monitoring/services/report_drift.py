"""A report's chapter on how far the rows had moved from the training data."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Max, Q

from mlplatform.pictures import Axis, Bar, Figure, Line, bars, plot
from monitoring.models import DriftReport, DriftResult
from monitoring.reporting.document import Block, Chapter, table
from monitoring.services.courses import at, step_words, time_axis
from monitoring.services.drift_words import (
    cost_in_words,
    result_in_words,
    rule_in_words,
    together_in_words,
)
from monitoring.services.report_scope import Asked, counted, number
from registry.cards.document import Sentence

MOST_FEATURES, MOST_BARS = 15, 12
SERVES = ("9(2)", "15", "26(5)", "72")
NEVER = "Drift was not checked in this period: there was no champion, or it was asked too little."


def drift_sentence(asked: Asked) -> str:
    """Return in half a sentence how often drift was found."""
    checks = asked.of(DriftReport.objects.all())
    total, alarms = checks.count(), checks.filter(alarm=True).count()
    if not total:
        return "drift was not checked"
    return f"{counted(alarms, 'of')} {counted(total, 'check')} of drift raised an alarm".replace(
        "no of", "none of"
    )


def drift_chapter(asked: Asked) -> Chapter:
    """Return the checks of the days, what moved most, and what that may cost."""
    checks = asked.of(DriftReport.objects.all()).order_by("created_at", "pk")
    heavy = [f"version__{name}" for name in ("evaluation", "importance", "cv_metrics", "card_words")]
    last: Any = checks.select_related("version__model").defer(*heavy).last()
    if last is None:
        return Chapter("Drift", [Sentence(NEVER, missing=True)], SERVES)
    alarms = checks.filter(alarm=True).count()
    told = (
        f"{counted(checks.count(), 'check')} held what came in against the training data; {alarms:,} alarmed."
    )
    results = list(DriftResult.objects.filter(report=last).order_by("-cost", "-score", "feature"))
    blocks: list[Block] = [Sentence(told), Sentence(rule_in_words(last))]
    blocks += [*_course(asked), _features(asked), _scores(asked, last, results)]
    for result in [one for one in results if one.drifted][:3]:
        words = [*result_in_words(last.version, result), cost_in_words(last.version, result)]
        blocks.append(Sentence(f"{result.feature}: {' '.join(word for word in words if word)}"))
    blocks += [Sentence(words) for words in together_in_words(last)]
    return Chapter("Drift", blocks, SERVES)


def _course(asked: Asked) -> list[Block]:
    period = asked.period
    found: dict[int, tuple[int, int]] = {}
    rows = asked.of(DriftReport.objects.all()).values_list("created_at", "drifted_features", "features")
    for moment, drifted, features in rows.iterator():
        place = period.place(moment)
        one, other = found.get(place, (0, 0))
        found[place] = (one + drifted, other + features)
    places = sorted(place for place, (_, features) in found.items() if features)
    if len(places) < 2:
        return []
    line = Line(
        "drifted",
        [at(period, period.begins(place) + period.step / 2) for place in places],
        [found[place][0] / found[place][1] for place in places],
        "both",
    )
    title = "Share of features found drifted"
    words = f"Of all features in all checks; each point is {step_words(period)}."
    y = Axis("drifted", low=0.0, high=1.0, percent=True)
    picture = plot([line], x=time_axis(period), y=y, title=title, description=words)
    return [Figure(title, picture, words)]


def _features(asked: Asked) -> Block:
    checks = asked.of(DriftReport.objects.all()).order_by()
    of_feature = DriftResult.objects.filter(report__in=checks).order_by().values("feature")
    drifted = Count("pk", filter=Q(drifted=True))
    found = of_feature.annotate(
        checks=Count("pk"), times=drifted, score_top=Max("score"), cost_top=Max("cost")
    )
    rows = [
        [
            one["feature"],
            f"{one['times']:,} of {one['checks']:,}",
            number(one["score_top"]),
            number(one["cost_top"]),
        ]
        for one in found.order_by("-times", "-cost_top", "-score_top", "feature")
    ]
    columns = ["Feature", "Checks that found it drifted", "Highest PSI", "Highest drift × importance"]
    note = "“prediction” stands for the model's own answers."
    return table(columns, rows, title="By feature", most=MOST_FEATURES, note=note)


def _scores(asked: Asked, last: DriftReport, results: Sequence[DriftResult]) -> Figure:
    top = sorted(results, key=lambda one: (-one.score, one.feature))[:MOST_BARS]
    drawn = [
        Bar(one.feature, one.score, words=f"{number(one.score)}{' !' if one.drifted else ''}") for one in top
    ]
    title = f"The last check, of v{last.version.number} on {asked.days.moment(last.created_at)}"
    words = f"PSI of the {len(top)} highest of {len(results)}, over {last.rows:,} rows; ! is drifted."
    return Figure(title, bars(drawn, axis="PSI", title=title, description=words), words)
