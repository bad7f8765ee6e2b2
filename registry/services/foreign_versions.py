"""A version from a file that another program made: skops or ONNX, never a pickle."""

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version as release_of
from typing import IO, Any

import msgspec
import pandas as pd
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import require_room
from registry.archives import check_entries
from registry.artifacts.formats import load
from registry.errors import ForeignModelRefused, InvalidArchive, InvalidColumns, InvalidRows
from registry.exchange.content import Form, Refused, recognise
from registry.exchange.orders import Reply
from registry.frames import dataset_frame
from registry.inference.files import frame_rows
from registry.inference.plan import Plan
from registry.inference.reference import reference_of
from registry.inference.schema import check_rows, rows_frame
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.services.datasets import freeze
from registry.services.foreign_columns import given_columns, made_up_row
from registry.services.opening import open_apart
from registry.services.personal import dataset_marks, model_marks
from registry.services.versions import TrainedModel, announce_version, register_version, store_bytes
from registry.tabular.schema import UNUSED_TYPES, Column, coerce_frame, columns_from_json

LARGEST_FILE = 500_000_000
LARGEST_UNPACKED = 1_000_000_000
SKOPS_ENTRY = re.compile(r"schema\.json|[0-9A-Za-z_-]{1,100}(?:\.[a-z0-9]{1,10})?")
EXAMPLE_ROWS = 5
LIBRARIES = ("scikit-learn", "numpy", "skops", "onnxruntime")
TAKEN = ("classification", "regression")


@dataclass(frozen=True)
class ForeignModel:
    """What somebody knows of the file: its columns or a dataset that has them, its classes, an example row.

    ``origin`` says in words where it came from. With a dataset the version is measured on its rows.
    """

    columns: Sequence[Mapping[str, Any]] = ()
    classes: Sequence[str] = ()
    dataset: Dataset | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""


def import_version(
    *, model: RegisteredModel, file: IO[bytes], filename: str, about: ForeignModel, by: Actor
) -> ModelVersion:
    """Make the file the model's next version, marked as imported; what is refused leaves an audit row.

    The content decides what the file is, not its name. It is opened in a process of its own first, and only
    what survived that is sealed, stored and tried like any other version. Raises ForeignModelRefused,
    InvalidColumns, InvalidRows, DatasetCorrupt, and NoRoom where the tenant may store no more.
    """
    data = file.read(LARGEST_FILE + 1)
    require_room(storage_bytes=len(data))
    sent = {"filename": filename[:200], "sha256": hashlib.sha256(data).hexdigest()}
    try:
        opened = _opened(model, data, about)
    except ForeignModelRefused as error:
        told = sent | {"reason": error.detail}
        record_attempt(by=by, action="version.import_refused", target=model, details=told)
        raise
    reply = opened.reply
    stored = _stored(data, opened.form, reply)
    plan = Plan(load(stored), opened.used, reply.classes)
    dataset = about.dataset or _example_dataset(model, opened.used, opened.rows, by)
    trained = _described(model, plan, dataset, about, reply, opened.rows)
    artifact = store_bytes(stored, plan, trained.sample)
    origin = {
        "kind": opened.form.value,
        "file": sent["filename"],
        "sha256": sent["sha256"],
        "from": about.origin[:500],
        "by": str(by)[:200],
        "at": timezone.now().isoformat(),
        "note": reply.note[:200],
    }
    with tenant_transaction():
        made = register_version(
            model=model, trained=replace(trained, origin=origin), artifact=artifact, by=by
        )
        record(by=by, action="version.imported", target=made, origin=origin)
        announce_version(made)
    return made


@dataclass(frozen=True)
class _Opened:
    """A file that could be opened: what it is and says, the columns it uses, rows it was tried on."""

    form: Form
    reply: Reply
    used: list[Column]
    rows: list[dict[str, Any]]


def _opened(model: RegisteredModel, data: bytes, about: ForeignModel) -> _Opened:
    """Open the file in a process of its own."""
    check_taken(model)
    form = _form(data)
    columns = _columns(model, about)
    rows = _rows(columns, about)
    reply = open_apart(
        data,
        form,
        columns=columns,
        classes=[str(label) for label in about.classes] if _has_classes(model) else None,
        rows=rows,
        spare=not about.columns,
    )
    by_name = {column.name: column for column in columns}
    return _Opened(form, reply, [by_name[name] for name in reply.columns if name in by_name], rows)


def check_taken(model: RegisteredModel) -> None:
    """Raise ForeignModelRefused where the model's kind of problem has no common form of answer."""
    if model.problem_type not in TAKEN:
        raise ForeignModelRefused(
            f"{model.name} {model.purpose}; only models that predict a class or a number can be imported, "
            "since others have no common way to answer. Train it here instead."
        )


def _has_classes(model: RegisteredModel) -> bool:
    return model.problem_type == "classification"


def _form(data: bytes) -> Form:
    """Return what the content is; raises ForeignModelRefused. Of a zip no more than its list is read."""
    if len(data) > LARGEST_FILE:
        raise ForeignModelRefused(f"The file is larger than {LARGEST_FILE:,} bytes. Send a smaller model.")
    try:
        form = recognise(data)
        if form is Form.SKOPS:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = archive.infolist()
            check_entries(entries, SKOPS_ENTRY.fullmatch, "skops file")
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > LARGEST_UNPACKED:
                raise Refused(f"The skops file unpacks to {unpacked:,} bytes. Send a smaller model.")
    except (Refused, InvalidArchive) as error:
        raise ForeignModelRefused(str(error)) from error
    except zipfile.BadZipFile as error:
        raise ForeignModelRefused("The skops file is damaged or cut off. Send it again, whole.") from error
    return form


def _columns(model: RegisteredModel, about: ForeignModel) -> list[Column]:
    """Return the version's columns: those given, else the dataset's but the target; raises InvalidColumns."""
    if about.columns:
        columns = given_columns(about.columns)
    elif about.dataset is not None:
        found = columns_from_json(about.dataset.columns)
        columns = [one for one in found if one.name != model.target and one.type not in UNUSED_TYPES]
    else:
        raise InvalidColumns("Say which columns the model takes, or name a dataset that has them.")
    if any(column.name == model.target for column in columns):
        raise InvalidColumns(f"{model.target} is what the model predicts. Leave it out of its columns.")
    return columns


def _rows(columns: list[Column], about: ForeignModel) -> list[dict[str, Any]]:
    """Return rows to try the file on: the dataset's first, the example given, or one made up."""
    if about.dataset is not None:
        frame = dataset_frame(about.dataset).head(EXAMPLE_ROWS)
        missing = [column.name for column in columns if column.name not in frame]
        if missing:
            raise InvalidColumns(f"{about.dataset} has no columns {', '.join(missing)[:300]}.")
        return frame_rows(coerce_frame(frame, columns), columns)
    row = dict(about.example) or made_up_row(columns)
    errors = check_rows([row], columns)
    if errors:
        raise InvalidRows("The example row does not fit the columns.", fields=errors)
    return [row]


def _stored(data: bytes, form: Form, reply: Reply) -> bytes:
    """Return what is kept: the file as it came, of an ONNX file with the meaning of its inputs beside it."""
    if form is Form.SKOPS:
        return data
    from registry.exchange.onnx_files import with_binding  # onnx takes a while to load, and is rarely needed

    return with_binding(data, msgspec.json.encode(reply.binding))


def _example_dataset(
    model: RegisteredModel, columns: list[Column], rows: list[dict[str, Any]], by: Actor
) -> Dataset:
    """Freeze the example row: every version names the data behind it, and of this one there is no more."""
    names = {column.name for column in columns}
    marks = {name: mark for name, mark in model_marks(model).items() if name in names}
    dataset, _ = freeze(
        name=f"Example row of an import into {model.name}",
        frame=rows_frame(rows, columns),
        by=by,
        origin={"kind": "import"},
        model=model,
        personal=marks,
    )
    return dataset


def _described(
    model: RegisteredModel,
    plan: Plan,
    dataset: Dataset,
    about: ForeignModel,
    reply: Reply,
    rows: list[dict[str, Any]],
) -> TrainedModel:
    """Return the version's record, measured on the dataset's rows with a target where one was named."""
    columns, measured = list(plan.columns), _Measured()
    if about.dataset is not None:
        measured = _measure(model, plan, about.dataset)
        marks = dataset_marks(about.dataset)
        if marks:
            columns = [msgspec.structs.replace(one, personal=marks.get(one.name)) for one in columns]
    return TrainedModel(
        pipeline=plan.pipeline,
        algorithm=reply.algorithm[:50] or "imported",
        params={},
        features=columns,
        classes=reply.classes,
        metrics=measured.metrics,
        cv_metrics={},
        importance=[],
        reference=measured.reference,
        dataset=dataset,
        holdout_rows=measured.rows,
        environment={name: release_of(name) for name in LIBRARIES},
        sample=rows_frame(rows, plan.columns),
        seed=None,
    )


@dataclass(frozen=True)
class _Measured:
    metrics: dict[str, float] = field(default_factory=dict)
    reference: dict[str, Any] = field(default_factory=dict)
    rows: int = 0


def _measure(model: RegisteredModel, plan: Plan, dataset: Dataset) -> _Measured:
    """Score the version on every row that has a target: nobody knows which of them it was trained on."""
    frame: pd.DataFrame = dataset_frame(dataset)
    features = coerce_frame(frame, plan.columns)
    try:
        answers = plan.predict(features)
    except PlatformError as error:
        raise ForeignModelRefused(f"The file cannot answer the rows of {dataset}: {error.detail}") from error
    reference = reference_of(model.problem, plan.columns, features, answers)
    if model.target not in frame:
        return _Measured(reference=reference)
    target = model.problem.clean_target(frame[model.target])
    known = features.index.isin(target.index)
    metrics = model.problem.score(target.to_numpy(), answers.take(known))
    return _Measured(metrics, reference, int(known.sum()))
