"""A report's chapters on the data that came in, and on how differently groups fared."""

from mlplatform.pictures import Bar, Figure, bars
from monitoring.reporting.document import Block, Chapter, table
from monitoring.services.data_quality import ColumnQuality, DataReport, data_report
from monitoring.services.fairness import FEWEST_OUTCOMES, FairnessGap, FairnessReport, fairness_reports
from monitoring.services.report_scope import Asked, counted, number, share, spread
from registry.cards.document import Facts, Sentence
from registry.models import ModelVersion, RegisteredModel

MOST_COLUMNS, MOST_BARS = 20, 12
DATA, FAIRNESS = ("10(2)-(3)", "15", "26(4)"), ("10(2)-(3)", "13(3)", "15")
UNSLICED = (
    "No column of this model is watched by groups, so fairness was not measured on live answers. Choose the "
    "columns under the model's slices."
)


def data_chapter(model: RegisteredModel, asked: Asked, version: ModelVersion | None) -> Chapter:
    """Return how much came in, and what was amiss with it."""
    found = data_report(model=model, period=asked.period, version=version) if version else None
    if found is None or not found.rows:
        return Chapter("Data", [Sentence("No rows came in during this period.", missing=True)], DATA)
    blocks: list[Block] = [Facts(_facts(asked, found))]
    if found.columns:
        amiss = [one for one in found.columns if one.changed]
        told = (
            f"{counted(len(amiss), 'column')} of {len(found.columns):,} changed beyond chance against the "
            f"training data{': ' + ', '.join(one.column for one in amiss[:6]) if amiss else ''}."
        )
        blocks += [Sentence(told), _columns(found), *_missing(found)]
    else:
        blocks.append(Sentence("The columns were not counted: the version has no reference.", missing=True))
    return Chapter("Data", blocks, DATA)


def _facts(asked: Asked, found: DataReport) -> list[tuple[str, str]]:
    repeated = "–" if found.repeated is None else f"{found.repeated:.1%} say what another row says"
    return [
        ("Asked of", f"v{found.version.number}"),
        ("Rows", f"{found.rows:,}; in as many days before {found.before:,}"),
        ("Last row", asked.days.moment(found.last) if found.last else "–"),
        ("Hours without a row", f"{found.silent_hours:,}"),
        ("Repeated", repeated),
    ]


def _columns(found: DataReport) -> Block:
    rows = [
        [
            one.column,
            f"{share(one.missing)} ({share(one.missing_before)})",
            share(one.unknown),
            share(one.low + one.high),
            share(one.mistyped),
            ", ".join(one.changed) or "nothing",
        ]
        for one in found.columns
    ]
    columns = ["Column", "Missing (training)", "Unknown category", "Out of range", "Other type", "Changed"]
    return table(columns, rows, title="By column", most=MOST_COLUMNS)


def _missing(found: DataReport) -> list[Block]:
    top = sorted(found.columns, key=lambda one: (-_amiss(one), one.column))[:MOST_BARS]
    drawn = [Bar(one.column, _amiss(one)) for one in top if _amiss(one)]
    if not drawn:
        return []
    title = "Values that were missing, unknown, out of range or of another type"
    words = f"The {counted(len(drawn), 'column')} with most of them, as a share of all rows."
    return [Figure(title, bars(drawn, axis="of rows", title=title, percent=True, description=words), words)]


def _amiss(one: ColumnQuality) -> float:
    return one.missing + one.unknown + one.low + one.high + one.mistyped


def fairness_chapter(model: RegisteredModel, asked: Asked, version: ModelVersion | None) -> Chapter:
    """Return the groups of each sliced column, and the largest gaps between them."""
    if not model.slices:
        return Chapter("Fairness", [Sentence(UNSLICED, missing=True)], FAIRNESS)
    found = fairness_reports(model=model, period=asked.period, version=version) if version else []
    blocks = [block for one in found for block in _column(model, one)]
    if not blocks:
        words = "No outcomes came back for any group in this period, so groups could not be compared."
        blocks = [Sentence(words, missing=True)]
    return Chapter("Fairness", blocks, FAIRNESS)


def gap_in_words(model: RegisteredModel, gap: FairnessGap) -> str:
    """Return one gap as a sentence."""
    known = {metric.name: metric.title for metric in model.problem.metrics}
    measure = known.get(gap.measure, gap.measure.replace("_", " "))
    verdict = "a difference beyond chance" if gap.proven else "within chance"
    allowed = f"; its gate allows {number(gap.allowed)}" if gap.allowed is not None else ""
    return (
        f"{measure} differs most between {gap.highest} and {gap.lowest}: by {spread(gap.gap)}, "
        f"{verdict}{allowed}."
    )


def _column(model: RegisteredModel, found: FairnessReport) -> list[Block]:
    metric = model.problem.primary
    if not found.groups:
        return []
    rows = [
        [one.value, f"{one.labelled:,}", *(spread(one.figures.get(name)) for name in _names(found))]
        for one in found.groups
    ]
    titles = {one.name: one.title for one in model.problem.metrics}
    heads = [titles.get(name, name.replace("_", " ")) for name in _names(found)]
    note = f"Groups with fewer than {FEWEST_OUTCOMES} outcomes are told, and left out of the comparison."
    blocks: list[Block] = [
        table(
            [found.column, "Outcomes known", *heads],
            rows,
            title=f"Groups of {found.column}, v{found.version.number}",
            note=note,
        )
    ]
    drawn = [
        Bar(one.value, figure.value, figure.low, figure.high)
        for one in found.groups
        if (figure := one.figures.get(metric.name)) is not None
    ]
    if len(drawn) > 1:
        title = f"{metric.title} by {found.column}"
        words = "The thin line holds the truth 95 times in 100."
        picture = bars(drawn[:MOST_BARS], axis=metric.title, title=title, description=words)
        blocks.append(Figure(title, picture, words))
    blocks += [Sentence(gap_in_words(model, gap)) for gap in found.gaps]
    if not found.gaps:
        blocks.append(Sentence("Too few outcomes are known to compare these groups.", missing=True))
    return blocks


def _names(found: FairnessReport) -> list[str]:
    return list(dict.fromkeys(name for one in found.groups for name in one.figures))
