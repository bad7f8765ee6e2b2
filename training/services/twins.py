"""Making a trained model's twin, in the process that fitted it, without ever failing its job."""

import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pandas as pd

from registry.errors import ArtifactCorrupt
from registry.inference.agreement import Answering, check_twin
from registry.inference.errors import NoTwin
from registry.inference.native import predict
from registry.inference.plan import FAILURES
from registry.inference.twins import ONNX_FAILURES, StoredTwin, TwinReport, open_twin
from registry.inference.walking import Walker
from registry.problems.base import Predictions
from registry.tabular.schema import Column

logger = logging.getLogger(__name__)
CHECK_SECONDS = 15.0


def twin_of(
    pipeline: Any, classes: list[str] | None, frame: pd.DataFrame, columns: list[Column], tolerance: float
) -> StoredTwin:
    """Return the model's twin, accepted on real rows, or the reason why there is none.

    Where there is none, it is tried whether its stand-ins agree (``registry.inference.walking``). Whatever
    goes wrong here is a reason and no failure of the training: the original answers as well.
    """
    data = b""

    def twin() -> Answering:
        nonlocal data
        from training.twins import make_twin  # loads what writes ONNX, which answering never needs

        data = make_twin(pipeline, classes)
        return open_twin(data)

    def tried(make: Callable[[], Answering]) -> TwinReport:
        return _tried(make, lambda part: predict(pipeline, part, classes), frame, columns, tolerance)

    report = tried(twin)
    if not report.reason:
        return StoredTwin(data, report)
    walked = tried(lambda: Walker(pipeline, columns, classes))
    return StoredTwin(b"", msgspec.structs.replace(report, walked=walked))


def _tried(
    make: Callable[[], Answering],
    ask: Callable[[pd.DataFrame], Predictions],
    frame: pd.DataFrame,
    columns: list[Column],
    tolerance: float,
) -> TwinReport:
    """Make another engine and compare it with the original; whatever goes wrong is the report's reason."""
    started = time.monotonic()
    try:
        report = check_twin(make(), ask, frame, columns, tolerance=tolerance, seconds=CHECK_SECONDS)
    except NoTwin as error:
        report = TwinReport(reason=str(error), tolerance=tolerance)
    except MemoryError:
        report = TwinReport(reason="The job's memory did not suffice to make it.", tolerance=tolerance)
    except (ArtifactCorrupt, *FAILURES, *ONNX_FAILURES) as error:
        logger.warning("A twin could not be made.", exc_info=True)
        told = f"Making it failed ({type(error).__name__}); the log of the worker tells more."
        report = TwinReport(reason=told, tolerance=tolerance)
    return msgspec.structs.replace(report, seconds=round(time.monotonic() - started, 3))
