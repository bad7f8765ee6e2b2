"""The platform's own implementations held against scikit-learn's, on the same rows with the same settings."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.tree import DecisionTreeClassifier

from registry.problems.class_metrics import confusion_matrix, label_scores, probability_scores
from registry.tabular.schema import Column
from training.algorithms import get_algorithm
from training.algorithms.reference import GradientDescentLogisticRegression, ReferenceDecisionTree
from training.evaluation.curves import Curve, roc
from training.preprocessing import build_pipeline

Floats = npt.NDArray[np.float64]
Kind = Literal["logistic_regression", "decision_tree"]
KINDS: tuple[Kind, ...] = ("logistic_regression", "decision_tree")

DEPTH, LEAF_ROWS = 5, 5
STEPS, TOLERANCE = 5000, 1e-8
SHOWN_LEVELS = 3
MOST_CURVES = 3
MOST_WEIGHTS = 20
PREDICT_REPEATS = 5


class Side(msgspec.Struct, frozen=True):
    """One implementation: how good, how fast, how large. Times in seconds, the test rows' together."""

    name: str
    scores: dict[str, float]
    fit_seconds: float
    predict_seconds: float
    size: dict[str, float]
    roc: dict[str, Curve]


class Weight(msgspec.Struct, frozen=True):
    """What one prepared input counts on either side: a coefficient, or the tree's share of importance."""

    input: str
    ours: float
    theirs: float


class AgainstLibrary(msgspec.Struct, frozen=True):
    """Both sides, and how far they agree on the test rows."""

    kind: Kind
    learnt_rows: int
    test_rows: int
    classes: list[str]
    ours: Side
    theirs: Side
    agreement: float
    largest_difference: float
    weights: list[Weight]
    weights_of: str
    cost_history: list[float]
    tree: str


class _Rows(msgspec.Struct, frozen=True):
    """Prepared inputs (n, d) and labels to learn from, and others to be asked for."""

    learnt: Floats
    labels: npt.NDArray[Any]
    asked: Floats
    truth: npt.NDArray[Any]
    classes: list[str]


def against_library(
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    held_out: npt.NDArray[np.bool_],
    columns: Sequence[Column],
    kind: Kind,
    seed: int = 0,
) -> AgainstLibrary:
    """Fit both implementations on the rows that are not held out, and ask both for those that are.

    Both get the same prepared, scaled inputs, so that coefficients can be laid side by side, and equal
    settings: for logistic regression the same L2 penalty (C = 1; more than two classes one against the
    rest), for the tree Gini, five levels and five rows in a leaf.

    Args:
        frame: canonical features, n rows. y: labels as text, (n,). held_out: (n,), some of either.

    Raises:
        NoUsableColumns: nothing is left to learn from.
    """
    rows, names = _prepared(frame, y.astype(str), held_out, columns, seed)
    ours, theirs = _pair(kind, len(rows.classes), seed)
    left, chances = _side("Ours", ours, rows)
    right, others = _side("scikit-learn", theirs, rows)
    return AgainstLibrary(
        kind=kind,
        learnt_rows=len(rows.learnt),
        test_rows=len(rows.asked),
        classes=rows.classes,
        ours=left,
        theirs=right,
        agreement=float((chances.argmax(axis=1) == others.argmax(axis=1)).mean()),
        largest_difference=float(np.abs(chances - others).max()),
        weights=_weights(names, _counts(ours), _counts(theirs)),
        weights_of=_meaning(kind, rows.classes),
        cost_history=_thinned(getattr(ours, "cost_history_", [])),
        tree=ours.draw(names, SHOWN_LEVELS) if isinstance(ours, ReferenceDecisionTree) else "",
    )


def _prepared(
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    held_out: npt.NDArray[np.bool_],
    columns: Sequence[Column],
    seed: int,
) -> tuple[_Rows, list[str]]:
    """The rows as both sides get them, and the prepared inputs' names."""
    algorithm = get_algorithm("logistic_regression")
    pipeline = build_pipeline(columns, algorithm, algorithm.params(), seed, problem="classification")
    prepare = pipeline["preprocess"]
    labels = y[~held_out].to_numpy()
    rows = _Rows(
        learnt=np.asarray(prepare.fit_transform(frame[~held_out], labels), dtype="float64"),
        labels=labels,
        asked=np.asarray(prepare.transform(frame[held_out]), dtype="float64"),
        truth=y[held_out].to_numpy(),
        classes=sorted(set(labels)),
    )
    return rows, [str(name).split("__", 1)[-1] for name in prepare.get_feature_names_out()]


def _side(name: str, model: Any, rows: _Rows) -> tuple[Side, Floats]:
    """The implementation's record, its model fitted on the way, and its probabilities."""
    seconds, _ = _timed(lambda: model.fit(rows.learnt, rows.labels))
    asking, probabilities = _asked(model, rows.asked)
    side = Side(
        name=name,
        scores=_scores(rows.truth, probabilities, rows.classes),
        fit_seconds=seconds,
        predict_seconds=asking,
        size=_size(model),
        roc=_curves(rows.truth, probabilities, rows.classes),
    )
    return side, probabilities


def _pair(kind: Kind, classes: int, seed: int) -> tuple[Any, Any]:
    if kind == "decision_tree":
        return (
            ReferenceDecisionTree(max_depth=DEPTH, min_samples_leaf=LEAF_ROWS),
            DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=LEAF_ROWS, random_state=seed),
        )
    library = LogisticRegression(C=1.0, max_iter=STEPS, tol=TOLERANCE)
    ours = GradientDescentLogisticRegression(C=1.0, normalize=False, max_iter=STEPS, tol=TOLERANCE)
    return ours, library if classes == 2 else OneVsRestClassifier(library)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _asked(fitted: Any, rows: Floats) -> tuple[float, Floats]:
    """The fastest of a few rounds, which is what the machine's other work disturbs least."""
    rounds = [_timed(lambda: fitted.predict_proba(rows)) for _ in range(PREDICT_REPEATS)]
    return min(seconds for seconds, _ in rounds), np.asarray(rounds[0][1], dtype="float64")


def _scores(truth: npt.NDArray[Any], probabilities: Floats, classes: list[str]) -> dict[str, float]:
    said = np.asarray(classes)[probabilities.argmax(axis=1)]
    labels = label_scores(confusion_matrix(truth, said)[1])
    chances = probability_scores(truth.astype(object), probabilities, classes)
    kept = {name: labels[name] for name in ("accuracy", "f1")}
    return kept | {name: chances[name] for name in ("roc_auc", "log_loss") if name in chances}


def _curves(truth: npt.NDArray[Any], probabilities: Floats, classes: list[str]) -> dict[str, Curve]:
    chosen = classes[1:] if len(classes) == 2 else classes[:MOST_CURVES]
    return {
        label: roc(truth == label, probabilities[:, classes.index(label)])
        for label in chosen
        if 0 < (truth == label).sum() < len(truth)
    }


def _counts(fitted: Any) -> Floats:
    """What each input counts, (d,): the first line of coefficients, or the tree's importances."""
    if isinstance(fitted, OneVsRestClassifier):
        return np.asarray(fitted.estimators_[0].coef_[0], dtype="float64")
    found = fitted.coef_[0] if hasattr(fitted, "coef_") else fitted.feature_importances_
    return np.asarray(found, dtype="float64")


def _weights(names: Sequence[str], ours: Floats, theirs: Floats) -> list[Weight]:
    order = np.argsort(-np.maximum(np.abs(ours), np.abs(theirs)), kind="stable")[:MOST_WEIGHTS]
    return [Weight(names[place], float(ours[place]), float(theirs[place])) for place in order]


def _meaning(kind: Kind, classes: list[str]) -> str:
    if kind == "decision_tree":
        return "share of the fall of impurity"
    return f"coefficient for {classes[1] if len(classes) == 2 else classes[0]}"


def _size(fitted: Any) -> dict[str, float]:
    if isinstance(fitted, ReferenceDecisionTree):
        nodes = fitted.nodes_
        return {"leaves": float((nodes.left < 0).sum()), "depth": float(nodes.depth.max())}
    if isinstance(fitted, DecisionTreeClassifier):
        return {"leaves": float(fitted.get_n_leaves()), "depth": float(fitted.get_depth())}
    parts = getattr(fitted, "estimators_", [fitted])
    steps = np.max([np.max(part.n_iter_) for part in parts])
    return {"coefficients": float(sum(part.coef_.size for part in parts)), "steps": float(steps)}


def _thinned(history: Sequence[float]) -> list[float]:
    """At most 200 of the costs, the first and the last among them."""
    places = np.unique(np.linspace(0, len(history) - 1, min(len(history), 200)).round().astype(int))
    return [float(history[place]) for place in places]
