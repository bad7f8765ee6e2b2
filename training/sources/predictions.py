"""The platform's own predictions with what really happened, as rows to learn from."""

from datetime import timedelta
from typing import Annotated, Any

import pandas as pd
from django.utils import timezone
from msgspec import Meta, Struct

from registry.frames import dataset_frame
from registry.models import ModelVersion, RegisteredModel
from training.errors import InvalidSource, NothingToRetrain, SourceRefused
from training.services.datasets import original, refuse_personal
from training.sources.budget import Budget
from training.sources.feedback import aligned, labelled_predictions


class PredictionsSettings(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which of the model's answered rows: those whose outcome came in the last ``days``, or all.

    With ``training_data`` the rows that the model learnt from first stand before them.
    """

    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    training_data: bool = False

    def check(self) -> None:
        """Accept: there is nothing that could be wrong."""

    def destination(self) -> tuple[Any, ...]:
        """Return what the credential is for; there is none."""
        return ()

    def place(self) -> str:
        """Return where the rows come from, for people."""
        return "Predictions with their outcomes" + (f" of the last {self.days} days" if self.days else "")


def fetch(
    settings: PredictionsSettings, secret: str, budget: Budget, model: RegisteredModel | None = None
) -> pd.DataFrame:
    """Return the rows that were answered with their outcomes under the target's name.

    Raises InvalidSource, NothingToRetrain, PersonalFeatures or SourceRefused.
    """
    if model is None:
        raise InvalidSource("Name the model whose predictions are meant.", fields={"model": ["Missing."]})
    if not model.target:
        raise InvalidSource(
            f"{model.name} has no target, so its outcomes have no column to stand in. Choose another model.",
            fields={"model": ["It has no target."]},
        )
    newest = ModelVersion.objects.filter(model=model).select_related("dataset").order_by("-number").first()
    if newest is None:
        raise NothingToRetrain(f"{model.name} has no version yet, so it has answered nothing.")
    refuse_personal(newest)
    since = None if settings.days is None else timezone.now() - timedelta(days=settings.days)
    labelled = labelled_predictions(model, since=since)
    labelled = labelled[labelled[model.target].notna()] if len(labelled) else labelled
    if labelled.empty:
        raise SourceRefused(
            f"No outcome of a prediction of {model.name} is known yet. "
            "Report what really happened, then try again."
        )
    base = dataset_frame(original(newest.dataset))
    rows = aligned(labelled, base)
    if settings.training_data:
        rows = pd.concat([base, rows], ignore_index=True)
    if budget.sample is not None:
        rows = rows.tail(budget.sample).reset_index(drop=True)
    budget.take_rows(len(rows))
    return rows.reset_index(drop=True)
