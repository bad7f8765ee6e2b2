"""The demonstration's data: three real sets that ship with scikit-learn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

SEED = 7


@dataclass(frozen=True)
class DemoData:
    """Rows for training, and rows kept back to play the part of tomorrow's traffic.

    ``usual`` are rows like those of the training, ``later`` those of the time when something has changed,
    ``latest`` those that no retraining has seen.
    """

    name: str
    target: str
    training: pd.DataFrame
    usual: pd.DataFrame
    later: pd.DataFrame
    latest: pd.DataFrame

    @property
    def csv(self) -> bytes:
        """The training rows as a file to upload."""
        return self.training.to_csv(index=False).encode()

    def inputs(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Return the rows without their target, ready for JSON."""
        records = rows.drop(columns=self.target).to_dict("records")
        return [{str(name): value for name, value in record.items()} for record in records]


def breast_cancer() -> DemoData:
    """569 tumours, 30 measurements of cell nuclei, malignant or benign (Wolberg et al., 1995)."""
    return _split("breast-cancer", load_breast_cancer(as_frame=True), "diagnosis", (0.14, 0.18, 0.13))


def wine() -> DemoData:
    """178 wines of three cultivars, 13 chemical measurements (Forina et al., 1988)."""
    return _split("wine", load_wine(as_frame=True), "cultivar", (0.3, 0.0, 0.0))


def diabetes() -> DemoData:
    """442 patients, ten variables, disease progression after one year (Efron et al., 2004)."""
    return _split("diabetes", load_diabetes(as_frame=True, scaled=False), "progression", (0.15, 0.15, 0.0))


def recalibrated(data: DemoData, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as a new scanner would measure them: sizes larger, texture coarser.

    The diagnoses stay as they are: the patients are no sicker, only the instrument has changed.
    """
    shifted = rows.copy()
    for column in shifted.columns.drop(data.target):
        if "area" in column:
            shifted[column] *= 2.0
        elif "radius" in column or "perimeter" in column:
            shifted[column] *= 1.4
        elif "texture" in column or "smoothness" in column:
            shifted[column] *= 1.3
    return shifted


def older(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the diabetes patients twenty years on: older, heavier, with higher blood pressure and sugar."""
    shifted = rows.copy()
    shifted["age"] += 20
    for column, factor in {"bmi": 1.25, "bp": 1.2, "s5": 1.15, "s6": 1.2}.items():
        shifted[column] *= factor
    return shifted


def _split(name: str, bunch: Any, target: str, shares: tuple[float, float, float]) -> DemoData:
    """Split at random: for training, then the shares of usual, later and latest traffic."""
    frame: pd.DataFrame = bunch.frame.rename(columns={"target": target})
    frame.columns = [str(column).replace(" ", "_").replace("/", "_") for column in frame.columns]
    if "target_names" in bunch:
        frame[target] = frame[target].map(dict(enumerate(bunch.target_names)))
    order = np.random.default_rng(SEED).permutation(len(frame))
    cuts = (np.cumsum([1 - sum(shares), *shares[:2]]) * len(frame)).round().astype(int)
    training, usual, later, latest = (frame.iloc[part] for part in np.split(order, cuts))
    return DemoData(name, target, training, usual, later, latest)
