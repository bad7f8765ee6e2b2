"""One version as a file for other programs: skops, ONNX, or the model folder of MLflow."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.artifacts.formats import form_of, load
from registry.errors import CannotExport, DatasetCorrupt
from registry.exchange.content import Form, Refused
from registry.exchange.mlflow_folder import Packed, model_folder
from registry.frames import dataset_frame
from registry.inference.files import frame_rows
from registry.models import ModelVersion
from registry.services.foreign_columns import made_up_row
from registry.services.loading import verified_bytes
from registry.services.personal import model_marks
from registry.services.twins import twin_facts
from registry.tabular.schema import Column, SchemaMismatch, coerce_frame, columns_from_json

EXAMPLE_ROWS = 3


class ExportFormat(StrEnum):
    """How a version leaves."""

    SKOPS = "skops"
    ONNX = "onnx"
    MLFLOW = "mlflow"


ENDINGS = {ExportFormat.SKOPS: "skops", ExportFormat.ONNX: "onnx", ExportFormat.MLFLOW: "mlflow.zip"}
FORMAT_WORDS = {
    ExportFormat.SKOPS: "skops: the fitted pipeline for Python programs, no pickle",
    ExportFormat.ONNX: "ONNX: for any language and runtime, each column an input",
    ExportFormat.MLFLOW: "MLflow model folder (zip), for mlflow.pyfunc.load_model",
}


@dataclass(frozen=True)
class ExportedVersion:
    """A file on its way."""

    name: str
    media_type: str
    data: bytes


def export_version(*, version: ModelVersion, form: str, by: Actor) -> ExportedVersion:
    """Return the version in the format asked for, after hash and signature of what is stored were checked.

    Raises InvalidInput for an unknown format, ArtifactCorrupt, and CannotExport where the format cannot say
    what the version does.
    """
    if form not in set(ExportFormat):
        hint = f"Choose {', '.join(ExportFormat)}."
        raise InvalidInput(f"There is no format {form[:40]!r}. {hint}", fields={"format": [hint]})
    kind = ExportFormat(form)
    try:
        data = WRITERS[kind](version)
    except Refused as error:
        raise CannotExport(f"{version} cannot be written as {kind.value}: {error}") from error
    with tenant_transaction():
        record(by=by, action="version.exported", target=version, format=kind.value, bytes=len(data))
    media_type = "application/zip" if kind is ExportFormat.MLFLOW else "application/octet-stream"
    return ExportedVersion(f"{version.model.name}-v{version.number}.{ENDINGS[kind]}", media_type, data)


def _skops(version: ModelVersion) -> bytes:
    data = verified_bytes(version)
    form = form_of(data)
    if form is Form.ONNX:
        raise Refused("it came as ONNX and has no pipeline. Export it as ONNX.")
    if form is Form.SKOPS:
        return data
    from registry.exchange.skops_files import dump_skops  # loads all of scikit-learn, which most never need

    return dump_skops(load(data))


def _onnx(version: ModelVersion) -> bytes:
    data = verified_bytes(version)
    if form_of(data) is Form.ONNX:
        return data
    if not version.twin_file:
        raise Refused(twin_facts(version)["reason"] or "it has no twin in ONNX. Export it as skops.")
    from registry.exchange.portable import portable  # onnx takes a while to load, and is rarely needed

    return portable(verified_bytes(version, "twin"), columns_from_json(version.features))


def _mlflow(version: ModelVersion) -> bytes:
    columns = columns_from_json(version.features)
    data = verified_bytes(version)
    form, trusted = "onnx", []
    if form_of(data) is not Form.ONNX:
        from registry.exchange.skops_files import foreign_types  # as above

        form, data = "skops", _skops(version)
        trusted = foreign_types(data)
    return model_folder(
        Packed(
            name=version.model.name,
            number=version.number,
            form=form,
            data=data,
            columns=columns,
            classes=version.classes,
            trusted=trusted,
            example=_example(version, columns),
            created_at=version.created_at.isoformat(),
        )
    )


def _example(version: ModelVersion, columns: list[Column]) -> list[dict[str, Any]]:
    """Return rows that show what the version takes: real ones only where no column is personal."""
    if not model_marks(version.model):
        with suppress(DatasetCorrupt, SchemaMismatch):  # the data stayed where the version came from
            frame = coerce_frame(dataset_frame(version.dataset).head(EXAMPLE_ROWS), columns)
            return frame_rows(frame, columns)
    return [made_up_row(columns)]


WRITERS = {ExportFormat.SKOPS: _skops, ExportFormat.ONNX: _onnx, ExportFormat.MLFLOW: _mlflow}
