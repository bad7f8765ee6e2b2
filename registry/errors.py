"""What can go wrong with datasets, models, versions, deployments and predictions."""

from collections.abc import Sequence
from typing import Any

from mlplatform.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable


class DatasetNotFound(NotFound):
    """No such dataset in this tenant."""

    code = "dataset_not_found"


class DatasetHidden(Conflict):
    """The content is there already, as the data of a model that is not there for whoever asks."""

    code = "dataset_hidden"


class DatasetCorrupt(Unavailable):
    """The stored file is missing, or is not what was frozen."""

    code = "dataset_corrupt"


class UnusableTable(InvalidInput):
    """The frame cannot be frozen as it is."""

    code = "unusable_table"


class InvalidMarks(InvalidInput):
    """The columns cannot be marked personal like that."""

    code = "invalid_marks"


class InvalidColumns(InvalidInput):
    """The columns cannot be described like that; ``fields`` says which and why."""

    code = "invalid_columns"


class InvalidChoice(InvalidInput):
    """The dataset cannot be anonymised with these columns and this group size."""

    code = "invalid_choice"


class ModelNotFound(NotFound):
    """No model of this name in this tenant."""

    code = "model_not_found"


class ModelExists(Conflict):
    """The name is taken."""

    code = "model_exists"


class InvalidModel(InvalidInput):
    """The model's name, problem type or target cannot be used."""

    code = "invalid_model"


class VersionNotFound(NotFound):
    """The model has no version of this number."""

    code = "version_not_found"


class VersionOfAnotherModel(InvalidInput):
    """The version belongs to another model."""

    code = "version_of_another_model"


class VersionNotReady(Conflict):
    """The version failed its smoke test or is archived."""

    code = "version_not_ready"


class AlreadyChampion(Conflict):
    """The version runs already."""

    code = "already_champion"


class NoChampion(Conflict):
    """The model has no champion, so nothing can answer."""

    code = "no_champion"


class NoBounds(Conflict):
    """The version cannot say how sure its answers are."""

    code = "no_bounds"


class PromotionRaced(Conflict):
    """Somebody else changed what runs at the same moment."""

    code = "promotion_raced"


class NothingToRollBackTo(Conflict):
    """There is no earlier champion."""

    code = "nothing_to_roll_back_to"


class ReasonMissing(InvalidInput):
    """Passing over a failed gate needs a reason."""

    code = "reason_missing"


class GateFailed(Conflict):
    """The version did not pass its gates; ``results`` holds every gate's verdict."""

    code = "gate_failed"

    def __init__(self, detail: str, *, results: Sequence[dict[str, Any]]) -> None:
        super().__init__(detail, fields=results)
        self.results = list(results)


class ArtifactCorrupt(Unavailable):
    """The artefact is missing, changed, or not signed by this installation."""

    code = "artifact_corrupt"


class StorageUnavailable(Unavailable):
    """The storage takes no file: it is full, gone, or not ours to write."""

    code = "storage_unavailable"


class CannotPredict(Unavailable):
    """The loaded model failed on rows that fit its schema."""

    code = "cannot_predict"


class InvalidRows(InvalidInput):
    """Rows that the version cannot be asked with; ``fields`` lists row, field, code and message."""

    code = "invalid_rows"

    def __init__(self, detail: str, *, fields: Sequence[dict[str, Any]]) -> None:
        super().__init__(detail, fields=fields)
        self.errors = list(fields)


class UnreadableRows(InvalidInput):
    """The file does not hold a table of rows."""

    code = "unreadable_rows"


class PredictionNotFound(NotFound):
    """No such prediction in this tenant."""

    code = "prediction_not_found"


class InvalidArchive(InvalidInput):
    """The file is no archive of a tenant, or was changed since it was written."""

    code = "invalid_archive"


class UntrustedArchive(NotAllowed):
    """The archive is not signed by this installation, and models in it are code."""

    code = "untrusted_archive"


class InvalidSearch(InvalidInput):
    """The text is no search that can be answered."""

    code = "invalid_search"


class InvalidTags(InvalidInput):
    """The tags cannot be kept like that."""

    code = "invalid_tags"


class UnknownMetric(InvalidInput):
    """The model's problem has no such metric, or no version a value of it."""

    code = "unknown_metric"


class NothingRan(NotFound):
    """Nothing answered for the model at that time."""

    code = "nothing_ran"


class InvalidGates(InvalidInput):
    """The gates, or their parameters, cannot be chosen like that; ``fields`` names each gate."""

    code = "invalid_gates"


class AliasNotFound(NotFound):
    """The model has no alias of this name."""

    code = "alias_not_found"


class InvalidAlias(InvalidInput):
    """The name cannot be an alias."""

    code = "invalid_alias"


class RequestNotFound(NotFound):
    """No such promotion request in this tenant."""

    code = "request_not_found"


class RequestOpen(Conflict):
    """The version is proposed already."""

    code = "request_open"


class RequestClosed(Conflict):
    """The request was decided, withdrawn, overtaken, or its time is over."""

    code = "request_closed"


class ApprovalNeeded(Conflict):
    """The model asks for a second person's approval."""

    code = "approval_needed"
