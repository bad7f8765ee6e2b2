"""How a training is to be measured: which rows are held out, and which groups are compared."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from registry.models import RegisteredModel
from registry.tabular.schema import Column, ColumnType
from registry.tabular.splits import HOLDOUT_SHARE, Split
from training.errors import InvalidConfig, UnusableData
from training.services.evaluations import personal_groups_allowed

MOST_FAIR = 5
LEAST_SHARE, MOST_SHARE = 0.05, 0.5  # of the rows held out


class Fairness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns whose groups are compared, and the label that people hope for."""

    columns: list[str] = []
    favourable: str | None = None


def split_of(config: Mapping[str, Any]) -> Split:
    """Return the rule by which the job's rows are held out; by content where it names none."""
    share = config.get("holdout", HOLDOUT_SHARE)
    return msgspec.convert({"share": share} | (config.get("split") or {}), Split)


def checked_share(raw: Any) -> float:
    """Return the share of the rows to hold out; raises InvalidConfig."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not LEAST_SHARE <= raw <= MOST_SHARE:
        raise _wrong(
            "holdout",
            f"The hold-out is from {LEAST_SHARE:.0%} to {MOST_SHARE:.0%} of the rows: "
            f"a number from {LEAST_SHARE} to {MOST_SHARE}.",
        )
    return float(raw)


def checked_split(model: RegisteredModel, raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the rule as it is stored, None for the usual one; raises InvalidConfig."""
    if not raw["split"]:
        return None
    try:
        split = msgspec.convert(raw["split"], Split)
    except msgspec.ValidationError as error:
        raise _wrong("split", f"The rows cannot be split like this: {error}.") from error
    if split.kind == "content" and split.column is None:
        return None
    if split.cutoff is not None or "share" in raw["split"]:
        raise _wrong("split", "The cut-off follows from the data, the share from holdout: leave it out.")
    if split.kind == "content" or not split.column:
        raise _wrong("split", 'Give {"kind": "group", "column": ...} or {"kind": "time", "column": ...}.')
    if split.column == model.target:
        raise _wrong("split", f"{split.column} is what the model predicts; split by another column.")
    if split.kind == "time" and (raw["threshold"] or raw["calibrate"] != "none"):
        raise _wrong(
            "split",
            "In order of time not every row is tested, so neither calibration nor threshold can be learnt. "
            "Leave those out, or split by content or group.",
        )
    return {"kind": split.kind, "column": split.column}


def checked_fairness(model: RegisteredModel, raw: Any) -> dict[str, Any] | None:
    """Return the comparison of groups as it is stored; raises InvalidConfig."""
    if not raw:
        return None
    try:
        wanted = msgspec.convert(raw, Fairness)
    except msgspec.ValidationError as error:
        raise _wrong("fairness", f"Groups cannot be compared like this: {error}.") from error
    if not 0 < len(wanted.columns) <= MOST_FAIR:
        raise _wrong("fairness", f"Name 1 to {MOST_FAIR} columns whose groups are to be compared.")
    if wanted.favourable is not None and model.problem_type != "classification":
        raise _wrong("fairness", "A number has no favourable class: leave favourable out.")
    return {"columns": wanted.columns, "favourable": wanted.favourable}


def check_measured_columns(
    columns: Mapping[str, Column], personal: Collection[str], config: Mapping[str, Any]
) -> None:
    """Raise UnusableData where the dataset lacks a column that the config names, or it may not serve."""
    split = split_of(config)
    fair = (config.get("fairness") or {}).get("columns", [])
    named = [("split", split.column)] if split.column else []
    for field, name in [*named, *(("fairness", one) for one in fair)]:
        if name not in columns:
            raise UnusableData(
                f"The dataset has no column {name!r}. Its columns: {', '.join(list(columns)[:20])}.",
                fields={field: [f"The dataset has no column {name!r}."]},
            )
    if split.kind == "time" and split.column in personal:
        raise UnusableData(
            f"{split.column} is personal, and the cut-off would tell one of its values. "
            "Split by another column.",
            fields={"split": ["This column is personal."]},
        )
    if split.kind == "time" and split.column and columns[split.column].type is not ColumnType.date:
        raise UnusableData(
            f"{split.column} holds {columns[split.column].type}, not dates, so rows cannot be put in order "
            "by it.",
            fields={"split": ["This column holds no dates."]},
        )
    told = sorted(set(fair) & set(personal))
    if told and not personal_groups_allowed():
        raise UnusableData(
            f"{', '.join(told)} is personal, so its groups are not shown. Keep a coarser column for this "
            "(an age band, a region), take the mark off, or ask an admin to switch on, in the tenant's "
            "settings, that groups of personal columns are measured.",
            fields={"fairness": [f"Personal: {', '.join(told)}."]},
        )


def _wrong(field: str, sentence: str) -> InvalidConfig:
    return InvalidConfig(sentence, fields={field: [sentence]})
