"""Errors of datasets, rows and stored files."""

from collections.abc import Sequence
from typing import Any

from mlplatform.errors import Conflict, InvalidInput, NotFound, Unavailable


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


class StorageUnavailable(Unavailable):
    """The storage takes no file: it is full, gone, or not ours to write."""

    code = "storage_unavailable"


class InvalidRows(InvalidInput):
    """Rows that the version cannot be asked with; ``fields`` lists row, field, code and message."""

    code = "invalid_rows"

    def __init__(self, detail: str, *, fields: Sequence[dict[str, Any]]) -> None:
        super().__init__(detail, fields=fields)
        self.errors = list(fields)


class UnreadableRows(InvalidInput):
    """The file does not hold a table of rows."""

    code = "unreadable_rows"
