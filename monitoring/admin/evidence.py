"""The evidence of an alert, drawn from what was kept with it: it stays true when reports are gone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from mlplatform.admin.parts import Facts, Fragment, Section, Table
from mlplatform.admin.pictures import comparison, line_chart
from mlplatform.admin.render import number, words
from monitoring.models import Alert, DriftReport, PerformanceSnapshot

DRAWN = ("features", "pictures", "history")
REPORTS: dict[str, type[DriftReport] | type[PerformanceSnapshot]] = {
    "report": DriftReport,
    "snapshot": PerformanceSnapshot,
}


def evidence_sections(alert: Alert) -> Iterator[Section]:
    """Yield the figures of the moment the alert was raised, their pictures, and what was found last."""
    note = "As it was when the alert was raised; it is kept with the alert."
    yield Facts("Evidence", evidence_rows(alert.evidence), wide=True, note=note)
    if alert.evidence.get("features"):
        yield _features(alert)
    if alert.evidence.get("history"):
        yield _history(alert)
    if alert.latest:
        yield Facts("What the newest check found", evidence_rows(alert.latest), wide=True)


def evidence_rows(evidence: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the figures behind an alert, with links to the reports they come from."""
    return [
        (words(name).capitalize(), _shown(name, value))
        for name, value in evidence.items()
        if name not in DRAWN and value is not None
    ]


def _shown(name: str, value: Any) -> Any:
    if name in REPORTS:
        return REPORTS[name].objects.filter(pk=value).first() or "no longer kept"
    if name == "window":
        return f"{_moment(value['from'])} to {_moment(value['to'])} UTC"
    if name == "interval":
        return f"{number(value[0])} to {number(value[1])}, 95 times in 100"
    if name in {"at", "without_a_verdict_since"}:
        return datetime.fromisoformat(value)
    return value


def _features(alert: Alert) -> Table:
    pictures = {one["feature"]: one for one in alert.evidence.get("pictures", [])}
    rows = []
    for one in alert.evidence["features"]:
        drawn = pictures.get(one["feature"])
        title = f"{one['feature']}: training and then"
        picture = comparison(drawn["then"], drawn["now"], title=title) if drawn else None
        rows.append([one["feature"], one["score"], one["threshold"], picture])
    columns = ["Feature", "Score", "Limit", "Training and the alert's window"]
    return Table("What had moved", columns, rows, note="The worst first; grey is the training data.")


def _history(alert: Alert) -> Fragment:
    points = alert.evidence["history"]
    labels = [f"{number(one['value'])}, {_moment(one['at'])} UTC" for one in points]
    limit = alert.evidence.get("threshold")
    metric = words(alert.evidence.get("metric", "value"))
    picture = line_chart([one["value"] for one in points], labels, title=f"{metric} over time", target=limit)
    note = f"{metric}, check by check, up to the alert; the dashed line is the rule's limit."
    return Fragment("How it went", "admin/parts/picture.html", {"picture": picture}, note=note.capitalize())


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
