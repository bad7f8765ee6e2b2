"""Which algorithms suit a table, why, and how long they will take: before anything is trained."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from training.algorithms import Algorithm, algorithms_for
from training.automl.costs import Size, expected_seconds
from training.automl.trials import TrialSpec

FEW_ROWS, MANY_ROWS = 1000, 50_000
SLOW_FROM = 20_000  # rows, for what grows with their square
WIDE = 0.5  # inputs for each row
MUCH_MISSING, MANY_CATEGORIES = 0.05, 20
MOST = 8
BOOSTING = ("lightgbm", "hist_gradient_boosting", "xgboost")
FORESTS = ("extra_trees", "random_forest")
LINEAR = ("logistic_regression", "ridge", "elastic_net")
BY_DISTANCE = ("svm", "knn")


@dataclass(frozen=True)
class Facts:
    """What a suggestion rests on, all known without reading the rows."""

    problem: str
    rows: int
    inputs: int
    classes: int = 1
    missing: float = 0.0
    """Share of the inputs' values that are missing."""
    categories: int = 0
    """Most categories of one column."""
    rarest: float | None = None
    """Share of the rarest class."""


class Suggestion(msgspec.Struct, frozen=True):
    """An algorithm that suits. ``seconds``: expected for its cross-validation and last fit, as it is."""

    algorithm: str
    title: str
    why: str
    seconds: float


def suggest(facts: Facts, folds: int = 5, threads: int = 1) -> list[Suggestion]:
    """The algorithms that suit, the best first, at most eight.

    Raises nothing: a problem without measured algorithms gets an empty list.
    """
    size = Size(facts.rows, facts.inputs, facts.classes)
    weighed = []
    for algorithm in algorithms_for(facts.problem):
        points, reasons = _weighed(algorithm, facts)
        if points > 0:
            one = expected_seconds(TrialSpec(algorithm.key), size)
            seconds = one * (folds * (folds - 1) / folds / threads + 1)
            found = Suggestion(algorithm.key, algorithm.title, _sentence(reasons), round(seconds, 1))
            weighed.append((points, found))
    return [found for _, found in sorted(weighed, key=lambda one: -one[0])[:MOST]]


def hints(facts: Facts) -> list[str]:
    """What else the table asks for, one sentence each."""
    told = []
    if facts.rarest is not None and facts.rarest < 0.1:
        told.append(
            f"The rarest class has {facts.rarest:.1%} of the rows. Let rare classes count more (balance: "
            "weights), or choose the answer's threshold by what mistakes cost."
        )
    if facts.categories > MANY_CATEGORIES:
        many = f"A column has {facts.categories} categories."
        told.append(f"{many} Let the target's mean stand for each (encode=target).")
    if facts.inputs > WIDE * facts.rows:
        told.append("There are many inputs for so few rows. Keep the best of them (select: k_best or model).")
    return told


def _weighed(algorithm: Algorithm, facts: Facts) -> tuple[float, list[str]]:
    """How well the algorithm suits, 0 for not at all, and why."""
    points, reason = _by_size(algorithm.key, facts)
    if not points:
        return 0.0, []
    reasons = [reason]
    if algorithm.key in LINEAR and facts.inputs > WIDE * facts.rows:
        points += 1
        reasons.append("bears many inputs for few rows")
    if facts.missing > MUCH_MISSING and algorithm.traits.handles_missing:
        points += 0.5
        reasons.append(f"takes the missing values ({facts.missing:.0%}) as they are")
    if facts.categories > MANY_CATEGORIES and algorithm.traits.handles_categories:
        points += 0.3
        reasons.append("copes with columns of many categories")
    return points, reasons


def _by_size(key: str, facts: Facts) -> tuple[float, str]:
    few, many = facts.rows < FEW_ROWS, facts.rows >= MANY_ROWS
    if key in BOOSTING:
        usual = "usually the most accurate on a table of this size"
        return 3.0 - few + many - 0.1 * BOOSTING.index(key), "strong once tuned" if few else usual
    if key in FORESTS:
        steady = ", and steady on few rows" if few else ""
        return 2.6 - many - 0.1 * FORESTS.index(key), f"strong without tuning{steady}"
    if key in LINEAR:
        simple = "hard to beat on so few rows, and easy to explain" if few else "fast, easy to explain"
        return 1.6 + 1.2 * few - 0.1 * LINEAR.index(key), simple
    if key in BY_DISTANCE and facts.rows < SLOW_FROM:
        curved = "finds curved patterns among few rows" if few else "unlike the others, and good beside them"
        return 1.0 + 0.5 * few, curved
    return (1.5, "quick on very many rows") if key == "sgd" and many else (0.0, "")


def _sentence(reasons: Sequence[str]) -> str:
    text = "; ".join(reasons)
    return f"{text[:1].upper()}{text[1:]}."
