"""Which rows train and which test within the training rows."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from registry.problems import ProblemType
from registry.tabular.errors import TooFewRows

Folds = list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]


def arranged_folds(
    y: "pd.Series[Any]",
    problem: ProblemType,
    arranged: "pd.Series[Any] | None",
    n_splits: int = 5,
    seed: int = 0,
) -> Folds:
    """The folds that the rows' arrangement asks for: see ``registry.tabular.splits.arranged``.

    Groups (text) stay on one side of each fold, with classes spread as evenly as they allow. Moments: each
    fold tests on the rows after those it trains on, and trains on all before (expanding window).

    Raises:
        TooFewRows: not even two folds can be made.
    """
    if arranged is None:
        return folds(y, problem, n_splits, seed)
    if pd.api.types.is_datetime64_any_dtype(arranged):
        return _in_order(y, problem, arranged, n_splits)
    count = min(n_splits, arranged.nunique())
    if count < 2:
        raise TooFewRows("Cross-validation by groups needs at least two groups to learn from. Add rows.")
    labelled = problem.key == "classification"
    splitter = (StratifiedGroupKFold if labelled else GroupKFold)(
        n_splits=count, shuffle=True, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class in fewer groups than folds is no fault here
        return list(splitter.split(np.zeros(len(y)), np.asarray(y), arranged.to_numpy()))


def _in_order(y: "pd.Series[Any]", problem: ProblemType, moments: "pd.Series[Any]", n_splits: int) -> Folds:
    order = np.argsort(moments.astype("int64").to_numpy(), kind="stable")
    parts = [part for part in np.array_split(order, n_splits + 1) if len(part)]
    made = [(np.sort(np.concatenate(parts[:i])), np.sort(parts[i])) for i in range(1, len(parts))]
    target = np.asarray(y).astype(str) if problem.key == "classification" else None
    # A class that has not occurred yet cannot be learnt: such early folds are left out.
    usable = [(train, test) for train, test in made if target is None or len(np.unique(target[train])) > 1]
    if not usable:
        raise TooFewRows("In order of time there are too few rows, or all early rows are of one class.")
    return usable


def thinned(parts: Folds, share: float, seed: int) -> Folds:
    """The folds with a share (0 to 1] of their training rows, the same rows for the same seed."""
    if share == 1.0:
        return parts
    draws = (
        (np.random.default_rng(seed).permutation(rows)[: int(share * len(rows))], test)
        for rows, test in parts
    )
    return [(np.sort(drawn), test) for drawn, test in draws]


def folds(
    y: "pd.Series[Any] | npt.NDArray[Any]", problem: ProblemType, n_splits: int = 5, seed: int = 0
) -> Folds:
    """Row positions (training, test) of each fold; stratified where the target has classes.

    Where the rarest class has fewer rows than ``n_splits``, there are as many folds as it has rows.

    Raises:
        TooFewRows: not even two folds can be made.
    """
    target = np.asarray(y)
    stratified = problem.key == "classification"
    if problem.key == "anomaly_detection":  # known anomalies in every fold, where there are enough
        target = np.nan_to_num(target, nan=-1.0)
        stratified = int(np.unique(target, return_counts=True)[1].min()) >= n_splits
    smallest = int(np.unique(target.astype(str), return_counts=True)[1].min()) if stratified else len(target)
    count = min(n_splits, smallest)
    if count < 2:
        raise TooFewRows(
            "Cross-validation needs at least two rows for training and test"
            + (", of every class" if stratified else "")
            + ". Add rows, or remove classes that have a single one."
        )
    splitter = (StratifiedKFold if stratified else KFold)(n_splits=count, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(target)), target))
