"""The version answers fast enough on this machine."""

import time
from typing import Annotated

import numpy as np
from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.inference.engines import ENGINE_WORDS
from registry.inference.files import frame_rows
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
    """Ask for single rows as clients do, and take the times, from checked rows to a JSON-ready answer.

    Whoever would answer a client is timed: for small requests the twin, where there is one. What the network,
    the log and the queue add is not in them. Raises CannotPredict.
    """
    plan, frame = evidence.plan(evidence.candidate), evidence.holdout().frame
    if frame.empty:
        return False, "There is no hold-out row to ask it.", {"calls": 0}
    rows = frame_rows(coerce_frame(frame.head(BATCH), plan.columns), plan.columns)
    times = []
    for call in range(WARM_UP + parameters.calls):
        row = rows[call % len(rows)]
        started = time.perf_counter()
        engine = plan.ask([row]).engine
        times.append((time.perf_counter() - started) * 1000)
    half, slow = np.quantile(times[WARM_UP:], [0.5, 0.95])
    started = time.perf_counter()
    batch_engine = plan.ask(rows).engine
    each = (time.perf_counter() - started) * 1000 / len(rows)
    numbers = {
        "calls": parameters.calls,
        "p50_ms": round(float(half), 3),
        "p95_ms": round(float(slow), 3),
        "allowed_ms": parameters.milliseconds,
        "engine": str(engine),
        "batch_rows": len(rows),
        "batch_engine": str(batch_engine),
        "batch_ms_per_row": round(each, 4),
    }
    sentence = (
        f"95 of 100 single rows were answered within {slow:.3g} ms, half within {half:.3g} ms, by "
        f"{ENGINE_WORDS[engine]}; allowed are {parameters.milliseconds:g} ms. In a batch of {len(rows)} "
        f"a row takes {each:.3g} ms, by {ENGINE_WORDS[batch_engine]}."
    )
    return bool(slow <= parameters.milliseconds), sentence, numbers


LATENCY = Gate(
    "latency",
    "Fast enough on this machine",
    "How long the version takes for a row, measured on the machine that runs the gate.",
    check,
    LatencyParameters,
)
