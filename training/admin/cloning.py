"""A job's settings back in the form, for another one like it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from registry.models import RegisteredModel
from training.admin.automl_choice import automl_shown_first
from training.admin.measuring import measures_shown_first
from training.admin.options import AUTOML, INPUTS
from training.models import TrainingJob

OF_THE_FORM = ("calibrate", "threshold", "automl", "search", "split", "fairness", "holdout")


def like(request: HttpRequest, model: RegisteredModel) -> TrainingJob | None:
    """Return the job that the new one is to be like, where the address names one of this model."""
    wanted = request.GET.get("like", "")
    return TrainingJob.objects.filter(pk=wanted, model=model).first() if wanted.isdecimal() else None


def shown_first(job: TrainingJob | None) -> dict[str, Any]:
    """Return what the form shows at first for a job like this one."""
    if job is None:
        return {}
    config = job.config
    budget = config.get("automl") or config.get("search") or {}
    prepared = config.get("preprocessing") or {}
    return {
        "dataset": None if job.source_id else job.dataset_id,
        "source": job.source_id,
        "on_source_failure": job.on_source_failure,
        "algorithms": [one["key"] for one in config.get("algorithms", [])],
        "folds": config.get("folds"),
        "seed": config.get("seed"),
        "workers": config.get("workers", 1),
        "search": AUTOML if config.get("automl") else budget.get("method", ""),
        "trials": budget.get("trials"),
        "minutes": budget["seconds"] // 60 or 1 if budget.get("seconds") else None,
        "priority": job.priority,
        "calibrate": config.get("calibrate"),
        **automl_shown_first(config.get("automl")),
        **measures_shown_first(config),
        **{name: prepared.get(name) for name in INPUTS},
        **_threshold(config.get("threshold") or {}),
    }


def kept(job: TrainingJob | None) -> dict[str, Any]:
    """Return the settings that the form does not show, which stay as they are."""
    if job is None:
        return {}
    config = {name: value for name, value in job.config.items() if name not in OF_THE_FORM}
    prepared = config.pop("preprocessing", None) or {}
    beyond = {name: value for name, value in prepared.items() if name not in INPUTS}
    return config | ({"preprocessing": beyond} if beyond else {})


def algorithms(keys: Sequence[str], job: TrainingJob | None) -> list[dict[str, Any]]:
    """Return the algorithms chosen; those of the other job keep its parameters."""
    before = job.config.get("algorithms", []) if job else []
    same = [one for one in before if one["key"] in keys]
    new = set(keys) - {one["key"] for one in same}
    return [*same, *({"key": key, "params": {}} for key in keys if key in new)]


def merged(base: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with what was chosen; preparations of both."""
    prepared = {**base.get("preprocessing", {}), **chosen.get("preprocessing", {})}
    return {**base, **chosen, **({"preprocessing": prepared} if prepared else {})}


def _threshold(stated: Mapping[str, Any]) -> dict[str, Any]:
    costs = stated.get("costs")
    return {"threshold": "costs", **costs} if costs else {"threshold": stated.get("metric", "")}
