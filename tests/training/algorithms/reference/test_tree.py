import warnings
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from training.algorithms.reference import ReferenceDecisionTree
from training.algorithms.reference.growing import Nodes
from training.algorithms.reference.impurity import entropy, gini

CANCER = load_breast_cancer(return_X_y=True)


def test_it_is_a_scikit_learn_estimator() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a check that is not installed is skipped with a warning
        check_estimator(ReferenceDecisionTree())


class TestImpurity:
    @pytest.mark.parametrize(
        ("counts", "of_gini", "of_entropy"),
        [
            ([4, 4], 0.5, 1.0),
            ([8, 0], 0.0, 0.0),
            ([1, 3], 0.375, 0.811278),
            ([2, 2, 2, 2], 0.75, 2.0),
            ([0, 0], 1, 0),
        ],
    )
    def test_known_values(self, counts: list[int], of_gini: float, of_entropy: float) -> None:
        assert gini(np.array(counts, float)) == pytest.approx(of_gini)
        assert entropy(np.array(counts, float)) == pytest.approx(of_entropy, abs=1e-6)

    def test_many_nodes_at_once(self) -> None:
        counts = np.array([[[4.0, 4], [8, 0]], [[1, 3], [0, 2]]])
        assert gini(counts).tolist() == [[0.5, 0.0], [0.375, 0.0]]


class TestSplit:
    def test_play_tennis_gain(self) -> None:
        """Quinlan's (1986) weather: the gain of splitting 9 yes and 5 no by humidity is 0.152 bits."""
        humidity = np.array([[1.0]] * 7 + [[0.0]] * 7)
        play = np.array([1] * 3 + [0] * 4 + [1] * 6 + [0])
        tree = ReferenceDecisionTree("entropy", max_depth=1).fit(humidity, play)
        nodes = tree.nodes_
        rows = nodes.counts.sum(axis=1)
        gain = nodes.impurity[0] - (rows[1] * nodes.impurity[1] + rows[2] * nodes.impurity[2]) / rows[0]
        assert nodes.impurity[0] == pytest.approx(0.940, abs=5e-4)
        assert gain == pytest.approx(0.152, abs=5e-4)

    def test_the_threshold_lies_between_the_values(self) -> None:
        tree = ReferenceDecisionTree().fit([[1.0], [2], [5], [6]], [0, 0, 1, 1])
        assert tree.nodes_.threshold[0] == 3.5
        assert tree.predict([[3.5], [3.6]]).tolist() == [0, 1]

    def test_neighbouring_floats_are_told_apart(self) -> None:
        low = 1.0
        high = np.nextafter(low, 2)
        tree = ReferenceDecisionTree().fit([[low], [high]], [0, 1])
        assert tree.predict([[low], [high]]).tolist() == [0, 1]

    def test_huge_values_do_not_overflow(self) -> None:
        tree = ReferenceDecisionTree().fit([[1e308], [1.7e308]], [0, 1])
        assert tree.predict([[1e308], [1.7e308]]).tolist() == [0, 1]

    def test_min_gain_keeps_weak_splits_out(self) -> None:
        weak = ReferenceDecisionTree(min_gain=0.3).fit(*CANCER)
        assert weak.nodes_.is_leaf.sum() == 2


class TestLimits:
    @pytest.mark.parametrize("depth", [1, 3])
    def test_depth(self, depth: int) -> None:
        assert ReferenceDecisionTree(max_depth=depth).fit(*CANCER).nodes_.depth.max() == depth

    def test_rows_of_a_leaf(self) -> None:
        nodes = ReferenceDecisionTree(min_samples_leaf=20).fit(*CANCER).nodes_
        assert nodes.counts[nodes.is_leaf].sum(axis=1).min() >= 20

    @pytest.mark.parametrize(
        "parameters",
        [
            {"max_depth": 0},
            {"min_samples_leaf": 0},
            {"min_samples_split": 1},
            {"ccp_alpha": -1},
            {"criterion": "luck"},
        ],
    )
    def test_senseless_ones_are_refused(self, parameters: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"must|at least"):
            ReferenceDecisionTree(**parameters).fit([[0.0], [1]], [0, 1])


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("criterion", ["gini", "entropy"])
    @pytest.mark.parametrize("alpha", [0.0, 0.005, 0.02])
    def test_the_same_size_and_nearly_the_same_answers(self, criterion: str, alpha: float) -> None:
        X, y = load_wine(return_X_y=True)
        ours = ReferenceDecisionTree(criterion, ccp_alpha=alpha).fit(X, y)
        theirs = DecisionTreeClassifier(criterion=criterion, ccp_alpha=alpha, random_state=0).fit(X, y)
        assert abs(ours.nodes_.is_leaf.sum() - theirs.get_n_leaves()) <= 2  # equal splits may differ
        assert (ours.predict(X) == theirs.predict(X)).mean() >= 0.97

    def test_the_pruning_path_is_the_same(self) -> None:
        ours = ReferenceDecisionTree().pruning_path(*CANCER)
        theirs = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(*CANCER)
        assert ours.alphas[-3:] == pytest.approx(theirs.ccp_alphas[-3:])
        assert ours.impurities[-3:] == pytest.approx(theirs.impurities[-3:])
        assert ours.leaves[-1] == 1

    def test_importances_agree_on_a_single_split(self) -> None:
        ours = ReferenceDecisionTree(max_depth=1).fit(*CANCER)
        theirs = DecisionTreeClassifier(max_depth=1).fit(*CANCER)
        assert ours.feature_importances_ == pytest.approx(theirs.feature_importances_)


class TestPruning:
    def test_each_step_of_the_path_is_what_pruning_gives(self) -> None:
        path = ReferenceDecisionTree().pruning_path(*CANCER)
        for alpha, leaves in zip(path.alphas[1:], path.leaves[1:], strict=True):
            assert ReferenceDecisionTree(ccp_alpha=alpha + 1e-12).fit(*CANCER).nodes_.is_leaf.sum() <= leaves

    def test_a_high_price_leaves_the_root(self) -> None:
        tree = ReferenceDecisionTree(ccp_alpha=1.0).fit(*CANCER)
        assert len(tree.nodes_.left) == 1
        assert tree.feature_importances_.sum() == 0
        assert set(tree.predict(CANCER[0])) == {1}

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10_000), st.floats(0, 0.1))
    def test_pruning_never_raises_the_price(self, seed: int, alpha: float) -> None:
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)

        def price(nodes: Nodes) -> float:
            leaves = nodes.is_leaf
            mixed = (nodes.impurity * nodes.counts.sum(axis=1))[leaves].sum() / 50
            return float(mixed + alpha * leaves.sum())

        full, pruned = (ReferenceDecisionTree(ccp_alpha=a).fit(X, y).nodes_ for a in (0.0, alpha))
        assert price(pruned) <= price(full) + 1e-12


class TestDrawing:
    def test_it_is_a_picture_with_names_and_classes(self) -> None:
        tree = ReferenceDecisionTree(max_depth=3).fit(*CANCER)
        names = [f"<size & shape {j}>" for j in range(30)]
        picture = ET.fromstring(tree.draw(names))  # noqa: S314 - our own text
        texts = [element.text or "" for element in picture.iter("{http://www.w3.org/2000/svg}text")]
        assert any(text.startswith("<size & shape") for text in texts)
        assert "569 rows" in texts

    def test_a_deep_tree_is_cut_and_says_so(self) -> None:
        tree = ReferenceDecisionTree().fit(*CANCER)
        drawn = tree.draw(max_depth=2)
        assert "leaves</text>" in drawn
        assert drawn.count("<rect") == (tree.nodes_.depth <= 2).sum()
