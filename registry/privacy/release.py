"""Which of a dataset's columns leave it, and how: the table of an anonymised export."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from registry.privacy.anonymity import Anonymised, Identifiability, anonymise, identifiability
from registry.privacy.treatment import Treater
from registry.tabular.columns import NUMBER_TYPES, UNUSED_TYPES, Column, ColumnType, Treatment

SMALLEST_K, DEFAULT_K, LARGEST_K = 2, 5, 1_000
# Names of rows and free text single people out, and cannot be made coarser.
NEVER_WHOLE = UNUSED_TYPES | {ColumnType.text}
RANGED = (NUMBER_TYPES - {ColumnType.boolean}) | {ColumnType.date}


@dataclass(frozen=True)
class Choice:
    """What others may know of a person (``quasi``), what they must not learn, and the smallest group."""

    quasi: tuple[str, ...]
    sensitive: str | None = None
    k: int = DEFAULT_K
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """How identifying the data is as it stands, and the table that may leave."""

    before: Identifiability
    anonymised: Anonymised
    pseudonymised: list[str]
    left_out: list[str]


def release(frame: pd.DataFrame, columns: Sequence[Column], choice: Choice, treat: Treater) -> Release:
    """Make the table that may leave.

    Personal columns become pseudonyms or go, but for quasi-identifiers that are numbers or dates, which
    become ranges and months at least. Identifiers and free text go, unless they are pseudonyms or chosen.
    """
    kept = [column for column in columns if _leaves(column, choice)]
    ranged = {column.name for column in kept if column.name in choice.quasi and column.type in RANGED}
    marks = {name: mark for name, mark in treat.marks.items() if name not in ranged}
    table = Treater(marks, treat.key).frame(frame[[column.name for column in kept]])
    quasi = [column for column in kept if column.name in choice.quasi]
    names = [column.name for column in quasi]
    return Release(
        before=identifiability(frame, names, choice.sensitive),
        anonymised=anonymise(table, quasi, k=choice.k, sensitive=choice.sensitive),
        pseudonymised=[name for name in table.columns if name in marks],
        left_out=[column.name for column in columns if column.name not in table.columns],
    )


def _leaves(column: Column, choice: Choice) -> bool:
    if column.name in choice.leave_out or column.personal is Treatment.drop:
        return False
    chosen = column.name in choice.quasi or column.name == choice.sensitive
    return chosen or column.personal is not None or column.type not in NEVER_WHOLE
