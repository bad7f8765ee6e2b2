"""The JSON forms of MLflow's scoring server: rows from a data frame, split or as records, or from tensors.

Four forms, of which a request holds exactly one (https://mlflow.org/docs/latest/ml/deployment): the data
frame's ``dataframe_split`` and ``dataframe_records``, and TensorFlow Serving's ``instances`` (row by row) and
``inputs`` (column by column). Rows without names have all columns that the model looks at, in its own order.
"""

from collections.abc import Callable, Sequence
from typing import Any

from registry.protocols.faults import check_count, check_once, fault, refused
from registry.tabular.schema import UNUSED_TYPES, Column

PARAMS, SIGNATURE = "params", "signature_name"
Rows = list[Any]
Reader = Callable[[Any, Sequence[Column], int], Rows]


def rows_in(body: Any, columns: Sequence[Column], most: int) -> Rows:
    """Return the rows of the one form in the body, at most so many; raises InvalidRows.

    Whether each row fits the columns is for ``check_rows`` to say.
    """
    if not isinstance(body, dict):
        raise refused([fault(None, "wrong_form", f"Send an object with one of: {', '.join(FORMS)}.")])
    unknown = [name for name in body if name not in FORMS and name not in (PARAMS, SIGNATURE)]
    if unknown:
        message = f"Unknown. Send one of {', '.join(FORMS)}, and {PARAMS} where wished."
        raise refused([fault(name, "unknown", message) for name in unknown])
    given = [name for name in FORMS if name in body]
    if len(given) != 1:
        message = f"Send exactly one of: {', '.join(FORMS)}."
        raise refused([fault(", ".join(given) or None, "wrong_form", message)])
    rows = FORMS[given[0]](body[given[0]], columns, most)
    check_count(len(rows), most)
    return rows


def _split(data: Any, columns: Sequence[Column], most: int) -> Rows:
    form = "dataframe_split"
    if not isinstance(data, dict) or not {"columns", "data"} <= set(data) <= {"columns", "data", "index"}:
        message = "Send an object with columns (names) and data (a list of rows)."
        raise refused([fault(form, "wrong_form", message)])
    names, rows = data["columns"], data["data"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise refused([fault("columns", "wrong_form", "Must be a list of names.")])
    check_once(names)
    return _named(_list(form, rows, most), names)


def _records(data: Any, columns: Sequence[Column], most: int) -> Rows:
    return _list("dataframe_records", data, most)  # what is no object is told by check_rows


def _instances(data: Any, columns: Sequence[Column], most: int) -> Rows:
    rows = _list("instances", data, most)
    if any(isinstance(row, dict) for row in rows):
        return rows
    return _named(_wrapped(rows, columns), _looked_at(columns))


def _inputs(data: Any, columns: Sequence[Column], most: int) -> Rows:
    if isinstance(data, list):
        return _instances(data, columns, most)
    if not isinstance(data, dict) or not data:
        message = "Send an object with a list of values for each column, or a list of rows."
        raise refused([fault("inputs", "wrong_form", message)])
    values = {name: _column(name, given) for name, given in data.items()}
    count = len(next(iter(values.values())))
    uneven = [
        fault(name, "wrong_shape", f"{len(column)} values, where the first column has {count}.")
        for name, column in values.items()
        if len(column) != count
    ]
    if uneven:
        raise refused(uneven)
    check_count(count, most)
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


FORMS: dict[str, Reader] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}


def _list(form: str, data: Any, most: int) -> Rows:
    if not isinstance(data, list):
        raise refused([fault(form, "wrong_form", "Must be a list of rows.")])
    check_count(len(data), most)
    return data


def _looked_at(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if column.type not in UNUSED_TYPES]


def _wrapped(rows: Rows, columns: Sequence[Column]) -> Rows:
    """Take single values for the rows of a model that looks at one column."""
    alone = len(_looked_at(columns)) == 1 and not any(isinstance(row, list) for row in rows)
    return [[row] for row in rows] if alone else rows


def _named(rows: Rows, names: Sequence[str]) -> Rows:
    wrong = [
        fault(None, "wrong_shape", f"Must be a list of {len(names)} values, one for each column.", place)
        for place, row in enumerate(rows)
        if not isinstance(row, list) or len(row) != len(names)
    ]
    if wrong:
        raise refused(wrong)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _column(name: str, given: Any) -> list[Any]:
    """Return a column's values from a list of them, or of lists of one each, as of a tensor [n, 1]."""
    if not isinstance(given, list):
        raise refused([fault(name, "wrong_form", "Must be a list with a value for each row.")])
    if given and all(isinstance(one, list) and len(one) == 1 for one in given):
        return [one[0] for one in given]
    return given
