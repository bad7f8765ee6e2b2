"""What a version's record gives to its card, part by part: data, training, scores, groups, explanations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlplatform.tenancy.services.settings import setting
from registry.cards.document import Block, Facts, Grid, Part, Sentence
from registry.cards.metadata import Result
from registry.models import ModelVersion
from registry.services.twins import twin_facts

MOST_INPUTS, MOST_GROUPS, MOST_EXPLAINED = 200, 60, 20
RULES = {
    "content": "a row's own content decides",
    "group": "all rows of one value of {column} lie on one side",
    "time": "the newest rows by {column}",
}
ORIGINS = {"file": "an uploaded file", "source": "a data source", "retraining": "data and known outcomes"}
CONFIDENCE = "Were other rows held out, a score would most likely lie within its 95 % interval."


def data_part(version: ModelVersion) -> Part:
    """Return what it learnt from, and what was held out."""
    data, split = version.dataset, version.split
    rule = RULES.get(split.get("kind", "content"), "").format(column=split.get("column"))
    origin = data.origin.get("kind", "")
    rows = [
        ("Data", data.name),
        ("Rows", f"{data.rows:,}"),
        ("From", ORIGINS.get(origin, origin or "unknown")),
        ("Frozen", f"{data.created_at:%Y-%m-%d %H:%M} UTC"),
        ("Content (SHA-256)", data.content_hash),
        ("Target", version.model.target or "none"),
        *([("Classes", ", ".join(version.classes))] if version.classes else []),
        ("Held out", f"{version.holdout_rows:,} rows that it never learnt from: {rule}"),
    ]
    return Part("Data", [Facts(rows), _inputs(version.features), *_findings(version)])


def training_part(version: ModelVersion) -> Part:
    """Return how it was made, and what was made."""
    twin = twin_facts(version)
    rows = [
        ("Algorithm", version.algorithm.replace("_", " ")),
        *[(name.replace("_", " ").capitalize(), str(value)) for name, value in version.params.items()],
        ("Trained", f"{version.created_at:%Y-%m-%d %H:%M} UTC by {version.created_by}"),
        ("Environment", ", ".join(f"{name} {value}" for name, value in version.environment.items())),
        ("Artefact", f"{version.artifact_bytes:,} bytes, SHA-256 {version.artifact_hash}, signed"),
        ("Twin in ONNX", "made" if twin["made"] else f"none: {twin['reason']}"),
    ]
    return Part("Training", [Facts([(name, value) for name, value in rows if value])])


def results_of(version: ModelVersion) -> list[Result]:
    """Return the scores of the rows held out, with their intervals."""
    intervals = version.evaluation.get("intervals", {})
    return [
        Result(metric.name, metric.title, version.metrics[metric.name], intervals.get(metric.name))
        for metric in version.model.problem.metrics
        if version.metrics.get(metric.name) is not None
    ]


def scores_part(version: ModelVersion) -> Part:
    """Return how good it is, and how sure that is."""
    better = {
        one.name: "higher" if one.higher_is_better else "lower" for one in version.model.problem.metrics
    }
    rows = [
        [one.title, _figure(one.value), _between(one.interval), _folds(version, one.name), better[one.name]]
        for one in results_of(version)
    ]
    if not rows:
        return Part("Metrics", [Sentence("Nothing was measured for this version.", missing=True)])
    columns = ["Metric", "Hold-out", "95 % interval", "Folds", "Better when"]
    note = f"On {version.holdout_rows:,} rows held out. {CONFIDENCE}"
    return Part("Metrics", [Grid(columns, rows, note=note), *_coverage(version.evaluation)])


def groups_part(version: ModelVersion) -> Part:
    """Return how good it is for parts of the rows, and how far groups lie apart."""
    found = version.evaluation
    slices, gaps = shown_groups(found.get("slices", ())), shown_groups(found.get("gaps", ()))
    primary = version.model.problem.primary
    rows = [
        [
            one["column"],
            one["value"],
            f"{one['rows']:,}",
            _figure(one["scores"].get(primary.name)),
            _between((one["low"], one["high"])) if one.get("low") is not None else "–",
        ]
        for one in slices[:MOST_GROUPS]
    ]
    blocks: list[Block] = []
    if rows:
        left = f" The first {MOST_GROUPS} of {len(slices)}." if len(slices) > MOST_GROUPS else ""
        note = f"Groups of the rows held out. Of many groups a few look odd by chance.{left}"
        blocks.append(
            Grid(["Column", "Group", "Rows", primary.title, "95 % interval"], rows, "By group", note)
        )
    if gaps:
        blocks.append(_gaps(gaps))
    missing = Sentence("No groups of rows were measured for this version.", missing=True)
    return Part("Slices and fairness", blocks or [missing])


def shown_groups(groups: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the groups that may be shown: those of personal columns only where the tenant allows it."""
    allowed = bool(setting("measure_personal_groups"))
    return [one for one in groups if allowed or not one.get("personal")]


def explanations_part(version: ModelVersion) -> Part:
    """Return what the version relies on, and what moves its answers."""
    blocks: list[Block] = []
    if version.importance:
        rows = [
            [one["feature"], _figure(one["mean"]), _figure(one["std"])]
            for one in version.importance[:MOST_EXPLAINED]
        ]
        note = "How much the hold-out score suffers when a column is shuffled."
        blocks.append(Grid(["Input", "Loss", "±"], rows, "What it relies on", note))
    effects = version.evaluation.get("effects") or {}
    if effects.get("features"):
        rows = [[one["feature"], _figure(one["mean"])] for one in effects["features"][:MOST_EXPLAINED]]
        note = (
            f"The mean size of each input's fair share (Shapley value) over {effects['rows']:,} rows held "
            "out. It tells what moves the model, not what causes what."
        )
        blocks.append(Grid(["Input", "Mean effect"], rows, "What moves its answers", note))
    missing = Sentence("Nothing was measured that explains this version.", missing=True)
    return Part("Explanations", blocks or [missing])


def _inputs(features: Sequence[Mapping[str, Any]]) -> Grid:
    rows = [
        [
            one["name"],
            one["type"],
            " · ".join(text for text in (one.get("unit"), one.get("description")) if text) or "–",
            "yes" if one.get("personal") else "–",
        ]
        for one in features[:MOST_INPUTS]
    ]
    note = f"The first {MOST_INPUTS} of {len(features)}." if len(features) > MOST_INPUTS else ""
    return Grid(["Input", "Type", "What it is", "Personal"], rows, "Inputs", note)


def _findings(version: ModelVersion) -> Iterator[Block]:
    job = getattr(version, "job", None)  # its table is training's
    if job is None:
        yield Sentence("No training job tells what the checks of its data found.", missing=True)
        return
    found = [one["message"] for one in job.findings if one["verdict"] != "passed"]
    if not found:
        yield Sentence(f"All {len(job.findings)} checks of its data found nothing.")
        return
    rows = [[message] for message in found]
    yield Grid(["Found"], rows, f"{len(found)} of {len(job.findings)} checks of its data found something")


def _coverage(evaluation: Mapping[str, Any]) -> Iterator[Block]:
    rows = [
        [f"{one['promised']:.0%}", f"{one['measured']:.1%}", _figure(one["size"]), f"{one['rows']:,}"]
        for one in evaluation.get("coverage", ())
    ]
    if rows:
        note = "How often its intervals, or sets of classes, held the truth on rows they were not made from."
        yield Grid(["Promised", "Measured", "Mean size", "Rows"], rows, "Intervals of its answers", note)


def _gaps(gaps: Sequence[Mapping[str, Any]]) -> Grid:
    rows = [
        [
            one["column"],
            one["measure"].replace("_", " "),
            one["highest"],
            one["lowest"],
            _figure(one["difference"]),
            _figure(one.get("ratio")),
        ]
        for one in gaps[:MOST_GROUPS]
    ]
    columns = ["Column", "Measure", "Highest for", "Lowest for", "Apart", "Ratio"]
    note = "Whether a difference is unfair is for people to say."
    return Grid(columns, rows, "How far groups lie apart", note)


def _folds(version: ModelVersion, metric: str) -> str:
    score = version.cv_metrics.get(metric)
    if not isinstance(score, Mapping):
        return _figure(score)
    return f"{_figure(score.get('mean'))} ± {_figure(score.get('std'))}"


def _between(ends: Sequence[float] | None) -> str:
    return f"{ends[0]:.3g} to {ends[1]:.3g}" if ends else "–"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
