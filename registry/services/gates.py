"""Running a version through the gates."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from registry.errors import NoChampion
from registry.frames import dataset_frame
from registry.gates import Evidence, GateResult
from registry.gates.base import HoldOut
from registry.gates.figures import ShadowFigures
from registry.inference.plan import Plan
from registry.models import ModelVersion, RegisteredModel, Rollout
from registry.problems import Predictions
from registry.services.champions import champion_of
from registry.services.demands import Demand, all_demands, demands_of
from registry.services.loading import load_fresh
from registry.services.personal import model_marks
from registry.services.shadow_evidence import shadow_figures
from registry.services.twins import load_twin
from registry.tabular.schema import coerce_frame, columns_from_json
from registry.tabular.splits import Mask, Split, held_out

__all__ = ["GateResult", "evaluate_gates"]


def evaluate_gates(
    *, model: RegisteredModel, candidate: ModelVersion, only: Collection[str] | None = None
) -> list[GateResult]:
    """Return what each gate that the model demands says of ``candidate`` against the present champion.

    ``only`` asks the gates of these names instead, demanded or not.
    """
    with tenant_transaction():
        champion = champion_of(model)
    if champion is not None and champion.pk == candidate.pk:
        champion = None  # nothing to compare with but itself
    plan = cache(_fresh_plan)
    holdout = cache(lambda: holdout_rows(model, candidate, champion))

    def answers(version: ModelVersion) -> Predictions:
        return plan(version).predict(coerce_frame(holdout().frame, plan(version).columns))

    evidence = Evidence(
        candidate=candidate,
        champion=champion,
        problem=model.problem,
        plan=plan,
        holdout=holdout,
        answers=cache(answers),
        findings=lambda: _findings(candidate),
        shadow=lambda: _shadow(candidate, champion),
        personal=frozenset(model_marks(model)),
        rollout=lambda: _rollout(candidate, champion),
    )
    asked = (
        demands_of(model) if only is None else [one for one in all_demands(model) if one.gate.name in only]
    )
    return [_judge(demand, evidence) for demand in asked]


def holdout_rows(model: RegisteredModel, version: ModelVersion, *others: ModelVersion | None) -> HoldOut:
    """Return the rows of the version's dataset that neither it nor the others were trained on.

    Raises DatasetCorrupt, and SchemaMismatch where the dataset lacks the column of another's rule.
    """
    with tenant_transaction():
        dataset = version.dataset
    frame = dataset_frame(dataset)
    rows = frame[unseen_rows(frame, model, [one for one in (version, *others) if one is not None])]
    target = model.problem.clean_target(model.problem.target_of(rows, model.target))
    kinds = {column.name: column.type for column in columns_from_json(dataset.columns)}
    return HoldOut(rows.loc[target.index], target, kinds)


def unseen_rows(frame: pd.DataFrame, model: RegisteredModel, versions: Iterable[ModelVersion]) -> Mask:
    """Return which rows of a dataset none of the versions was trained on, by the rule that each keeps.

    Raises SchemaMismatch where the dataset lacks the column of a rule.
    """
    unseen = np.ones(len(frame), dtype=bool)
    for rule in {_rule(one) for one in versions}:
        unseen &= held_out(frame, model.target, rule)
    return unseen


def _rule(version: ModelVersion) -> Split:
    return msgspec.convert(version.split, Split)


def _fresh_plan(version: ModelVersion) -> Plan:
    columns = columns_from_json(version.features)
    return Plan(load_fresh(version), columns, version.classes, load_twin(version))


def _findings(version: ModelVersion) -> list[dict[str, Any]] | None:
    with tenant_transaction():
        job = getattr(version, "job", None)  # its table is training's
    return None if job is None else list(job.findings)


def _rollout(candidate: ModelVersion, champion: ModelVersion | None) -> Rollout | None:
    with tenant_transaction():
        return Rollout.objects.filter(challenger=candidate, champion=champion).first()


def _shadow(candidate: ModelVersion, champion: ModelVersion | None) -> ShadowFigures:
    if champion is None:
        raise NoChampion("There is no champion in whose shadow the version could have answered.")
    with tenant_transaction():
        return shadow_figures(candidate, champion)


def _judge(demand: Demand, evidence: Evidence) -> GateResult:
    gate = demand.gate
    try:
        passed, detail, numbers = gate.check(evidence, demand.parameters)
    except PlatformError as error:  # what could not be checked has not been passed
        passed, detail, numbers = False, error.detail, {}
    return GateResult(gate.name, gate.title, passed, detail, numbers)
