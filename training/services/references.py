"""Holding the platform's own implementations against scikit-learn's, on a dataset of the tenant's."""

import numpy as np
import pandas as pd

from registry.errors import InvalidModel
from registry.frames import dataset_frame
from registry.models import Dataset, RegisteredModel
from registry.models.registered_model import ProblemKind
from registry.tabular.holdout import holdout_mask
from registry.tabular.schema import coerce_frame
from registry.tabular.splits import HOLDOUT_SHARE
from training.errors import InvalidConfig, UnusableData
from training.evaluation.against_library import KINDS, AgainstLibrary, Kind, against_library
from training.services.configs import check_dataset, feature_columns

MOST_ROWS = 5000  # keeps the slower of both within seconds, so that the answer need not be waited for
MIN_EACH = 5


def compare_with_library(
    *, model: RegisteredModel, dataset: Dataset, kind: Kind, seed: int = 0
) -> AgainstLibrary:
    """Compare on the model's target, training and hold-out as its jobs split them; nothing is kept.

    Of more rows than 5,000 so many are drawn. Personal columns are left out, since a drawing of the tree
    shows values. Raises InvalidConfig for an unknown kind, InvalidModel for a model that does not classify,
    UnusableData or UnusableTarget where the dataset cannot teach it.
    """
    if kind not in KINDS:
        raise InvalidConfig(f"There is no reference of {kind!r}. Choose one of: {', '.join(KINDS)}.")
    if model.problem_type != ProblemKind.CLASSIFICATION:
        raise InvalidModel(
            f"{model.name} {model.purpose}; both references classify. Choose a model that predicts classes."
        )
    check_dataset(model, dataset)
    frame = dataset_frame(dataset)
    if len(frame) > MOST_ROWS:
        frame = frame.iloc[np.sort(np.random.default_rng(seed).choice(len(frame), MOST_ROWS, replace=False))]
    columns = [column for column in feature_columns(model, dataset) if column.personal is None]
    if not columns:
        raise UnusableData(
            f"All inputs of {dataset.name} are personal, and a comparison would show their values."
        )
    raw = frame[model.target]
    model.problem.check_target(raw)
    target = model.problem.clean_target(raw)
    held_out = pd.Series(holdout_mask(frame, model.target, HOLDOUT_SHARE), index=frame.index)
    held = held_out.loc[target.index].to_numpy()
    if min(held.sum(), (~held).sum()) < MIN_EACH or target[~held].nunique() < 2:
        raise UnusableData(
            f"{dataset.name} has too few labelled rows to learn from and to test on. Add rows."
        )
    return against_library(coerce_frame(frame.loc[target.index], columns), target, held, columns, kind, seed)
