"""What every algorithm of the table must do, on every problem type that it claims."""

import io
from functools import cache

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from registry.inference.agreement import check_twin
from registry.inference.native import predict
from registry.inference.twins import open_twin
from registry.problems import Predictions, get_problem
from registry.tabular.schema import Column, ColumnType
from training.algorithms import ALGORITHMS, Algorithm, algorithms_for
from training.algorithms.base import BOTH
from training.automl import TrialSpec, cross_validate, fit_pipeline
from training.twins import NoTwin, make_twin

N = 60
CASES = [(key, problem) for key, algorithm in ALGORITHMS.items() for problem in sorted(algorithm.problems)]
COLUMNS = [
    Column("dose", ColumnType.numeric, nullable=True),
    Column("constant", ColumnType.numeric, nullable=False),
    Column("empty", ColumnType.numeric, nullable=True),
    Column("smoker", ColumnType.boolean, nullable=True),
    Column("ward", ColumnType.category, nullable=True),
    Column("no_ward", ColumnType.category, nullable=True),
    Column("seen", ColumnType.date, nullable=True),
    Column("never", ColumnType.date, nullable=True),
    Column("notes", ColumnType.text, nullable=True),
    Column("no_notes", ColumnType.text, nullable=True),
    Column("patient", ColumnType.identifier, nullable=False),
]


def make_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    seen = pd.Series(pd.date_range("2026-01-01", periods=N, freq="5h")).astype("datetime64[us]")
    notes = rng.choice(["feels well today", "has strong pain"], N)
    frame = pd.DataFrame(
        {
            "dose": rng.normal(size=N),
            "constant": 1.0,
            "empty": np.nan,
            "smoker": rng.integers(0, 2, N).astype(float),
            "ward": pd.Series(rng.choice(["a", "b"], N), dtype="str"),
            "no_ward": pd.Series([None] * N, dtype="str"),
            "seen": seen,
            "never": pd.Series([pd.NaT] * N, dtype="datetime64[us]"),
            "notes": pd.Series(notes, dtype="str"),
            "no_notes": pd.Series([None] * N, dtype="str"),
            "patient": pd.Series([f"p{i}" for i in range(N)], dtype="str"),
        }
    )
    for name in ("dose", "smoker", "ward", "seen", "notes"):
        frame.loc[frame.sample(5, random_state=len(name)).index, name] = None
    return frame


def make_target(frame: pd.DataFrame, problem: str) -> pd.Series:
    signal = frame["dose"].fillna(0) + (frame["ward"] == "a")
    if problem == "classification":
        return (signal > 0.5).map({True: "ill", False: "well"}).astype(object)
    return signal if problem == "regression" else pd.Series(np.nan, index=frame.index)


@cache  # fitting is what takes time, and no test changes what was fitted
def fitted(key: str, problem: str, seed: int = 3) -> Pipeline:
    return fit(key, problem, seed)


def fit(key: str, problem: str, seed: int = 3) -> Pipeline:
    frame = make_frame()
    raw = {"n_estimators": 10} if "n_estimators" in ALGORITHMS[key].params.__struct_fields__ else {}
    target = make_target(frame, problem)
    return fit_pipeline(TrialSpec(key, raw), frame, target, COLUMNS, get_problem(problem), seed)


@pytest.mark.parametrize(("key", "problem"), CASES)
class TestAlgorithm:
    def assert_sound(self, answers: Predictions, rows: int, problem: str) -> None:
        assert len(answers) == rows
        if problem == "regression":
            assert np.isfinite(answers.values).all()
            return
        if problem == "anomaly_detection":
            assert set(answers.values) <= {"anomaly", "normal"}
            assert answers.scores is not None
            assert ((answers.scores >= 0) & (answers.scores <= 1)).all()
        elif problem == "clustering":
            assert all(str(value).startswith(("cluster ", "no cluster")) for value in answers.values)
            assert answers.scores is not None
            assert (np.isfinite(answers.scores) & (answers.scores >= 0)).all()
        else:
            assert set(answers.values) <= {"ill", "well"}
        if answers.probabilities is not None:
            assert answers.probabilities.sum(axis=1) == pytest.approx(1)

    def test_it_does_not_change_its_input(self, key: str, problem: str) -> None:
        pipeline, frame = fitted(key, problem), make_frame()
        predict(pipeline, frame, None)
        pd.testing.assert_frame_equal(frame, make_frame())

    def test_the_same_seed_gives_the_same_answers(self, key: str, problem: str) -> None:
        frame = make_frame()
        first, second = (predict(make(key, problem), frame, None) for make in (fitted, fit))
        assert first.values.tolist() == second.values.tolist()
        for a, b in ((first.probabilities, second.probabilities), (first.scores, second.scores)):
            assert (a is None and b is None) or (a is not None and b is not None and (a == b).all())

    def test_it_survives_a_file_unchanged(self, key: str, problem: str) -> None:
        pipeline, file = fitted(key, problem), io.BytesIO()
        joblib.dump(pipeline, file)
        file.seek(0)
        restored = predict(joblib.load(file), make_frame(), None)
        assert restored.values.tolist() == predict(pipeline, make_frame(), None).values.tolist()

    def test_it_answers_a_single_row_as_it_does_among_others(self, key: str, problem: str) -> None:
        pipeline, frame = fitted(key, problem), make_frame()
        single, among = predict(pipeline, frame.iloc[[7]], None), predict(pipeline, frame, None)
        if problem == "regression":
            assert single.values[0] == pytest.approx(among.values[7])
        else:
            assert single.values[0] == among.values[7]
        if single.scores is not None and among.scores is not None:
            assert single.scores[0] == pytest.approx(among.scores[7])

    def test_it_answers_rows_of_nothing_but_missing_values(self, key: str, problem: str) -> None:
        frame = make_frame().head(2)
        empty = pd.DataFrame({c: pd.Series([None, None], dtype=frame[c].dtype) for c in frame.columns})
        self.assert_sound(predict(fitted(key, problem), empty, None), 2, problem)

    def test_it_answers_values_never_seen(self, key: str, problem: str) -> None:
        frame = (
            make_frame().head(3).assign(ward="new ward", no_ward="x", notes="unheard of", no_notes="words")
        )
        frame = frame.assign(empty=5.0, constant=-1e9, never=pd.Timestamp("2026-01-01").as_unit("us"))
        self.assert_sound(predict(fitted(key, problem), frame, None), 3, problem)

    def test_its_inputs_have_names(self, key: str, problem: str) -> None:
        pipeline = fitted(key, problem)
        names = pipeline["preprocess"].get_feature_names_out()
        assert len(names) == pipeline["preprocess"].transform(make_frame()).shape[1] == len(set(names))
        assert not any("patient" in name for name in names)


def classes_of(pipeline: Pipeline, problem: str) -> list[str] | None:
    return [str(label) for label in pipeline.classes_] if problem == "classification" else None


@pytest.mark.parametrize(("key", "problem"), CASES)
def test_its_twin_gives_the_same_answers_where_one_is_claimed(key: str, problem: str) -> None:
    pipeline, frame = fitted(key, problem), make_frame()
    classes = classes_of(pipeline, problem)
    if not ALGORITHMS[key].traits.onnx:
        with pytest.raises(NoTwin, match="cannot be expressed"):
            make_twin(pipeline, classes)
        return
    unseen = frame.head(5).assign(ward="new ward", notes="unheard of", empty=5.0, constant=-1e9)
    blank = pd.DataFrame({c: pd.Series([None] * 3, dtype=frame[c].dtype) for c in frame.columns})
    rows = pd.concat([frame, unseen, blank], ignore_index=True).assign(patient="p")
    twin = open_twin(make_twin(pipeline, classes))
    report = check_twin(twin, lambda part: predict(pipeline, part, classes), rows, COLUMNS, tolerance=1e-6)
    assert (report.reason, report.rows, report.labels) == ("", len(rows), 0)


PREDICTING = [key for key, one in ALGORITHMS.items() if one.problems & BOTH]


@cache
def baseline(problem: str) -> float:
    return scored("dummy", problem)


def scored(key: str, problem: str) -> float:
    frame, kind = make_frame(), get_problem(problem)
    target = make_target(frame, problem)
    pipeline = fit_pipeline(TrialSpec(key, {}), frame, target, COLUMNS, kind, 0)
    return kind.score(target.to_numpy(), predict(pipeline, frame, None))[kind.primary_metric]


@pytest.mark.parametrize("key", [key for key in PREDICTING if key != "dummy"])
def test_it_learns_more_than_the_baseline(key: str) -> None:
    problem = min(ALGORITHMS[key].problems)
    assert scored(key, problem) > baseline(problem) + 0.2


@pytest.mark.parametrize("key", [key for key in PREDICTING if "classification" in ALGORITHMS[key].problems])
def test_one_class_is_answered_or_refused_as_data(key: str) -> None:
    frame = make_frame()
    target, halves = pd.Series(["well"] * N, dtype=object), [(np.arange(40), np.arange(40, N))]
    trial = cross_validate(
        TrialSpec(key, {}), frame, target, COLUMNS, get_problem("classification"), halves, 0
    )
    assert trial.error or trial.mean == 1.0


TWO = [Column("x", ColumnType.numeric, nullable=False), Column("y", ColumnType.numeric, nullable=False)]


def two_clouds() -> pd.DataFrame:
    """Forty points in each of two clouds, and four far from both."""
    rng = np.random.default_rng(5)
    clouds = rng.normal(0, 0.3, (80, 2)) + np.repeat([[0.0, 0.0], [6.0, 6.0]], 40, axis=0)
    far = [[-9.0, 9.0], [14.0, -5.0], [3.0, 20.0], [20.0, 3.0]]
    return pd.DataFrame(np.vstack([clouds, far]), columns=["x", "y"])


@pytest.mark.parametrize("algorithm", algorithms_for("anomaly_detection"), ids=lambda one: one.key)
def test_a_detector_puts_what_is_far_off_first(algorithm: Algorithm) -> None:
    frame, kind = two_clouds(), get_problem("anomaly_detection")
    odd = pd.Series([0.0] * 80 + [1.0] * 4)
    answers = predict(fit_pipeline(TrialSpec(algorithm.key, {}), frame, odd, TWO, kind, 0), frame, None)
    scores = kind.score(odd.to_numpy(), answers)
    assert scores["roc_auc"] > 0.95
    assert scores["share_flagged"] == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("algorithm", algorithms_for("clustering"), ids=lambda one: one.key)
def test_a_clustering_tells_two_clouds_apart(algorithm: Algorithm) -> None:
    frame, kind = two_clouds().head(80), get_problem("clustering")
    unknown = pd.Series(np.nan, index=frame.index)
    answers = predict(fit_pipeline(TrialSpec(algorithm.key, {}), frame, unknown, TWO, kind, 0), frame, None)
    assert kind.score(unknown.to_numpy(), answers)["silhouette"] > 0.6
    assert answers.values[0] != answers.values[-1]
