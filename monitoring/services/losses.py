"""Direct loss estimation: what errors are to be expected of a regression's answers, hour by hour."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.frames import AskedRows, frame_of, predictions_between
from monitoring.models import Rollup
from monitoring.services.places import WHOLE, Part, slices_in
from monitoring.services.windows import LOOK_BACK, hour_of
from monitoring.statistics.estimated import LossEstimator, TooFewOutcomes
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.gates import holdout_rows
from registry.services.plans import plan_for
from registry.tabular.schema import coerce_frame, columns_from_json

MOST_ROWS = 20_000  # of an hour
MOST_KEPT = 16
Estimators = tuple[LossEstimator, LossEstimator]
_learnt: OrderedDict[int, Estimators | None] = OrderedDict()
_lock = Lock()


def estimate_losses(*, model: RegisteredModel, since: datetime | None = None) -> int:
    """Estimate the hours since a moment, by default of 7 days, that have new predictions; return how many.

    The hours must be rolled up. An hour's estimate is always of all of its rows, so doing it twice changes
    nothing, and late rows are in it the next time; of more than 20,000 rows in an hour the newest count.
    0 for what is no regression. Raises what reading the hold-out and the artefact do.
    """
    if model.problem.outcome != "value":
        return 0
    done, start = 0, since or hour_of(timezone.now() - LOOK_BACK)
    with tenant_transaction():
        recent = Rollup.objects.filter(model=model, begins__gte=start).order_by().values("version_id")
        rows = ModelVersion.objects.filter(model=model, pk__in=recent)
        versions = list(rows.select_related("model", "dataset"))
    for version in versions:
        hours = _waiting(version, start)
        estimators = _estimators(version) if hours else None
        if estimators is not None:
            for begins in hours:
                done += _estimate(version, begins, estimators)
    return done


def _waiting(version: ModelVersion, since: datetime) -> list[datetime]:
    """Return the hours whose estimate does not cover their predictions."""
    rows = Rollup.objects.filter(version=version, begins__gte=since, slice_column="")
    with tenant_transaction():
        found = list(rows.order_by("begins").values_list("begins", "predictions", "estimate"))
    return [begins for begins, count, estimate in found if estimate.get("rows", 0) < min(count, MOST_ROWS)]


def _estimate(version: ModelVersion, begins: datetime, estimators: Estimators) -> bool:
    """Estimate one stretch and its slices; False where the predictions are gone."""
    with tenant_transaction():
        rows = list(_rows(version, begins)[:MOST_ROWS])
    if not rows:
        return False
    asked = frame_of(version, rows)
    found = {WHOLE: _expected(asked, estimators)}
    for part, places in slices_in(version, [row.created_at for row in rows], asked.features):
        found[part] = _expected(asked.take(places), estimators)
    with tenant_transaction():
        for part, estimate in found.items():
            _of_part(version, begins, part).update(estimate=estimate)
    return True


def _rows(version: ModelVersion, begins: datetime) -> "QuerySet[Prediction]":
    later = Rollup.objects.filter(version=version, begins__gt=begins, slice_column="")
    next_one = later.order_by("begins").values_list("begins", flat=True).first()
    ends = hour_of(begins) + timedelta(hours=1)
    rows = predictions_between(version, begins, min(ends, next_one) if next_one else ends)
    return rows.filter(rolled_up=True).order_by("-created_at", "-pk").only("features", "value", "created_at")


def _of_part(version: ModelVersion, begins: datetime, part: Part) -> "QuerySet[Rollup]":
    return Rollup.objects.filter(
        version=version, begins=begins, slice_column=part.column, slice_value=part.value
    )


def _expected(asked: AskedRows, estimators: Estimators) -> dict[str, float]:
    answers = asked.answers.to_numpy(dtype="float64")
    absolute, squares = (one.expect(asked.features, answers) for one in estimators)
    return {"rows": len(answers), "absolute": absolute * len(answers), "squares": squares * len(answers)}


def _estimators(version: ModelVersion) -> Estimators | None:
    """Return what this process learnt of the version's errors, or learn it; None of a small hold-out."""
    with _lock:
        if version.pk in _learnt:
            _learnt.move_to_end(version.pk)
            return _learnt[version.pk]
    found = _learn(version)
    with _lock:
        _learnt[version.pk] = found
        while len(_learnt) > MOST_KEPT:
            _learnt.popitem(last=False)
    return found


def _learn(version: ModelVersion) -> Estimators | None:
    holdout = holdout_rows(version.model, version)
    columns = columns_from_json(version.features)
    answers = plan_for(version).predict(coerce_frame(holdout.frame, columns))
    # Learnt on what the log keeps of the columns, which is what it will be asked of.
    rows: Sequence[Prediction] = [
        Prediction(features=row) for row in holdout.frame[[one.name for one in columns]].to_dict("records")
    ]
    features = frame_of(version, rows).features
    found, truth = np.asarray(answers.values, dtype="float64"), holdout.target.to_numpy(dtype="float64")
    try:
        return (
            LossEstimator.learnt(features, found, truth, loss="mae"),
            LossEstimator.learnt(features, found, truth, loss="mse"),
        )
    except TooFewOutcomes:
        return None
