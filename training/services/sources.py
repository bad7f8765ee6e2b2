"""Data sources: written down, changed, forgotten."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.sealed_texts import seal_column
from registry.models import RegisteredModel
from registry.services.personal import Changes, changed
from training.errors import InvalidSource, SourceExists, SourceInUse, SourceNotFound
from training.models import BatchJob, DataSource, RetrainingSchedule, TrainingJob
from training.models.job import ACTIVE_STATES
from training.sources.kinds import Kind, as_stored, checked_secret, get_kind, parsed

EDITABLE = ("name", "settings", "personal", "secret")


def find_source(pk: int) -> DataSource:
    """Return the source with its model and last snapshot; raises SourceNotFound."""
    source = DataSource.objects.select_related("model", "last_snapshot").filter(pk=pk).first()
    if source is None:
        raise SourceNotFound(f"There is no data source {pk}. List them at /api/v1/sources.")
    return source


def create_source(
    *,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    by: Actor,
    secret: str = "",
    model: RegisteredModel | None = None,
    personal: Changes | None = None,
) -> DataSource:
    """Write a source down; nobody is asked yet. The secret is sealed and never shown again.

    Raises InvalidSource, AddressRefused, InvalidMarks or SourceExists.
    """
    how = get_kind(kind)
    _check_model(how, model)
    stored = as_stored(checked_settings(how, settings, by=by))
    source = DataSource(
        name=_checked_name(name),
        kind=kind,
        settings=stored,
        model=model,
        personal=dict(changed({}, personal or {})),
        created_by=str(by)[:200],
    )
    source.clean()
    with tenant_transaction():
        _save(source)
        if checked_secret(how, secret):
            seal_column(source, "credential", secret)
            source.save(update_fields=["credential"])
        record(by=by, action="source.created", target=source, after=told(source))
    return source


def update_source(*, source: DataSource, changes: Mapping[str, Any], by: Actor) -> DataSource:
    """Change name, settings (as a whole), personal columns or the secret; what is left out stays.

    Where the place or the account changes, the secret must be given again: else whoever may edit a source
    could send its credential to a host of their own. Raises what ``create_source`` does.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise InvalidSource(f"These cannot be changed: {', '.join(unknown)}. Known: {', '.join(EDITABLE)}.")
    how = get_kind(source.kind)
    settings = checked_settings(how, changes.get("settings", source.settings), by=by)
    secret = changes.get("secret")
    with tenant_transaction():
        source = _locked(source)
        before = told(source)
        if secret is None and source.credential and _leads_elsewhere(how, source, settings):
            raise InvalidSource(
                "The source leads to another place or account now. Enter its credential again.",
                fields={"secret": ["Enter it again."]},
            )
        source.name = _checked_name(changes.get("name", source.name))
        source.settings = as_stored(settings)
        if "personal" in changes:
            source.personal = dict(changed({}, changes["personal"] or {}))
        if secret is not None:
            seal_column(source, "credential", checked_secret(how, secret))
        _save(source)
        after = told(source)
        record(
            by=by,
            action="source.updated",
            target=source,
            before=before,
            after=after,
            entered_anew=bool(secret),
        )
    return source


def delete_source(*, source: DataSource, by: Actor) -> None:
    """Forget the source and its credential; its snapshots stay. Raises SourceInUse."""
    with tenant_transaction():
        source = _locked(source)
        users = [
            *(f"schedule {one.name}" for one in RetrainingSchedule.objects.filter(source=source)[:5]),
            *(
                f"job {one.pk}"
                for one in TrainingJob.objects.filter(source=source, state__in=ACTIVE_STATES)[:5]
            ),
            *(
                f"batch {one.pk}"
                for one in BatchJob.objects.filter(source=source, state__in=ACTIVE_STATES)[:5]
            ),
        ]
        if users:
            raise SourceInUse(f"{source.name} is named by {', '.join(users)}. Change or delete these first.")
        record(by=by, action="source.deleted", target=source, before=told(source))
        source.delete()


def checked_settings(kind: Kind, settings: Mapping[str, Any], *, by: Actor) -> Any:
    """Return the settings; an address that is refused leaves its entry.

    Raises InvalidSource or AddressRefused.
    """
    try:
        return parsed(kind, settings)
    except AddressRefused as error:
        note_refusal(kind.key, error, by=by)
        raise


def note_refusal(kind: str, error: PlatformError, *, by: Actor, source: DataSource | None = None) -> None:
    """Record that an address was refused: somebody tried where nobody may go."""
    details = {"kind": kind, "reason": error.detail}
    record_attempt(by=by, action="source.refused", target=source or DataSource, details=details)


def told(source: DataSource) -> dict[str, Any]:
    """Return the source's fields for the trail: of the credential only whether there is one."""
    fields = fields_of(source, "credential", "created_at")
    return {**fields, "has_credential": bool(source.credential)}


def _check_model(kind: Kind, model: RegisteredModel | None) -> None:
    if kind.of_a_model and model is None:
        raise InvalidSource("Name the model whose predictions are meant.", fields={"model": ["Missing."]})
    if model is not None and not kind.of_a_model:
        raise InvalidSource(f"{kind.title}: it belongs to no model.", fields={"model": ["Leave it out."]})


def _leads_elsewhere(kind: Kind, source: DataSource, settings: Any) -> bool:
    try:
        before = parsed(kind, source.settings)
    except PlatformError:  # what was allowed once is not any more: be strict
        return True
    return bool(before.destination() != settings.destination())


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or len(name.strip()) > 100:
        raise InvalidSource(
            "Give the source a name of 1 to 100 characters.", fields={"name": ["1 to 100 characters."]}
        )
    return name.strip()


def _locked(source: DataSource) -> DataSource:
    found = DataSource.objects.select_for_update(of=("self",)).filter(pk=source.pk).first()
    if found is None:
        raise SourceNotFound(f"The source {source.name!r} was deleted meanwhile. Make a new one.")
    return found


def _save(source: DataSource) -> None:
    try:
        with tenant_transaction():
            source.save()
    except IntegrityError as error:
        raise SourceExists(
            f"A source {source.name!r} exists already. Choose another name.", fields={"name": ["Taken."]}
        ) from error
