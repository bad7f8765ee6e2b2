"""Checks for columns that give the answer away, and for answers that lie ahead in time."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata, spearmanr
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from registry.tabular.labels import as_text
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType
from training.checks.base import Finding, Material, Verdict, named, passed

SAMPLE_ROWS = 5000
MIN_ROWS = 30
FAR = 0.3  # so far below the limit neighbours agree no more than chance has it: no tree is asked
FOLDS = 3
DEPTH = 6


def target_leakage(material: Material) -> Finding:
    """Warn of columns from which alone the target can (nearly) be told.

    A tree is fitted on each column; its cross-validated balanced accuracy or R² is held against the limit,
    for a regression the squared rank correlation, too. On at most 5,000 rows. A column in whose order
    neighbouring rows hardly agree gives nothing away, and is spared the trees.
    """
    if not material.problem.needs_target:
        return passed("target_leakage", "Nothing is learnt from the target.")
    target = material.clean_target
    rows = _sample(len(target))
    if len(rows) < MIN_ROWS or target.nunique() < 2:
        return passed("target_leakage", "Too few rows to tell.")
    features, truth = material.frame.loc[target.index].iloc[rows], target.iloc[rows]
    found = _given_away(features, material.used, truth, material)
    if not found:
        return passed("target_leakage", "No single column gives the target away.")
    return Finding(
        "target_leakage",
        Verdict.warning,
        f"The target can be told from {named(found)} alone.",
        "Check that the value is known before the outcome is: a column that is filled in afterwards makes a "
        "model that shines here and fails in use. Set its type to ignored if so.",
        tuple(found),
    )


def time_leakage(material: Material) -> Finding:
    """Warn where rows near in time have like targets, so that a random split lets a model see the future.

    For each date column: the correlation of the target with that of the next row in time (lag 1), against
    what chance allows.
    """
    dates = [column.name for column in material.used if column.type is ColumnType.date]
    if not dates:
        return passed("time_leakage", "There is no date among the columns.")
    if not material.problem.needs_target:
        return passed("time_leakage", "Nothing is learnt from the target.")
    target = material.clean_target
    codes = _numbers(target, material.problem.key)
    found = [name for name in dates if _follows_time(material.frame.loc[target.index, name], codes)]
    if not found:
        return passed("time_leakage", "Rows near in time are no more alike than others.")
    return Finding(
        "time_leakage",
        Verdict.warning,
        f"Along {named(found)}, neighbouring rows have like targets.",
        "Split by time: train on the older rows and test on the newer ones, as the model will be used.",
        tuple(found),
    )


def _sample(n: int) -> npt.NDArray[np.int64]:
    rows = np.arange(n)
    return (
        rows if n <= SAMPLE_ROWS else np.sort(np.random.default_rng(0).choice(n, SAMPLE_ROWS, replace=False))
    )


def _given_away(
    features: pd.DataFrame, columns: Sequence[Column], truth: "pd.Series[Any]", material: Material
) -> list[str]:
    """Names of the columns that tell the target."""
    limit = material.limits.leakage_score
    is_number = material.problem.key == "regression"
    wanted: npt.NDArray[Any] = truth.to_numpy(dtype="float64") if is_number else pd.factorize(truth)[0]
    if not is_number and np.bincount(wanted).min() < FOLDS:
        return []
    agree, told_by = (_near_numbers, _number_told_by) if is_number else (_same_labels, _label_told_by)
    inputs = {column.name: _as_numbers(features[column.name], column) for column in columns}
    return [
        name
        for name, values in inputs.items()
        if agree(wanted[np.argsort(values, kind="stable")]) >= limit - FAR
        and told_by(values, wanted) >= limit
    ]


def _same_labels(ordered: npt.NDArray[np.int64]) -> float:
    """How often a row, in order of a column, has its neighbour's label: the mean over the labels.

    Where a column gives the labels away, its order sorts them into few runs.
    """
    same = np.bincount(ordered[:-1], weights=ordered[1:] == ordered[:-1])
    return float((same / np.bincount(ordered[:-1])[: len(same)].clip(min=1)).mean())


def _near_numbers(ordered: npt.NDArray[np.float64]) -> float:
    """How much nearer neighbours are than any two rows: 1 less von Neumann's ratio (1941), halved.

    Of the numbers or of their ranks: of few huge numbers alone the ratio would speak of little else.
    """
    return max(
        1 - float((np.diff(one) ** 2).mean() / (2 * one.var())) for one in (ordered, rankdata(ordered))
    )


def _number_told_by(values: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> float:
    inputs = values[:, None]
    tree = DecisionTreeRegressor(random_state=0)
    answers = _out_of_fold(tree, inputs, wanted, KFold(FOLDS).split(inputs))
    explained = 1 - float(((wanted - answers) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum())
    return max(explained, _monotone(values, wanted))


def _label_told_by(values: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> float:
    inputs = values[:, None]
    tree = DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    right = _out_of_fold(tree, inputs, codes, StratifiedKFold(FOLDS).split(inputs, codes)) == codes
    return float(np.mean([right[codes == code].mean() for code in np.unique(codes)]))


def _out_of_fold(
    tree: Any, inputs: npt.NDArray[np.float64], wanted: npt.NDArray[Any], folds: Iterable[Any]
) -> npt.NDArray[Any]:
    answers = np.empty_like(wanted)
    for train, test in folds:
        answers[test] = tree.fit(inputs[train], wanted[train]).predict(inputs[test])
    return answers


def _monotone(values: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> float:
    """How well the order of one tells that of the other: Spearman's correlation, squared."""
    known = ~np.isnan(values)
    if known.sum() < MIN_ROWS or np.ptp(values[known]) == 0 or np.ptp(wanted[known]) == 0:
        return 0.0
    return float(spearmanr(values[known], wanted[known]).statistic ** 2)


def _as_numbers(values: "pd.Series[Any]", column: Column) -> npt.NDArray[np.float64]:
    if column.type in NUMBER_TYPES:
        return values.to_numpy(dtype="float64", na_value=np.nan)
    if column.type is ColumnType.date:
        seconds = values.astype("int64").to_numpy().astype("float64")
        return np.where(values.isna(), np.nan, seconds)
    codes = pd.factorize(as_text(values))[0].astype("float64")
    return np.where(codes < 0, np.nan, codes)


def _numbers(target: "pd.Series[Any]", problem: str) -> npt.NDArray[np.float64]:
    if problem == "regression":
        return target.to_numpy(dtype="float64")
    # The most frequent class against the rest is enough to see whether time orders the classes.
    top = target.value_counts().index[0] if len(target) else None
    return np.asarray(target == top, dtype="float64")


def _follows_time(moments: "pd.Series[Any]", codes: npt.NDArray[np.float64]) -> bool:
    known = moments.notna().to_numpy()
    ordered = codes[known][np.argsort(moments[known].to_numpy(), kind="stable")]
    n = len(ordered)
    if n < MIN_ROWS or ordered.std() == 0:
        return False
    centred = ordered - ordered.mean()
    correlation = float((centred[:-1] * centred[1:]).sum() / (centred**2).sum())
    # Without any order it is normal with mean 0 and deviation 1/sqrt(n) (Bartlett 1946).
    return correlation > max(0.1, 3.1 / float(np.sqrt(n)))
