"""Whether the columns together have moved, where each alone may look as before."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import mannwhitneyu
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from monitoring.statistics.learnable import LearnableColumns

Floats = npt.NDArray[np.float64]
FOLDS = 5
KEPT_VARIANCE = 0.65


@dataclass(frozen=True)
class DomainClassifier:
    """How well a classifier tells the reference's rows from the current ones."""

    area: float  # under the ROC curve; 0.5 says that they look the same
    p_value: float


@dataclass(frozen=True)
class Reconstruction:
    """How well the reference's main directions rebuild the rows: the mean error of both samples."""

    reference: float
    current: float
    p_value: float


def domain_classifier(reference: pd.DataFrame, current: pd.DataFrame, *, seed: int = 0) -> DomainClassifier:
    """Judge by rows that the classifier has not learnt from (five folds).

    S. Rabanser, S. Günnemann and Z. C. Lipton, NeurIPS 2019. p by the Mann-Whitney test of the scores, of a
    rise alone. Frames of n and m rows with the same columns: numbers, or categories (pandas dtype).
    Raises ValueError where either has fewer rows than folds.
    """
    _check(reference, current, FOLDS)
    columns = LearnableColumns.of(reference)
    together = pd.concat([columns(reference), columns(current)], ignore_index=True)
    truth = np.repeat([0, 1], [len(reference), len(current)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = HistGradientBoostingClassifier(
        categorical_features="from_dtype", max_iter=50, max_leaf_nodes=15, random_state=seed
    )
    scores = cross_val_predict(model, together, truth, cv=folds, method="predict_proba")[:, 1]
    test = mannwhitneyu(scores[truth == 1], scores[truth == 0], alternative="greater")
    area = float(test.statistic) / (len(reference) * len(current))
    return DomainClassifier(area, float(test.pvalue))


def reconstruction(reference: pd.DataFrame, current: pd.DataFrame, *, seed: int = 0) -> Reconstruction:
    """Rebuild rows from the components that hold 65 % of the reference's variance, and compare the errors.

    NannyML's multivariate check. The components are learnt from one half of the reference; its other half and
    the current rows are rebuilt, so that neither is known. p by the two-sided Mann-Whitney test of the rows'
    errors. Raises ValueError where the reference has fewer than four rows, or the current none.
    """
    _check(reference, current, 1)
    if len(reference) < 4:
        raise ValueError("The reference needs four rows or more.")
    columns = LearnableColumns.of(reference)
    shuffled = columns(reference).sample(frac=1, random_state=seed)
    half = len(shuffled) // 2
    encoder = _encoder()
    encoded = np.asarray(encoder.fit_transform(shuffled[:half]))
    components = PCA(n_components=KEPT_VARIANCE, svd_solver="full").fit(encoded) if encoded.var() else None
    before = _errors(encoder.transform(shuffled[half:]), components)
    after = _errors(encoder.transform(columns(current)), components)
    test = mannwhitneyu(after, before, alternative="two-sided")
    return Reconstruction(float(before.mean()), float(after.mean()), float(test.pvalue))


def _errors(encoded: Any, components: PCA | None) -> Floats:
    rows = np.asarray(encoded, dtype="float64")
    rebuilt = components.inverse_transform(components.transform(rows)) if components else 0.0
    errors: Floats = np.sqrt(((rows - rebuilt) ** 2).sum(axis=1))
    return errors


def _encoder() -> Pipeline:
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    numbers = make_column_selector(dtype_include="number")
    categories = make_column_selector(dtype_include="category")
    return make_pipeline(make_column_transformer((filled, numbers), (hot, categories)), StandardScaler())


def _check(reference: pd.DataFrame, current: pd.DataFrame, fewest: int) -> None:
    if list(reference.columns) != list(current.columns) or not len(reference.columns):
        raise ValueError("Both frames need the same columns, one at least.")
    if min(len(reference), len(current)) < fewest:
        raise ValueError(f"Both frames need {fewest} rows or more.")
