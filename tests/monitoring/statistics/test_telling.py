"""Changes of a column in sentences."""

from typing import Any

import pytest

from monitoring.statistics.telling import column_in_words

NUMBERS: dict[str, Any] = {"edges": [1.0, 2.0, 3.0], "counts": [25, 25, 25, 25], "missing": 0}
WARDS: dict[str, Any] = {"categories": ["north", "south"], "counts": [60, 40], "other": 0, "missing": 0}


@pytest.mark.parametrize(
    ("reference", "changes", "names", "said"),
    [
        (NUMBERS, {}, {}, []),
        (NUMBERS, {"counts": [0, 0, 0, 0]}, {}, []),
        (
            NUMBERS,
            {"counts": [10, 10, 10, 70]},
            {},
            [
                "The middle value went up, from 1 to 2 to above 3.",
                "Values above 3 went up from 25% to 70%.",
            ],
        ),
        (NUMBERS, {"missing": 100}, {}, ["Missing values went up from 0% to 50%."]),
        (
            WARDS,
            {"counts": [50, 0], "other": 50},
            {"appeared": ["west"], "vanished": ["south"]},
            [
                "Other values went up from 0% to 50%.",
                "“south” went down from 40% to 0%.",
                "“north” went down from 60% to 50%.",
                "New: “west”.",
                "No longer seen: “south”.",
            ],
        ),
        (WARDS, {"counts": [6, 0]}, {"vanished": ["south"]}, [
            "“north” went up from 60% to 100%.", "“south” went down from 40% to 0%.",
        ]),
    ],
)  # fmt: skip
def test_a_column_in_words(
    reference: dict[str, Any], changes: dict[str, Any], names: dict[str, Any], said: list[str]
) -> None:
    assert column_in_words(reference, {**reference, **changes}, **names) == said
