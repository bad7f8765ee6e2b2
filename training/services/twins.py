"""Making a trained model's twin, in the process that fitted it, without ever failing its job."""

import logging
import time
from typing import Any

import msgspec
import pandas as pd

from registry.errors import ArtifactCorrupt
from registry.inference.agreement import check_twin
from registry.inference.native import predict
from registry.inference.plan import FAILURES
from registry.inference.twins import ONNX_FAILURES, StoredTwin, TwinReport, open_twin
from registry.tabular.schema import Column
from training.twins import NoTwin, make_twin

logger = logging.getLogger(__name__)
CHECK_SECONDS = 15.0


def twin_of(
    pipeline: Any, classes: list[str] | None, frame: pd.DataFrame, columns: list[Column], tolerance: float
) -> StoredTwin:
    """Return the model's twin, accepted on real rows, or the reason why there is none.

    Whatever goes wrong here is a reason and no failure of the training: the original answers as well.
    """
    started = time.monotonic()
    try:
        data = make_twin(pipeline, classes)
        report = check_twin(
            open_twin(data),
            lambda part: predict(pipeline, part, classes),
            frame,
            columns,
            tolerance=tolerance,
            seconds=CHECK_SECONDS,
        )
    except NoTwin as error:
        data, report = b"", TwinReport(reason=str(error), tolerance=tolerance)
    except MemoryError:
        data, report = (
            b"",
            TwinReport(reason="The job's memory did not suffice to make it.", tolerance=tolerance),
        )
    except (ArtifactCorrupt, *FAILURES, *ONNX_FAILURES) as error:
        logger.warning("A twin could not be made.", exc_info=True)
        told = f"Making it failed ({type(error).__name__}); the log of the worker tells more."
        data, report = b"", TwinReport(reason=told, tolerance=tolerance)
    report = msgspec.structs.replace(report, seconds=round(time.monotonic() - started, 3))
    return StoredTwin(b"" if report.reason else data, report)
