"""One spelling for a value that may arrive as a number, a boolean or text."""

import math
from typing import Any, SupportsFloat

import numpy as np
import pandas as pd


def label_text(value: object) -> str:
    """The canonical text of one value: 1, 1.0 and True-ish numbers from any source spell the same label.

    >>> label_text(1.0), label_text(True), label_text(" yes "), label_text(0.5)
    ('1', 'true', 'yes', '0.5')
    """
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return _number_text(value)
    return str(value).strip()


def _number_text(value: SupportsFloat) -> str:
    number = float(value)
    return str(int(number)) if math.isfinite(number) and number.is_integer() else repr(number)


def as_text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """A series as ``str`` dtype in canonical spelling; missing stays missing, blank text becomes missing."""
    if pd.api.types.is_string_dtype(values) and not pd.api.types.is_object_dtype(values):
        text = values.str.strip()
    else:
        # Spelling each distinct value once is much cheaper than spelling each row.
        codes, distinct = pd.factorize(values)
        spelt = pd.array([label_text(value) for value in distinct], dtype="str")
        text = pd.Series(spelt.take(codes, allow_fill=True), index=values.index, name=values.name)
    return text.mask(text == "")
