"""How drift is shown: the verdict, each feature in words and as a picture, and every measure."""

from django.utils.safestring import SafeString

from mlplatform.admin.parts import Badge, Facts, Lines, Meter, Table
from mlplatform.admin.pictures import comparison
from mlplatform.admin.render import number
from monitoring.counting import ANSWERS
from monitoring.frames import unwatched
from monitoring.models import DriftReport, DriftResult
from monitoring.services.drift_words import cost_in_words, result_in_words, together_in_words
from registry.models import ModelVersion
from registry.services.sampling import share_words

MEASURES = {
    "psi": "PSI",
    "kolmogorov_smirnov": "Kolmogorov–Smirnov",
    "wasserstein": "Wasserstein (in deviations)",
    "jensen_shannon": "Jensen–Shannon",
    "hellinger": "Hellinger",
    "l_infinity": "L-infinity",
    "cramers_v": "Cramér's V",
    "chi_square": "Chi-square",
    "chi_square_p": "p of chi-square",
}
MEASURES_NOTE = (
    "Each measure says how far the window lies from the training data; 0 is no difference. "
    "Kolmogorov–Smirnov and Wasserstein are for numbers alone, and are taken from the reference's bins "
    "until rows were read."
)
TOGETHER_NOTE = (
    "Columns can look as before one by one and differ together. This is measured on a sample, at most every "
    "six hours and when an alarm begins; it raises no alarm by itself."
)


def drift_badge(report: DriftReport | None) -> Badge:
    """Return the verdict of a drift report."""
    if report is None:
        return Badge("no verdict", "muted")
    if report.drifted_features:
        drifted = f"{report.drifted_features} of {report.features} drifted"
        # Reports from before rules could be chosen have no alarm of their own.
        return Badge(drifted, "bad" if report.alarm or not report.terms else "warn")
    return Badge("the answers drifted", "bad") if report.alarm else Badge("stable", "good")


def drift_table(report: DriftReport, shown: int | None = None) -> Table:
    """Return each feature's score in words and as a picture of then and now, the costliest first."""
    results = report.found
    rows = [
        [
            Lines(result.feature, ["the model's answers"] if result.feature == ANSWERS else []),
            Badge("Drifted", "bad") if result.drifted else Badge("Stable", "good"),
            _score_meter(result),
            f"{result.statistic.upper()} {number(result.score)} (limit {number(result.threshold)})",
            _words(report.version, result),
            drift_picture(report.version, result),
        ]
        for result in results[:shown]
    ]
    left = len(results) - len(rows)
    note = (
        f"{report.rows:,} predictions of {report.version} against its training data; grey then, coloured "
        "now. Ranked by what drift may cost: its size, weighted by how much the model relies on the feature."
    )
    personal = unwatched(report.version)
    note += f" Not watched, because personal: {', '.join(personal)}." if personal else ""
    note = f"{note} {share_words(report.model)}".strip()
    return Table(
        "Drift",
        ["Feature", "Verdict", "Score against its limit", "", "What has changed", "Then and now"],
        rows,
        empty="No feature could be compared.",
        note=f"{note} {left} more on the report's page." if left > 0 else note,
    )


def measures_table(report: DriftReport) -> Table | None:
    """Return every measure of every feature; None of a report from before they were stored."""
    results = [result for result in report.found if result.measures]
    if not results:
        return None
    rows = [
        [
            result.feature,
            *("" if result.measures[name] is None else result.measures[name] for name in MEASURES),
        ]
        for result in results
    ]
    return Table("Every measure", ["Feature", *MEASURES.values()], rows, note=MEASURES_NOTE)


def together_facts(report: DriftReport) -> Facts | None:
    """Return how all columns together compare; None where no rows were read for this report."""
    said = together_in_words(report)
    if not said:
        return None
    names = ("Rows", "Domain classifier", "Reconstruction")
    return Facts("All columns together", list(zip(names, said, strict=False)), note=TOGETHER_NOTE, wide=True)


def drift_picture(version: ModelVersion, result: DriftResult) -> SafeString | None:
    """Return the feature's histogram in training and in the window."""
    reference = result.then or (version.reference or {}).get(result.feature)
    current = (result.current or {}).get("counts")
    if not reference or not current or len(reference["counts"]) != len(current):
        return None
    return comparison(reference["counts"], current, title=f"{result.feature}: training and now")


def _words(version: ModelVersion, result: DriftResult) -> Lines | str:
    cost = cost_in_words(version, result) if result.drifted else ""
    said = [*result_in_words(version, result), *([cost] if cost else [])]
    return Lines(said[0], said[1:]) if said else "As in training."


def _score_meter(result: DriftResult) -> Meter:
    share = result.score / (2 * result.threshold) if result.threshold else 0.0
    return Meter(share, " ", "bad" if result.drifted else "good")
