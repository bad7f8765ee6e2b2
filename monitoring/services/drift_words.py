"""Drift in plain words: by which rule it was judged, what has changed in a column, and what that may cost."""

from monitoring.models import DriftReport, DriftResult
from monitoring.models.drift import DriftRule
from monitoring.statistics.telling import column_in_words, percent
from registry.models import ModelVersion

NOTABLE_P = 0.01


def rule_in_words(report: DriftReport) -> str:
    """Return which rule spoke, and what rate of false alarms it holds."""
    terms = report.terms
    if terms.get("rule") == DriftRule.CLASSIC:
        return (
            f"Judged by the classic limits: a feature has drifted above PSI {terms['psi_limit']:g}, and it "
            f"is an alarm from {percent(terms['drift_share'])} of the features on. They hold no rate of "
            "false alarms."
        )
    if terms.get("rule") == DriftRule.CALIBRATED:
        allowed = terms["false_alarms_a_month"]
        of_check = f" ({percent(report.check_rate)} of checks)" if report.check_rate is not None else ""
        return (
            f"Judged by calibrated limits, which hold {allowed:g} false alarm{'' if allowed == 1 else 's'} a "
            f"month{of_check} for this number of rows and columns."
        )
    return "Judged before rules could be chosen: by PSI 0.1, or by chance where that is larger."


def together_in_words(report: DriftReport) -> list[str]:
    """Return what reading rows has found of all columns together; none where they were not read."""
    found = report.together
    if not found:
        return []
    if "why_not" in found:
        return [f"Rows were not compared: {found['why_not']}"]
    told, rebuilt = found["domain_classifier"], found["reconstruction"]
    area = told["area"]
    alike = "cannot tell" if told["p_value"] > NOTABLE_P else "tells"
    rows = f"{found['training_rows']:,} training rows and {found['rows']:,} predictions"
    change = rebuilt["current"] / rebuilt["reference"] - 1 if rebuilt["reference"] else 0.0
    way = f"by {abs(change):.0%} {'worse' if change > 0 else 'better'}"
    area_words = f"area under the ROC curve {area:.2f} (0.5 is guessing), p {told['p_value']:.2g}"
    rebuilds = f"rebuild the predictions {way} than its own rows, p {rebuilt['p_value']:.2g}"
    return [
        f"Compared row by row: {rows}.",
        f"A classifier {alike} the two apart: {area_words}.",
        f"The training's main directions (PCA) {rebuilds}.",
    ]


def result_in_words(version: ModelVersion, result: DriftResult) -> list[str]:
    """Return what has changed in the column, in sentences; none where nothing is to be told."""
    reference = result.then or (version.reference or {}).get(result.feature)
    if not reference or not result.current:
        return []
    return column_in_words(reference, result.current, appeared=result.appeared, vanished=result.vanished)


def cost_in_words(version: ModelVersion, result: DriftResult) -> str:
    """Return what the drift of the feature may cost, in the unit of the primary metric."""
    if result.importance is None:
        return ""
    metric = version.model.problem.primary.title
    if result.importance <= 0:
        return f"The model does not rely on it: {metric} loses nothing without it."
    return (
        f"{metric} loses {result.importance:.3g} where the feature is noise; "
        f"drift of this size puts about {result.cost:.2g} of it at stake."
    )
