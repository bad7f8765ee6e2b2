"""Making the twin of a version that was registered already: an old one, or one whose model asks for another
tolerance.
"""

from typing import Any

import pandas as pd

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back, locked_usage, take_room
from registry.frames import dataset_frame
from registry.inference.agreement import MOST_ROWS
from registry.models import ModelVersion
from registry.services.gates import unseen_rows
from registry.services.loading import load_fresh
from registry.services.promotion import check_deployable, hold_ready
from registry.services.twins import store_twin, twin_facts
from registry.storage import demand_stored
from registry.tabular.schema import coerce_frame, columns_from_json
from training.services.twins import twin_of

WITHOUT: dict[str, Any] = {"twin_file": "", "twin_hash": "", "twin_signature": "", "twin_bytes": 0}
TOLD = ("made", "reason", "difference", "tolerance")


def make_twin_of(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """Make the version's twin anew, tried on its own data by the tolerance that its model asks for now.

    It takes the place of the one before. Where none can be made, or it does not agree, the version has none
    and says why. This takes seconds, so hold no transaction. Raises VersionNotReady, ArtifactCorrupt,
    DatasetCorrupt, SchemaMismatch, NoRoom.
    """
    check_deployable(version.model, version)
    columns = columns_from_json(version.features)
    rows = coerce_frame(_rows_to_try(version), columns)
    made = twin_of(load_fresh(version), version.classes, rows, columns, version.model.twin_tolerance)
    stored = WITHOUT | store_twin(made)
    before = twin_facts(version)
    with tenant_transaction():
        locked_usage()  # so that the sweep of files does not take it before it is named
        hold_ready(version)
        give_back(storage_bytes=_bytes_now(version))
        take_room(storage_bytes=stored["twin_bytes"])
        if stored["twin_file"]:
            demand_stored(stored["twin_file"])
        ModelVersion.objects.filter(pk=version.pk).update(**stored)
        for name, value in stored.items():
            setattr(version, name, value)
        after = twin_facts(version)
        record(
            by=by,
            action="version.twin_made",
            target=version,
            before={name: before[name] for name in TOLD},
            after={name: after[name] for name in TOLD},
        )
    return version


def _bytes_now(version: ModelVersion) -> int:
    """What the twin takes by now: somebody else may have made one at the same moment."""
    return ModelVersion.objects.values_list("twin_bytes", flat=True).get(pk=version.pk)


def _rows_to_try(version: ModelVersion) -> pd.DataFrame:
    """Return real rows as they may come: those held out, then those learnt from."""
    with tenant_transaction():
        dataset = version.dataset
    frame = dataset_frame(dataset)
    unseen = unseen_rows(frame, version.model, [version])
    return pd.concat([frame[unseen], frame[~unseen]]).head(MOST_ROWS)
