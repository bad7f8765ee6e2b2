"""Registering models by name."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import active_sight, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from registry.errors import InvalidModel, ModelExists, ModelNotFound
from registry.models import RegisteredModel

CHANGEABLE = frozenset({"description", "data_checks"})


def find_model(name: str) -> RegisteredModel:
    """Return the tenant's model of this name; raises ModelNotFound."""
    # PostgreSQL takes no NUL in a text, so such a name is not even looked up.
    found = RegisteredModel.objects.filter(name=name).first() if "\x00" not in name else None
    if found is None:
        raise ModelNotFound(f"There is no model {name[:100]!r}. List them at /api/v1/models.")
    return found


def create_model(
    *, name: str, problem_type: str, target: str, description: str = "", by: Actor
) -> RegisteredModel:
    """Register a model; raises ModelExists for a taken name and InvalidModel for unusable fields.

    Whoever may see some models only registers none: NotAllowed.
    """
    if not active_sight().sees(name):
        raise NotAllowed("This key is for some models only. Register new ones with a key for all.")
    model = RegisteredModel(
        name=name,
        problem_type=problem_type,
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


def update_model(*, model: RegisteredModel, changes: dict[str, str], by: Actor) -> RegisteredModel:
    """Change ``description`` or ``data_checks``; name, problem type and target are what the model is.

    Raises InvalidModel.
    """
    fixed = sorted(set(changes) - CHANGEABLE)
    if fixed:
        raise InvalidModel(f"{', '.join(fixed)} of a model cannot be changed. Register another model.")
    before = {name: getattr(model, name) for name in changes}
    for name, value in changes.items():
        setattr(model, name, value)
    _check_fields(model)
    with tenant_transaction():
        model.save(update_fields=list(changes))
        record(by=by, action="model.updated", target=model, before=before, after=changes)
    return model


def _check_fields(model: RegisteredModel) -> None:
    try:
        model.clean_fields()
    except ValidationError as error:
        raise InvalidModel("Some fields of the model cannot be used.", fields=error.message_dict) from error
