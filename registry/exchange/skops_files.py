"""Reading skops files: a fixed list of types, and fitted parts that are what they claim to be.

``skops`` trusts scikit-learn's estimators and numpy's and scipy's elementwise functions by itself; the list
here is what else a fitted pipeline of them is made of, measured with scikit-learn 1.9 and skops 0.16. It
never grows by what a file asks for. Trees are plain memory to the code that walks them, so a tree whose
branches lead outside itself is refused: it would read, or end, whatever runs beside it.
"""

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skops.io.exceptions import UntrustedTypesFoundException

from registry.exchange.content import Refused

ALLOWED = (
    "collections.OrderedDict",
    "numpy.dtype",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.AbsoluteError",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfGammaLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfPoissonLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss.loss.HuberLoss",
    "sklearn._loss.loss.PinballLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.preprocessing._label.LabelBinarizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
MOST_PARTS = 200_000
ASK_FOR_ONNX = "Convert the model to ONNX and import that, or leave out the step that needs it."


def open_skops(data: bytes) -> Any:
    """Return the fitted estimator of the file; raises Refused.

    Call it in the opener's process, and elsewhere only for bytes that were opened there and sealed since.
    """
    try:
        with warnings.catch_warnings(action="ignore", category=InconsistentVersionWarning):
            model = skops.io.loads(data, trusted=list(ALLOWED))
    except UntrustedTypesFoundException as error:
        raise Refused(
            f"The skops file asks for types that are not on this platform's list ({str(error)[:300]}). "
            f"{ASK_FOR_ONNX}"
        ) from error
    except UNREADABLE as error:
        raise Refused(
            f"The skops file cannot be read with the libraries here ({type(error).__name__}: "
            f"{str(error)[:300]}). Save it anew with the same release of scikit-learn."
        ) from error
    for part in _parts(model):
        _check(part)
    if not hasattr(model, "predict"):
        raise Refused(f"The skops file holds a {type(model).__name__}, which cannot predict.")
    if hasattr(model, "feature_names_in_"):
        return model
    return make_pipeline(FunctionTransformer(np.asarray), model)  # fitted on rows without names


def version_note(data: bytes) -> str:
    """Return scikit-learn's warning that another release wrote the file, empty where none did."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", InconsistentVersionWarning)
        skops.io.loads(data, trusted=list(ALLOWED))
    releases = {one.message.original_sklearn_version for one in told if _is_of_release(one.message)}  # type: ignore[union-attr]
    return f"Written with scikit-learn {', '.join(sorted(releases))}." if releases else ""


def _is_of_release(message: object) -> bool:
    return isinstance(message, InconsistentVersionWarning)


def dump_skops(model: Any) -> bytes:
    """Return the fitted estimator as a skops file; raises Refused where skops cannot write it."""
    buffer = io.BytesIO()
    try:
        skops.io.dump(model, buffer)
    except (*UNREADABLE, NotImplementedError) as error:
        raise Refused(f"skops cannot write it ({type(error).__name__}: {str(error)[:300]}).") from error
    return buffer.getvalue()


def foreign_types(data: bytes) -> list[str]:
    """Return which types of the file skops does not trust by itself: whoever opens it must name them."""
    names: list[str] = skops.io.get_untrusted_types(data=data)
    return names


def _parts(model: Any) -> Iterator[Any]:
    """Yield everything that the model is made of, each once."""
    waiting, seen = [model], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if len(seen) > MOST_PARTS:
            raise Refused(f"The model is made of more than {MOST_PARTS:,} parts. {ASK_FOR_ONNX}")
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.reshape(-1).tolist() if part.dtype == object else []
        elif hasattr(part, "__dict__") and not isinstance(part, type):
            waiting += vars(part).values()


def _check(part: Any) -> None:
    for sort, check in _CHECKS.items():
        if any(kind.__name__ == sort for kind in type(part).__mro__):
            check(part)


def _broken(what: str) -> Refused:
    return Refused(f"The file is damaged, or was made to do harm: {what}. It is not opened.")


def _check_tree_model(model: Any) -> None:
    """A decision tree: its branches lead forward and inside, its columns are those of its rows."""
    tree = getattr(model, "tree_", None)
    if tree is None:  # the unfitted pattern that an ensemble keeps
        return
    if int(tree.n_features) != int(model.n_features_in_):
        raise _broken("a tree of other columns than its model's")
    _check_tree(tree)


def _check_tree(tree: Any) -> None:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    count = int(tree.node_count)
    if not 0 < count == len(left) == len(right) == len(tree.value):
        raise _broken("a tree of another size than it says")
    places = np.arange(count)
    inner = left != -1
    if np.any(right[~inner] != -1) or np.any(left[inner] <= places[inner]):
        raise _broken("a tree whose branches lead back")
    if np.any(right[inner] <= places[inner]) or np.any(np.maximum(left, right) >= count):
        raise _broken("a tree whose branches lead outside it")
    columns = np.asarray(tree.feature)[inner]
    if np.any(columns < 0) or np.any(columns >= int(tree.n_features)):
        raise _broken("a tree that reads columns which no row has")


def _check_ensemble(model: Any) -> None:
    """A forest or a boosting: its trees read the rows as the ensemble hands them on."""
    members = np.asarray(getattr(model, "estimators_", []), dtype=object)
    chosen = getattr(model, "estimators_features_", None)
    for place, member in enumerate(members.reshape(-1)):
        if not hasattr(member, "tree_"):
            if type(model).__name__.startswith("GradientBoosting"):
                raise _broken("a boosting of something else than trees")
            continue
        width = len(chosen[place]) if chosen is not None else model.n_features_in_
        if int(member.n_features_in_) != int(width):
            raise _broken("a tree of other columns than its ensemble's")
    if type(model).__name__.startswith("GradientBoosting"):
        expected = 1 if getattr(model, "n_classes_", 1) in (1, 2) else int(model.n_classes_)
        if members.ndim != 2 or members.shape[1] != expected:
            raise _broken("a boosting with another number of trees than classes")


def _check_binned(model: Any) -> None:
    """Histogram gradient boosting: nodes lead forward and inside, sets of categories are there."""
    width = int(model.n_features_in_)
    expected = int(model.n_trees_per_iteration_)
    for round_ in model._predictors:
        if len(round_) != expected:
            raise _broken("a boosting with another number of trees than classes")
        for one in round_:
            _check_nodes(one.nodes, width, len(one.raw_left_cat_bitsets))


def _check_nodes(nodes: Any, width: int, sets: int) -> None:
    count, inner = len(nodes), nodes["is_leaf"] == 0
    places = np.arange(count)[inner]
    if not count or not np.isin(nodes["is_leaf"], (0, 1)).all():
        raise _broken("a tree without nodes")
    for side in ("left", "right"):
        targets = nodes[side][inner].astype("int64")
        if np.any(targets <= places) or np.any(targets >= count):
            raise _broken("a tree whose branches lead outside it")
    columns = nodes["feature_idx"][inner].astype("int64")
    if np.any(columns < 0) or np.any(columns >= width):
        raise _broken("a tree that reads columns which no row has")
    by_set = inner & (nodes["is_categorical"] != 0)
    if np.any(nodes["bitset_idx"][by_set].astype("int64") >= sets):
        raise _broken("a tree that asks for sets of categories which it does not have")


def _check_vectors(model: Any) -> None:
    """Support vectors: as many as are counted, with a weight each."""
    vectors, weights = np.asarray(model.support_vectors_), np.asarray(model._dual_coef_)
    counted, held = np.asarray(model._n_support), len(np.asarray(model.support_))
    if np.any(counted < 0) or not int(counted.sum()) == len(vectors) == held == weights.shape[1]:
        raise _broken("support vectors that are not as many as is said")
    classes = len(getattr(model, "classes_", ())) or 2
    pairs = classes * (classes - 1) // 2
    if weights.shape[0] != max(1, classes - 1) or len(np.asarray(model._intercept_)) < pairs:
        raise _broken("support vectors without their weights")
    if vectors.ndim != 2 or vectors.shape[1] != int(model.n_features_in_):
        raise _broken("support vectors of other columns than their model's")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "BaseDecisionTree": _check_tree_model,
    "Tree": _check_tree,
    "BaseForest": _check_ensemble,
    "BaseBagging": _check_ensemble,
    "BaseGradientBoosting": _check_ensemble,
    "BaseHistGradientBoosting": _check_binned,
    "BaseLibSVM": _check_vectors,
}
