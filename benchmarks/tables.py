"""Real tables for benchmarks: those that scikit-learn ships, and those of a folder where it has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

CLASSIFICATION, REGRESSION = "classification", "regression"


@dataclass(frozen=True)
class RealTable:
    """Features, and a target as labels (text) or numbers."""

    name: str
    problem: str
    features: pd.DataFrame
    target: "pd.Series"

    @property
    def kind(self) -> str:
        """binary, multiclass or regression."""
        if self.problem == REGRESSION:
            return REGRESSION
        return "binary" if self.target.nunique() == 2 else "multiclass"


@dataclass(frozen=True)
class _File:
    """A file without a header; ``?`` is missing. ``target`` counts from the end where it is negative."""

    name: str
    problem: str
    target: int = -1
    drop: tuple[int, ...] = ()


# Of horse-colic, column 3 names the hospital's case, and those after the outcome were known later.
FILES = (
    _File("adult-train", CLASSIFICATION),
    _File("german", CLASSIFICATION),
    _File("horse-colic", CLASSIFICATION, 22, (2, 23, 24, 25, 26, 27)),
    _File("mammography", CLASSIFICATION),
    _File("pima-indians-diabetes", CLASSIFICATION),
    _File("ionosphere", CLASSIFICATION),
    _File("breast-cancer", CLASSIFICATION),
    _File("banknote_authentication", CLASSIFICATION),
    _File("haberman", CLASSIFICATION),
    _File("abalone", REGRESSION),
    _File("winequality-white", REGRESSION),
    _File("auto_imports", REGRESSION),
)


def tables(folder: Path | None, only: set[str]) -> Iterator[RealTable]:
    """The tables, the small ones first; ``only`` names those wanted, none for all."""
    for name, problem, load in (
        ("iris", CLASSIFICATION, load_iris),
        ("wine", CLASSIFICATION, load_wine),
        ("breast_cancer", CLASSIFICATION, load_breast_cancer),
        ("diabetes", REGRESSION, load_diabetes),
        ("digits", CLASSIFICATION, load_digits),
    ):
        if not only or name in only:
            features, target = load(return_X_y=True, as_frame=True)
            yield RealTable(name, problem, _named(features), _target(target, problem))
    for file in FILES if folder is not None else ():
        assert folder is not None
        path = folder / f"{file.name}.csv"
        if path.exists() and (not only or file.name in only):
            yield _read(path, file)


def _read(path: Path, file: _File) -> RealTable:
    frame = pd.read_csv(path, header=None, na_values=["?"], skipinitialspace=True, quotechar="'")
    target = frame.columns[file.target]
    frame = frame[frame[target].notna()].reset_index(drop=True)
    features = frame.drop(columns=[target, *file.drop])
    return RealTable(file.name, file.problem, _named(features), _target(frame[target], file.problem))


def _named(features: pd.DataFrame) -> pd.DataFrame:
    return features.rename(columns={name: f"x{place}" for place, name in enumerate(features.columns)})


def _target(target: "pd.Series", problem: str) -> "pd.Series":
    if problem == REGRESSION:
        return target.astype("float64").rename("target")
    return target.astype("str").str.removesuffix(".0").rename("target")
