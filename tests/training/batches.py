"""What the tests of batches share."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd

from mlplatform.tenancy.actors import SYSTEM
from registry.models import ModelVersion
from registry.storage import read_bytes
from tests.factories import table
from training.models import BatchJob
from training.services import batch_work
from training.services.batch_options import Options
from training.services.batch_turns import claim_own_part
from training.services.batches import create_batch, find_batch

Write = Callable[[pd.DataFrame], bytes]


def as_csv(frame: pd.DataFrame) -> bytes:
    """Return the rows as a CSV file."""
    return frame.to_csv(index=False).encode()


def as_parquet(frame: pd.DataFrame) -> bytes:
    """Return the rows as a Parquet file of one group."""
    return bytes(frame.to_parquet(index=False))


def as_jsonl(frame: pd.DataFrame) -> bytes:
    """Return the rows as JSON Lines."""
    return str(frame.to_json(orient="records", lines=True, double_precision=15)).encode()


def rows(count: int = 200) -> pd.DataFrame:
    """Return rows of the cancer data with a key, without what is to be predicted."""
    frame = table().drop(columns="diagnosis").head(count)
    return frame.assign(patient=[f"p-{place}" for place in range(len(frame))])


def batch_of(version: ModelVersion, content: bytes, **asked: Any) -> BatchJob:
    """Return a batch of a file, which waits."""
    names = {"keep", "keep_all", "key", "probabilities", "reasons", "coverage", "log"}
    options = Options(**{name: asked.pop(name) for name in names & set(asked)})
    return create_batch(
        model=version.model,
        by=SYSTEM,
        options=options,
        file=io.BytesIO(content),
        filename="rows",
        **asked,
    )


def worked_off(job: BatchJob) -> BatchJob:
    """Do all parts of the tenant's batches, as one worker would, and return the job."""
    while (claim := claim_own_part()) is not None:
        batch_work.work(claim=claim)
    return find_batch(job.pk)


def answers_of(job: BatchJob) -> pd.DataFrame:
    """Return the file of answers as a table."""
    content = io.BytesIO(read_bytes(job.output_file))
    if job.form == "parquet":
        return pd.read_parquet(content)
    return pd.read_csv(content) if job.form == "csv" else pd.read_json(content, lines=True)
