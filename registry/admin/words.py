"""How versions and their figures are shown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Lines, Link, Meter, Table, Tone
from mlplatform.admin.render import number, size
from registry.models import Alias, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.registered_model import ProblemKind
from registry.models.version import VersionStatus
from registry.services.twins import twin_facts
from registry.tabular.schema import Treatment

STATUS_TONES: dict[str, Tone] = {
    VersionStatus.READY: "info",
    VersionStatus.FAILED: "bad",
    VersionStatus.ARCHIVED: "muted",
}


RELIANCE = {
    True: "How much worse the hold-out score gets when this column is shuffled. The first 20.",
    False: "How much less the answers agree with themselves when this column is shuffled. The first 20.",
}


def twin_section(version: ModelVersion) -> Facts:
    """Return what answers small requests, and how it was found to agree with the original."""
    told = twin_facts(version)
    rows: list[tuple[str, Any]] = [
        ("State", Badge("made", "good") if told["made"] else Badge("none", "muted")),
        ("Why there is none", told["reason"] or None),
    ]
    if told["rows"]:
        rows += [
            ("Compared on", f"{told['rows']:,} rows"),
            ("Other labels", told["labels_differing"]),
            ("Largest difference", number(told["difference"])),
            ("Allowed", number(told["tolerance"])),
        ]
    if told["made"]:
        rows.append(("File", f"{size(told['bytes'])}, SHA-256 {told['sha256'][:16]}…, signed"))
    elif told["walked"]:
        rows.append(("Small requests", "The original answers them without its library's checks, as tried"))
    return Facts("Twin in ONNX", rows, "It answers small requests; the original answers all others.")


def is_champion(version: ModelVersion) -> bool:
    """Tell whether this version answers now."""
    return Alias.objects.filter(version=version, name=CHAMPION).exists()


def status_badge(version: ModelVersion, champion: bool) -> Badge:
    """Return the version's place in life: champion, ready, failed, archived."""
    if champion:
        return Badge("Champion", "good")
    return Badge(VersionStatus(version.status).label, STATUS_TONES[version.status])


def primary_metric(model: RegisteredModel, metrics: Mapping[str, Any]) -> Lines | None:
    """Return the figure that leaderboards and gates decide by, with its name."""
    primary = model.problem.primary
    value = metrics.get(primary.name)
    return None if value is None else Lines(value, [primary.title])


def metrics_table(version: ModelVersion) -> Table:
    """Return the scores of the hold-out, and the mean and spread over the folds."""
    problem = version.model.problem
    rows = [
        [
            metric.title,
            version.metrics.get(metric.name),
            interval_words(version.evaluation.get("intervals", {}).get(metric.name)),
            _spread(version.cv_metrics.get(metric.name)),
            "higher" if metric.higher_is_better else "lower",
        ]
        for metric in problem.metrics
        if metric.name in version.metrics
    ]
    rows += [
        [
            *(fact.title, version.metrics[fact.name], None),
            *(_spread(version.cv_metrics.get(fact.name)), "neither"),
        ]
        for fact in problem.facts
        if fact.name in version.metrics
    ]
    note = (
        f"On {version.holdout_rows:,} rows that no training has seen. Were other rows held out, the figure "
        "would most likely lie between the two given beside it (95 % interval)."
    )
    columns = ["Metric", "Hold-out", "Between", "Folds", "Better when"]
    return Table("Metrics", columns, rows, note=note, wide=False)


def interval_words(ends: Sequence[float] | None) -> str | None:
    """Return the two ends of an interval."""
    return None if ends is None else f"{ends[0]:.3g} to {ends[1]:.3g}"


def comparison_table(candidate: ModelVersion, champion: ModelVersion | None) -> Table:
    """Return the hold-out metrics of both versions side by side."""
    problem = candidate.model.problem
    before = {} if champion is None else champion.metrics
    rows = [
        [
            metric.title,
            before.get(metric.name),
            candidate.metrics.get(metric.name),
            _change(before.get(metric.name), candidate.metrics.get(metric.name), metric.higher_is_better),
        ]
        for metric in problem.metrics
        if metric.name in candidate.metrics
    ]
    now = f"v{champion.number} (champion)" if champion else "No champion yet"
    note = "Each on its own hold-out; the gates compare both on the same rows." if champion else ""
    return Table("Metrics", ["Metric", now, f"v{candidate.number} (candidate)", "Change"], rows, note=note)


def gates_table(gates: Iterable[Mapping[str, Any]]) -> Table:
    """Return gate results, each with its sentence and its figures."""
    rows = [
        [
            gate["title"],
            Badge("Passed", "good") if gate["passed"] else Badge("Failed", "bad"),
            gate["detail"],
            _figures(gate.get("numbers", {})),
        ]
        for gate in gates
    ]
    columns = ["Gate", "Verdict", "Why", "Figures"]
    return Table("Gates", columns, rows, empty="No gate was run for this change.")


def _figures(numbers: Mapping[str, Any]) -> list[str]:
    """Return a gate's numbers, and each row of those that come in rows, in words."""
    told = []
    for name, value in numbers.items():
        if isinstance(value, list):
            told += [", ".join(f"{key} {_figure(one)}" for key, one in row.items()) for row in value]
        else:
            told.append(f"{name.replace('_', ' ')} {_figure(value)}")
    return told


def _figure(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def importance_table(version: ModelVersion) -> Table:
    """Return how much each feature matters, the largest first."""
    top = max([abs(row["mean"]) for row in version.importance] or [1]) or 1
    rows = [
        [row["feature"], Meter(max(row["mean"], 0) / top, number(row["mean"])), row["std"]]
        for row in version.importance[:20]
    ]
    return Table(
        "Feature importance",
        ["Feature", "Loss when shuffled", "±"],
        rows,
        empty="Nothing was measured for this version.",
        note=RELIANCE[version.model.problem.needs_target or bool(version.model.target)],
        wide=False,
    )


def clusters_table(version: ModelVersion) -> Table | None:
    """Return how large each cluster is among the rows held out; None for other kinds of models."""
    counted = version.reference.get("prediction", {})
    if version.model.problem_type != ProblemKind.CLUSTERING or "categories" not in counted:
        return None
    if version.evaluation.get("clusters"):  # their portraits say more
        return None
    whole = max(sum(counted["counts"]), 1)
    sizes = zip(counted["categories"], counted["counts"], strict=True)
    rows = [
        [name, Meter(count / whole, f"{count / whole:.1%}"), count]
        for name, count in sorted(sizes, key=lambda pair: -pair[1])
    ]
    note = "Of the rows held out. A row in no cluster is too far from all of them."
    return Table("Clusters", ["Cluster", "Share", "Rows"], rows, note=note, wide=False)


def personal_badge(column: Mapping[str, Any]) -> Badge | None:
    """Return what is kept of a personal column; None for one that is not personal."""
    kept = {Treatment.pseudonymise: "pseudonyms", Treatment.drop: "left out"}
    treatment = column.get("personal")
    return Badge(kept[treatment], "warn") if treatment else None


def version_link(version: ModelVersion | None) -> Link | None:
    """Return a short link to the version's page."""
    return None if version is None else Link(f"v{version.number}", page_url(version))


def _spread(score: Any) -> str | None:
    if not isinstance(score, Mapping):
        return None if score is None else number(score)
    return f"{number(score.get('mean', 0.0))} ± {number(score.get('std', 0.0))}"


def _change(before: float | None, after: float | None, higher_is_better: bool) -> Badge | None:
    if before is None or after is None:
        return None
    gap = after - before
    if abs(gap) < 1e-9:
        return Badge("same", "muted")
    better = (gap > 0) == higher_is_better
    return Badge(f"{'+' if gap > 0 else '−'}{number(abs(gap))}", "good" if better else "bad")
