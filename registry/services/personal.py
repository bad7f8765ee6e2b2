"""Which columns are personal: marks on datasets, which their models inherit and can add to."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import InvalidMarks
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.privacy.treatment import Marks, marks_of, stricter
from registry.services.described import described_anew
from registry.services.pseudonyms import treater
from registry.tabular.schema import Treatment, columns_from_json, columns_to_json

Changes = Mapping[str, str | None]


def dataset_marks(dataset: Dataset) -> dict[str, Treatment]:
    """Return the dataset's personal columns."""
    return marks_of(columns_from_json(dataset.columns))


def model_marks(model: RegisteredModel) -> dict[str, Treatment]:
    """Return the columns that are treated where the model's rows are logged or shown."""
    return {name: Treatment(treatment) for name, treatment in model.personal.items()}


def model_columns(model: RegisteredModel) -> list[dict[str, Any]]:
    """Return name and type of every column that a version of the model takes, the newest version's first."""
    versions = ModelVersion.objects.filter(model=model).order_by("-number").values_list("features", flat=True)
    found: dict[str, dict[str, Any]] = {}
    for features in versions:
        for column in features:
            found.setdefault(column["name"], {"name": column["name"], "type": column["type"]})
    return list(found.values())


def personal_columns(*, pseudonymise: Iterable[str], drop: Iterable[str]) -> dict[str, str]:
    """Return marks by column; one that is named for both is dropped."""
    return {**dict.fromkeys(pseudonymise, Treatment.pseudonymise), **dict.fromkeys(drop, Treatment.drop)}


def changed(before: Marks, changes: Changes) -> dict[str, Treatment]:
    """Return the marks after the changes, in which None takes a mark off; raises InvalidMarks."""
    unknown = {name: change for name, change in changes.items() if change not in {None, *Treatment}}
    if unknown:
        hint = f"Choose {', '.join(Treatment)}, or nothing for a column that is not personal."
        raise InvalidMarks("There is no such treatment.", fields={name: [hint] for name in unknown})
    after: dict[str, Any] = {**before, **changes}
    return {name: Treatment(treatment) for name, treatment in after.items() if treatment is not None}


def loosened(before: Marks, changes: Changes) -> set[str]:
    """Return the columns of which more could be seen after the changes than before; raises InvalidMarks."""
    changed(before, changes)
    return {name for name, change in changes.items() if _rank(change) < _rank(before.get(name))}


def _rank(treatment: str | None) -> int:
    return 0 if treatment is None else list(Treatment).index(Treatment(treatment)) + 1


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise InvalidMarks where a name is no column."""
    columns = list(known)
    unknown = sorted(set(names) - set(columns))
    if unknown:
        shown = ", ".join(columns[:20])
        raise InvalidMarks(
            f"There is no column {', '.join(map(repr, unknown[:5]))}. The columns are: {shown}.",
            fields={name: ["Unknown column."] for name in unknown[:20]},
        )


def mark_dataset(*, dataset: Dataset, changes: Changes, by: Actor) -> Dataset:
    """Change which columns of the dataset, and of those made from it, are personal.

    Schema and profile are treated at once, and so are the models that were trained on the rows, also those
    out of the asker's sight. A column that is personal no longer is profiled anew from the file; its models
    keep their marks.

    Raises InvalidMarks: an unknown column or treatment, or the target of a model trained on the dataset.
    """
    check_names(changes, (column["name"] for column in dataset.columns))
    changed({}, changes)
    with tenant_scope(current_tenant()):
        _mark_family(dataset, changes, by)
    dataset.refresh_from_db()
    return dataset


def _mark_family(dataset: Dataset, changes: Changes, by: Actor) -> None:
    family = _family(dataset)
    fresh = {one.pk: _profiled(one, loosened(dataset_marks(one), changes)) for one in family}
    with tenant_transaction():
        family = list(Dataset.objects.select_for_update().filter(pk__in=fresh).order_by("pk"))
        trained = ModelVersion.objects.filter(dataset__in=family).values("model")
        held = RegisteredModel.objects.select_for_update(no_key=True)
        models = list(held.filter(pk__in=trained).order_by("pk"))
        marked = {name: Treatment(change) for name, change in changes.items() if change is not None}
        for model in models:
            refuse_target(model, marked)
        for one in family:
            before = dataset_marks(one)
            _write_dataset(one, changed(before, changes), fresh[one.pk])
            _told(one, "dataset.columns_marked", before, dataset_marks(one), by)
        for model in models:
            tighten(model, marked, by=by)


def mark_model(*, model: RegisteredModel, changes: Changes, by: Actor) -> RegisteredModel:
    """Change which columns are personal for the model, from the next prediction on.

    The versions' schemas and reference histograms are treated at once; ``treat_log`` treats what was logged.
    A mark that a dataset of the model carries can only be made stricter here.

    Raises InvalidMarks: an unknown column or treatment, the target, or a mark that a dataset carries.
    """
    with tenant_transaction():
        model = RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        columns = [column["name"] for column in model_columns(model)]
        if columns:
            check_names(changes, [*columns, *model.personal])
        after = changed(model_marks(model), changes)
        refuse_target(model, after)
        learnt = ModelVersion.objects.filter(model=model).values("dataset")
        inherited = stricter(*map(dataset_marks, Dataset.objects.filter(pk__in=learnt).defer("profile")))
        loose = sorted(name for name in inherited if stricter(inherited, after)[name] != after.get(name))
        if loose:
            raise InvalidMarks(
                f"The data that the model was trained on marks these as personal: {', '.join(loose)}. "
                "Take the mark off the dataset first.",
                fields={name: ["Marked in the dataset."] for name in loose},
            )
        _write_model(model, after, by)
    return model


def tighten(model: RegisteredModel, marks: Marks, *, by: Actor) -> None:
    """Add marks that the model inherits from its data; call it with the model's row locked."""
    after = stricter(model_marks(model), marks)
    if after != model_marks(model):
        _write_model(model, after, by)


def refuse_target(model: RegisteredModel, marks: Marks) -> None:
    """Raise InvalidMarks where what the model predicts is to be personal."""
    if model.target in marks:
        raise InvalidMarks(
            f"{model.target!r} is what the model predicts: its answers and outcomes tell the values, so it "
            "cannot be treated. Leave it unmarked, and keep the model to those who may know.",
            fields={model.target: ["The target cannot be personal."]},
        )


def _write_model(model: RegisteredModel, marks: Marks, by: Actor) -> None:
    before, treat = model_marks(model), treater(marks)
    model.personal = dict(marks)
    model.save(update_fields=["personal"])
    for version in ModelVersion.objects.filter(model=model).only(
        "features", "reference", "evaluation", "tenant"
    ):
        version.features = columns_to_json(treat.columns(columns_from_json(version.features)))
        # Pseudonyms in the reference match nothing any more once the log keeps true values again.
        kept = {name: one for name, one in version.reference.items() if name in marks or name not in before}
        version.reference = treat.histograms(kept)
        version.evaluation = treat.evaluation(version.evaluation)
        version.save(update_fields=["features", "reference", "evaluation"])
    _told(model, "model.columns_marked", before, marks, by)


def _write_dataset(dataset: Dataset, marks: Marks, fresh: Dataset | None) -> None:
    treat = treater(marks)
    columns, profile = list(dataset.columns), dict(dataset.profile)
    if fresh is not None:
        anew = {column["name"]: column for column in fresh.columns}
        columns = [{**column, **anew.get(column["name"], {})} for column in columns]
        profile = {**fresh.profile, "columns": {**profile["columns"], **fresh.profile["columns"]}}
    dataset.columns = columns_to_json(treat.columns(columns_from_json(columns)))
    dataset.profile = treat.profile(profile)
    dataset.save(update_fields=["columns", "profile"])


def _profiled(dataset: Dataset, names: set[str]) -> Dataset | None:
    """Return an unsaved dataset with these columns' part of schema and profile, read from the file."""
    if not names:
        return None
    known = {column.name: column for column in columns_from_json(dataset.columns)}
    columns, profile = described_anew(dataset, {name: column.type for name, column in known.items()})
    # What people said of a column stays said.
    fresh = [
        replace(known[one.name], nullable=one.nullable, categories=one.categories)
        for one in columns
        if one.name in names
    ]
    profile["columns"] = {name: profile["columns"][name] for name in names}
    return Dataset(columns=columns_to_json(fresh), profile=profile)


def _family(dataset: Dataset) -> list[Dataset]:
    """Return the dataset and all that was made from it."""
    found, newest = [dataset.pk], [dataset.pk]
    while newest:
        newest = list(Dataset.objects.filter(parent__in=newest).values_list("pk", flat=True))
        found += newest
    return list(Dataset.objects.filter(pk__in=found))


def _told(target: Dataset | RegisteredModel, action: str, before: Marks, after: Marks, by: Actor) -> None:
    record(by=by, action=action, target=target, before=dict(before), after=dict(after))
