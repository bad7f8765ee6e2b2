"""What a slice looked like in training: its own reference, on the bins of the version's."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

import pandas as pd

from mlplatform.errors import PlatformError
from monitoring.frames import is_watched
from monitoring.services.places import Part
from monitoring.statistics.grouping import Groups
from monitoring.statistics.slices import slices_of
from registry.models import ModelVersion
from registry.privacy.treatment import marks_of
from registry.services.pseudonyms import treater
from registry.services.samples import dataset_sample
from registry.tabular.histograms import codes_on, counts_of_codes, width_of
from registry.tabular.schema import coerce_frame, columns_from_json

MOST_ROWS = 20_000  # of the training rows: a slice of a twentieth has a thousand
FEWEST_ROWS = 30
MOST_KEPT = 64
References = Mapping[str, dict[str, Any]]
_known: OrderedDict[tuple[int, str], dict[Part, References]] = OrderedDict()
_lock = Lock()


def reference_of_slice(version: ModelVersion, part: Part) -> References:
    """Return the histograms of the slice's training rows by feature, from at most 20,000 of all rows.

    Women differ from all people, and that is no drift: a slice is held against itself. Empty where fewer than
    30 training rows are in the slice, or the training rows are kept no more. What a process has counted it
    keeps, as long as the slices stay.
    """
    key = (version.pk, json.dumps(version.model.slices, sort_keys=True))
    with _lock:
        found = _known.get(key)
    if found is None:
        found = _counted(version)
        with _lock:
            _known[key] = found
            while len(_known) > MOST_KEPT:
                _known.popitem(last=False)
    return found.get(part, {})


def _counted(version: ModelVersion) -> dict[Part, References]:
    try:
        rows = _training_rows(version)
    except PlatformError:  # the rows are kept no more: a slice then has no reference, which callers tell
        return {}
    parts = {
        Part(column, value): places
        for column, rule in version.model.slices.items()
        if column in rows
        for value, places in slices_of(rule, rows[column]).items()
        if len(places) >= FEWEST_ROWS
    }
    groups = Groups.made_of(list(parts.values()))
    found: dict[Part, dict[str, dict[str, Any]]] = {part: {} for part in parts}
    for name in rows:
        bins = version.reference[str(name)]
        table = groups.table(codes_on(bins, rows[name]), width_of(bins)).tolist()
        for part, counts in zip(parts, table, strict=True):
            found[part][str(name)] = {**bins, **counts_of_codes(bins, counts)}
    return dict(found)


def _training_rows(version: ModelVersion) -> pd.DataFrame:
    columns = [
        one
        for one in columns_from_json(version.features)
        if is_watched(one) and one.name in version.reference
    ]
    rows = dataset_sample(version.dataset, [column.name for column in columns], MOST_ROWS)
    # A dataset keeps true values, the log pseudonyms.
    return treater(marks_of(columns)).frame(coerce_frame(rows, columns))
