"""Which rows train and which test within the training rows."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

from registry.problems import ProblemType
from registry.tabular.errors import TooFewRows


def folds(
    y: "pd.Series[Any] | npt.NDArray[Any]", problem: ProblemType, n_splits: int = 5, seed: int = 0
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
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
