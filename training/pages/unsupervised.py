"""What a model found without answers, as parts of a page: clusters and unusual rows."""

from collections.abc import Iterator, Sequence

from mlplatform.admin.parts import Lines, Meter, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Figure, Group, silhouette, spread
from training.evaluation.portraits import Anomalies, Portrait, Trait

CLEARLY = 0.5  # standard deviations


def portrait_sections(portraits: Sequence[Portrait]) -> Iterator[Section]:
    """Yield each cluster's portrait and how well its rows lie in it."""
    rows = [
        [
            one.name,
            Meter(one.share, f"{one.share:.1%}"),
            one.rows,
            one.silhouette,
            Lines(*_told(one.traits)) if one.traits else None,
        ]
        for one in portraits
    ]
    note = (
        "Of the rows held out. What is typical of a cluster, the most telling first: medians of numbers and "
        "shares of categories, beside those of all rows."
    )
    columns = ["Cluster", "Share", "Rows", "Silhouette", "What sets it apart"]
    yield Table("Portraits of the clusters", columns, rows, note=note)
    lying = [one for one in portraits if one.silhouettes and one.silhouette is not None]
    if lying:
        yield plots("How well the rows lie in their clusters", [_silhouettes(lying)])


def anomaly_sections(found: Anomalies) -> Iterator[Section]:
    """Yield how the scores are spread, and the most unusual rows."""
    whole = sum(found.counts)
    picture = spread(
        found.edges,
        found.counts,
        axis="Score: how unusual a row is",
        title="Scores of the rows held out",
        threshold=found.threshold,
    )
    words = (
        f"{found.flagged:,} of {whole:,} rows held out lie above the threshold of {number(found.threshold)} "
        "and are called anomalies. A clear gap before them is a good sign. Heights grow with the root of the "
        "count."
    )
    yield plots("How unusual the rows are", [Figure("Scores and threshold", picture, words)])
    rows = [
        [place, one.score, Lines(*_values(one.values)) if one.values else None]
        for place, one in enumerate(found.rows, 1)
    ]
    note = "Of the rows held out; of each, the values that lie farthest from the others', the farthest first."
    yield Table("Most unusual rows", ["", "Score", "Values"], rows, note=note, empty="There are no rows.")


def _told(traits: Sequence[Trait]) -> tuple[str, list[str]]:
    first, *rest = [_trait(one) for one in traits]
    return first, rest


def _trait(one: Trait) -> str:
    if one.value is not None:
        return f"{one.feature} is {one.value}: {one.typical:.0%} (all: {one.whole:.0%})"
    way = "higher" if one.apart > CLEARLY else "lower" if one.apart < -CLEARLY else "about the same"
    return f"{one.feature} {number(one.typical)} (all: {number(one.whole)}), {way}"


def _values(values: dict[str, str]) -> tuple[str, list[str]]:
    first, *rest = [f"{name}: {value}" for name, value in values.items()]
    return first, rest


def _silhouettes(portraits: Sequence[Portrait]) -> Figure:
    rows = sum(one.rows for one in portraits)
    mean = sum(one.rows * (one.silhouette or 0.0) for one in portraits) / rows
    picture = silhouette(
        [Group(one.name, one.silhouettes, one.share) for one in portraits],
        title="Silhouettes by cluster",
        mean=mean,
    )
    worst = min(portraits, key=lambda one: one.silhouette or 0.0)
    words = (
        "Each band is a cluster, as deep as it is large: 1 is right amid its own rows, 0 between two "
        f"clusters, below 0 nearer to another. The dashed line is the mean, {mean:.2f}; {worst.name} is the "
        f"least clear ({worst.silhouette:.2f})."
    )
    return Figure("Silhouettes", picture, words)
