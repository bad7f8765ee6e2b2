"""Numbers written with a decimal comma, such as 1.234,5: taken as numbers only where nothing else fits.

``1,234`` may be a little more than one, or a thousand. So a column counts as numbers with a decimal comma
where each of its values can be read so and at least one cannot be read otherwise.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

GAP = r"[. \x{00A0}\x{202F}']"  # what separates thousands
NUMBER = rf"^\s*[+-]?(\d{{1,3}}({GAP}\d{{3}})+|\d+)(,\d+)?([eE][+-]?\d+)?\s*$"
SURELY = rf"^\s*[+-]?(0,\d+|\d*,(\d{{1,2}}|\d{{4,}})|\d{{1,3}}({GAP}\d{{3}})+,\d+)([eE][+-]?\d+)?\s*$"
FIRST = 100  # values that tell most text from numbers at once


def could_be_numbers(text: pa.ChunkedArray) -> bool:
    """Tell whether each value of the text column can be read as a number with a decimal comma."""
    return _all(pc.match_substring_regex(text.slice(0, FIRST), NUMBER)) and _all(
        pc.match_substring_regex(text, NUMBER)
    )


def are_surely_numbers(text: pa.ChunkedArray) -> bool:
    """Tell whether a value can be read in no other way, as 1,5 or 1.234,5 can."""
    return bool(pc.any(pc.match_substring_regex(text, SURELY)).as_py())


def numbers(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values as float64; raises ``pa.ArrowInvalid`` for what is no such number."""
    plain = pc.replace_substring_regex(text, rf"{GAP}|\s", "")
    return pc.replace_substring(plain, ",", ".").cast(pa.float64())


def _all(flags: Any) -> bool:
    return pc.all(flags).as_py() is not False
