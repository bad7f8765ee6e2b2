"""Anomaly detection: which rows are unlike the rest."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr

from registry.problems.base import Comparison, Fact, Metric, Predictions, ProblemType, target_name
from registry.problems.compare import ranked_bootstrap
from registry.problems.errors import InvalidOutcome, NotComparable, UnusableTarget
from registry.problems.ranking import at_k, average_precision, roc_auc
from registry.tabular.labels import as_text, label_text

ANOMALY, NORMAL = "anomaly", "normal"
YES = frozenset({"1", "true", "yes", "y", "anomaly", "anomalous", "abnormal", "outlier", "fraud", "fault"})
NO = frozenset({"0", "-1", "false", "no", "n", "normal", "inlier", "ok", "regular"})
WORDS = "1, true, yes or anomaly for an anomaly; 0, -1, false, no or normal for any other row"

FEW_LABELS = 5
PRECISION_MARGIN = 0.05
FLAGGED_FACTOR = 2.0
FLAGGED_SLACK = 0.02


class AnomalyDetection(ProblemType):
    """Rows scored by how unusual they are, 0 to 1, and flagged above a threshold.

    Learnt without answers. A label column, where there is one, serves for scoring alone.
    """

    key = "anomaly_detection"
    title = "Anomaly detection"
    primary_metric = "average_precision"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("average_precision", "Average precision", higher_is_better=True),
        Metric("roc_auc", "ROC AUC", higher_is_better=True),
        Metric("precision_at_k", "Precision among the top k", higher_is_better=True),
        Metric("recall_at_k", "Recall among the top k", higher_is_better=True),
        Metric("precision", "Precision of the flagged", higher_is_better=True),
        Metric("recall", "Recall of the flagged", higher_is_better=True),
        Metric("rank_stability", "Steadiness of the order", higher_is_better=True),
    )
    facts = (Fact("share_flagged", "Share flagged"), Fact("k", "k, as many as are flagged"))
    needs_target = False
    watched = "value"
    outcome = "label"

    def check_target(self, target: "pd.Series[Any]") -> None:
        """Each label must say plainly whether the row is an anomaly, and both must occur."""
        known = as_text(target).dropna()
        strange = known[~_words(known).isin(YES | NO)]
        if len(strange):
            raise UnusableTarget(
                f"Column {target_name(target)} holds {str(strange.iloc[0])[:40]!r}, which does not say "
                f"whether the row is an anomaly. Write {WORDS}; leave it empty where that is not known."
            )
        codes = _codes(known)
        if codes.nunique() < 2:
            lacking = "no row that is none" if (codes == 1).any() else "no row as an anomaly"
            raise UnusableTarget(
                f"Column {target_name(target)} marks {lacking}, so it cannot tell which detector is better. "
                "Mark some rows of either kind, or use a model without a label column."
            )

    def clean_target(self, target: "pd.Series[Any]") -> "pd.Series[Any]":
        """1 for an anomaly, 0 for none, missing where it is not known; no row is dropped."""
        return _codes(target)

    def score(self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions) -> dict[str, float]:
        """The share flagged always; what needs labels over the rows whose label is known."""
        flagged = _flagged(predictions)
        if not len(flagged):
            return {}
        scores = {"share_flagged": float(flagged.mean())}
        known = _known(y_true)
        labelled = ~np.isnan(known)
        truth = known[labelled] == 1
        if not 0 < truth.sum() < len(truth):
            return scores
        told, raised = _scores(predictions)[labelled], flagged[labelled]
        k = max(1, int(raised.sum()))
        precision, recall = at_k(truth, told, k)
        return scores | {
            "average_precision": average_precision(truth, told),
            "roc_auc": roc_auc(truth, told),
            "precision_at_k": precision,
            "recall_at_k": recall,
            "precision": float(truth[raised].mean()) if raised.any() else 0.0,
            "recall": float(raised[truth].mean()),
            "k": float(k),
        }

    def row_scores(
        self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions
    ) -> npt.NDArray[np.float64]:
        """1 where the flag is right, 0 where it is wrong; 0.5 where nobody knows."""
        known = _known(y_true)
        right = (_flagged(predictions) == (known == 1)).astype("float64")
        return np.where(np.isnan(known), 0.5, right)

    def compare(
        self, y_true: Sequence[Any] | npt.NDArray[Any], candidate: Predictions, champion: Predictions
    ) -> Comparison:
        """By average precision where five anomalies and five other rows are known, else by what is flagged.

        Without labels nobody can tell which of two detectors is right. The rule then is that the candidate
        does not bring a flood of alarms: at most twice the champion's share of flagged rows, or two points
        more where that is very small.
        """
        known = _known(y_true)
        labelled = ~np.isnan(known)
        truth = known[labelled] == 1
        if min(int(truth.sum()), int((~truth).sum())) < FEW_LABELS:
            return _compared_by_flags(candidate, champion)
        ours, theirs = _scores(candidate)[labelled], _scores(champion)[labelled]
        found = ranked_bootstrap(truth, ours, theirs, average_precision)
        values = average_precision(truth, ours), average_precision(truth, theirs)
        return Comparison(
            "average precision", *values, found.mean, found.low, found.high, PRECISION_MARGIN, found.n
        )

    def reliance(
        self, y_true: Sequence[Any] | npt.NDArray[Any], whole: Predictions, changed: Predictions
    ) -> float:
        """Average precision where labels tell, else how far the rows' order stays the same."""
        value = self.score(y_true, changed).get("average_precision")
        return same_order(_scores(whole), _scores(changed)) if value is None else value

    def target_value(self, outcome: Any) -> Any:
        """1 for an anomaly, 0 for none, which a column of numbers takes as well as one of words."""
        return str(int(outcome == ANOMALY))

    def parse_outcome(self, value: object, classes: list[str] | None) -> str | float:
        """ "anomaly" or "normal", from true or false, 1 or 0, or words that say the same."""
        word = "" if value is None or value != value else label_text(value).casefold()
        if isinstance(value, (dict, list, tuple)) or word not in YES | NO:
            raise InvalidOutcome(
                f"An outcome says whether the row was an anomaly; {str(value)[:80]!r} does not. Send {WORDS}."
            )
        return ANOMALY if word in YES else NORMAL


class UnlabelledAnomalyDetection(AnomalyDetection):
    """Anomaly detection where no column tells what is an anomaly.

    Detectors are then ranked by how little their order of the rows hangs on which rows they happened to
    learn from (after Perini, Galvin and Vercruyssen 2020): that says which is steady, not which is right.
    """

    primary_metric = "rank_stability"
    metrics = (AnomalyDetection.metrics[-1], *AnomalyDetection.metrics[:-1])

    def check_target(self, target: "pd.Series[Any]") -> None:
        """There is none, and none is needed."""


def same_order(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Spearman's rank correlation of two series of scores; 0 where either does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)


def _compared_by_flags(candidate: Predictions, champion: Predictions) -> Comparison:
    if len(candidate) < 2:
        raise NotComparable("A comparison needs at least two rows. Use a larger hold-out.")
    ours, theirs = float(_flagged(candidate).mean()), float(_flagged(champion).mean())
    allowed = max(FLAGGED_FACTOR * theirs, theirs + FLAGGED_SLACK) - theirs
    alike = same_order(_scores(candidate), _scores(champion))
    caveat = (
        "Too few hold-out rows say whether they are anomalies, so nobody can tell which version is right; "
        f"judged is that it does not flag far more rows. Their orders of the rows agree at {alike:.2f} "
        "(1 is the same order, 0 no relation)."
    )
    # More flagged rows are the loss, so the difference is turned.
    difference = theirs - ours
    return Comparison(
        what="share flagged",
        candidate=ours,
        champion=theirs,
        difference=difference,
        low=difference,
        high=abs(difference),
        margin=allowed,
        rows=len(candidate),
        caveat=caveat,
    )


def _words(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """In small letters, without the quotes that some tables put around labels."""
    return as_text(values).str.strip("'\"").str.casefold()


def _codes(values: "pd.Series[Any]") -> "pd.Series[Any]":
    words = _words(values)
    codes = np.where(words.isin(YES), 1.0, np.where(words.isin(NO), 0.0, np.nan))
    return pd.Series(codes, index=values.index, name=values.name)


def _known(y_true: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    truth = np.asarray(y_true)
    if truth.dtype.kind in "fiub":
        return truth.astype("float64")
    return _codes(pd.Series(truth)).to_numpy(dtype="float64")


def _flagged(predictions: Predictions) -> npt.NDArray[np.bool_]:
    flagged: npt.NDArray[np.bool_] = np.asarray(predictions.values == ANOMALY, dtype=bool)
    return flagged


def _scores(predictions: Predictions) -> npt.NDArray[np.float64]:
    if predictions.scores is None:
        return _flagged(predictions).astype("float64")
    return predictions.scores
