"""A job's rows, read once: as they came, and as a model reads them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.frames import dataset_frame
from registry.models import Dataset, RegisteredModel
from registry.tabular.schema import Column, coerce_frame
from registry.tabular.splits import Split, settle
from registry.tabular.splits import held_out as held_out_rows
from training.models import TrainingJob
from training.services.configs import feature_columns, split_of


@dataclass(frozen=True)
class Table:
    """All rows of a dataset, and what follows from them for a model, each part when it is first asked for.

    ``frame``: the rows as they were frozen. ``target``: the name of the target, empty where there is none.
    ``columns``: the features' columns. ``wanted``: the rule by which rows are held out, as it was asked for.
    """

    frame: pd.DataFrame
    target: str
    columns: list[Column]
    wanted: Split

    @classmethod
    def of_job(cls, job: TrainingJob) -> Self:
        """Read the job's dataset; raises DatasetCorrupt."""
        return cls.of(job.model, job.dataset, split_of(job.config))

    @classmethod
    def of(cls, model: RegisteredModel, dataset: Dataset, split: Split | None = None) -> Self:
        """Read a dataset for a model; raises DatasetCorrupt."""
        return cls(dataset_frame(dataset), model.target, feature_columns(model, dataset), split or Split())

    @cached_property
    def features(self) -> pd.DataFrame:
        """Return the features in canonical form (see ``coerce_frame``); raises SchemaMismatch."""
        return coerce_frame(self.frame, self.columns)

    @cached_property
    def split(self) -> Split:
        """Return the rule with its cut-off; raises SchemaMismatch and TooFewRows."""
        return settle(self.frame, self.wanted)

    @cached_property
    def held_out(self) -> npt.NDArray[np.bool_]:
        """Return which rows the rule holds out; raises SchemaMismatch and TooFewRows."""
        return held_out_rows(self.frame, self.target, self.split)
