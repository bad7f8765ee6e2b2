"""Registering models by name."""

import math
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import active_sight, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from registry.errors import InvalidModel, ModelExists, ModelNotFound
from registry.frames import dataset_frame
from registry.models import Alias, Dataset, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.registered_model import ProblemKind
from registry.problems import detect_problem

CHANGEABLE = frozenset(
    {
        *("description", "data_checks", "log_writing", "log_share", "twin_tolerance"),
        *("cache_answers", "cache_seconds", "shadow_aliases"),
    }
)
MOST_SHADOWS = 3


def find_model(name: str) -> RegisteredModel:
    """Return the tenant's model of this name; raises ModelNotFound."""
    # PostgreSQL takes no NUL in a text, so such a name is not even looked up.
    found = RegisteredModel.objects.filter(name=name).first() if "\x00" not in name else None
    if found is None:
        raise ModelNotFound(f"There is no model {name[:100]!r}. List them at /api/v1/models.")
    return found


def create_model(
    *,
    name: str,
    problem_type: str = "",
    target: str = "",
    description: str = "",
    dataset: Dataset | None = None,
    by: Actor,
) -> RegisteredModel:
    """Register a model; raises ModelExists for a taken name and InvalidModel for unusable fields.

    Without ``problem_type`` it is read off the target's values in ``dataset`` (see ``detected_problem``).
    Whoever may see some models only registers none: NotAllowed.
    """
    if not active_sight().sees(name):
        raise NotAllowed("This key is for some models only. Register new ones with a key for all.")
    model = RegisteredModel(
        name=name,
        problem_type=problem_type or detected_problem(target=target, dataset=dataset),
        target=target,
        description=description,
        created_by=str(by)[:200],
    )
    _check_fields(model)
    try:
        with tenant_transaction():
            model.save(force_insert=True)
            record(by=by, action="model.created", target=model, after=fields_of(model, "created_at"))
    except IntegrityError as error:
        raise ModelExists(
            f"A model {name!r} exists already. Choose another name, or train it further."
        ) from error
    return model


def update_model(*, model: RegisteredModel, changes: dict[str, Any], by: Actor) -> RegisteredModel:
    """Change what is ``CHANGEABLE``; name, problem type and target are what the model is.

    Raises InvalidModel.
    """
    fixed = sorted(set(changes) - CHANGEABLE)
    if fixed:
        raise InvalidModel(f"{', '.join(fixed)} of a model cannot be changed. Register another model.")
    before = {name: getattr(model, name) for name in changes}
    for name, value in changes.items():
        setattr(model, name, value)
    _check_fields(model)
    if "shadow_aliases" in changes:
        _check_shadows(model)
    with tenant_transaction():
        model.save(update_fields=list(changes))
        record(by=by, action="model.updated", target=model, before=before, after=changes)
    return model


def detected_problem(*, target: str, dataset: Dataset | None) -> str:
    """Return the likeliest problem type of the target's values in the dataset.

    Raises InvalidModel where there is no target, since groups and anomalies are both looked for without one,
    or no dataset with such a column.
    """
    if not target:
        raise _unfit(
            "problem_type",
            "Without a target it is for you to say what to look for: choose anomaly_detection (unusual rows) "
            "or clustering (groups of like rows), or name the column to predict.",
        )
    if dataset is None:
        raise _unfit(
            "problem_type", "Choose the kind of problem, or name a dataset from whose target it can be told."
        )
    if target not in {column["name"] for column in dataset.columns}:
        raise _unfit("target", f"{dataset.name} has no column {target!r}. Spell it as in the data.")
    return detect_problem(dataset_frame(dataset)[target])


def _check_target(model: RegisteredModel) -> None:
    if model.problem_type not in ProblemKind.values:
        return  # the field's own check says so
    if model.problem.needs_target and not model.target:
        raise _unfit("target", "Name the column to predict, or choose anomaly detection or clustering.")
    if model.target and not model.problem.takes_target:
        raise _unfit("target", "A clustering finds the groups by itself: leave the target empty.")


def _check_shadows(model: RegisteredModel) -> None:
    names = model.shadow_aliases
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unfit("shadow_aliases", "Give a list of aliases, for example challenger; none to end it.")
    if len(names) > MOST_SHADOWS or len(set(names)) < len(names):
        raise _unfit("shadow_aliases", f"Name at most {MOST_SHADOWS} aliases, each of them once.")
    if CHAMPION in names:
        raise _unfit("shadow_aliases", "The champion answers the clients. Name another alias.")
    known = set(Alias.objects.filter(model=model).values_list("name", flat=True))
    unknown = [name[:60] for name in names if name not in known]
    if unknown:
        raise _unfit(
            "shadow_aliases",
            f"{model.name} has no alias {unknown[0]!r}. Point it to a version first: the challenger, say.",
        )


def _unfit(field: str, sentence: str) -> InvalidModel:
    return InvalidModel(sentence, fields={field: [sentence]})


def _check_fields(model: RegisteredModel) -> None:
    _check_target(model)
    if not math.isfinite(model.twin_tolerance):
        raise _unfit("twin_tolerance", "Give a number from 0 to 1, for example 0.001.")
    share: Any = model.log_share
    if not (isinstance(share, int | float) and 0 <= share <= 1):  # which NaN is not
        raise _unfit("log_share", "The share of answers that is kept is a number from 0 to 1.")
    try:
        model.clean_fields()
    except ValidationError as error:
        raise InvalidModel("Some fields of the model cannot be used.", fields=error.message_dict) from error
