"""The version answers fast enough on this machine."""

import time
from typing import Annotated

import numpy as np
from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.tabular.schema import coerce_frame

WARM_UP = 3
BATCH = 1000


class LatencyParameters(Parameters, frozen=True):
    """How fast."""

    milliseconds: Annotated[
        float,
        Meta(gt=0, le=60_000, description="95 of 100 answers for one row take no longer than this."),
    ] = 100.0
    calls: Annotated[
        int, Meta(ge=20, le=1000, description="How often it is asked; more are steadier and slower.")
    ] = 50


def check(evidence: Evidence, parameters: LatencyParameters) -> Verdict:
    """Ask for single rows and take the times, from checked columns to a JSON-ready answer.

    What the network, the log and the queue add is not in them. Raises CannotPredict.
    """
    plan, frame = evidence.plan(evidence.candidate), evidence.holdout().frame
    if frame.empty:
        return False, "There is no hold-out row to ask it.", {"calls": 0}
    times = []
    for call in range(WARM_UP + parameters.calls):
        row = frame.iloc[[call % len(frame)]]
        started = time.perf_counter()
        plan.answers(coerce_frame(row, plan.columns))
        times.append((time.perf_counter() - started) * 1000)
    half, slow = np.quantile(times[WARM_UP:], [0.5, 0.95])
    rows = frame.head(BATCH)
    started = time.perf_counter()
    plan.answers(coerce_frame(rows, plan.columns))
    each = (time.perf_counter() - started) * 1000 / len(rows)
    numbers = {
        "calls": parameters.calls,
        "p50_ms": round(float(half), 3),
        "p95_ms": round(float(slow), 3),
        "allowed_ms": parameters.milliseconds,
        "batch_rows": len(rows),
        "batch_ms_per_row": round(each, 4),
    }
    sentence = (
        f"95 of 100 single rows were answered within {slow:.3g} ms, half within {half:.3g} ms; allowed are "
        f"{parameters.milliseconds:g} ms. In a batch a row takes {each:.3g} ms."
    )
    return bool(slow <= parameters.milliseconds), sentence, numbers


LATENCY = Gate(
    "latency",
    "Fast enough on this machine",
    "How long the version takes for a row, measured on the machine that runs the gate.",
    check,
    LatencyParameters,
)
