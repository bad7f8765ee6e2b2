"""A table in an S3-compatible store."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import httpx
import pandas as pd
from msgspec import Meta, Struct

from mlplatform.errors import PlatformError
from mlplatform.outbound.connect import cut_after
from mlplatform.outbound.http import demand_encryption, guarded_client, place_of
from registry.models import RegisteredModel
from training.errors import InvalidSource, SourceDown, SourceRefused
from training.sources.budget import Budget
from training.sources.files import open_table
from training.sources.gathering import Gathering

PIECE = 1 << 20
REFUSED = 300  # statuses from here on are no object
HEAD_BYTES = 4_000_000  # what a preview looks at
MOST_REFUSAL_BYTES = 1 << 20  # of an answer that is no object, which boto3 reads whole
PARQUET = b"PAR1"
Text = Annotated[str, Meta(max_length=200)]


class S3Settings(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which object of which store; its content decides how it is read, not its name.

    Without ``endpoint`` it is Amazon's store of the region. Without ``access_key_id`` nothing is signed: the
    object must be public.
    """

    bucket: Annotated[str, Meta(min_length=1, max_length=200)]
    key: Annotated[str, Meta(min_length=1, max_length=1_000)]
    endpoint: Annotated[str, Meta(max_length=500)] = ""
    region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$")] = "us-east-1"
    access_key_id: Text = ""

    @property
    def address(self) -> str:
        """The store's address."""
        return self.endpoint or f"https://s3.{self.region}.amazonaws.com"

    def check(self) -> None:
        """Raise InvalidSource or AddressRefused for what can never work, without asking anybody."""
        place = place_of(self.address)
        if self.access_key_id:
            demand_encryption(place)
        if "/" in self.bucket or not self.bucket.isprintable():
            raise InvalidSource(
                "A bucket's name has no slash.", fields={"bucket": ["Give the bucket's name alone."]}
            )

    def destination(self) -> tuple[Any, ...]:
        """Return what the credential is for: where any of it changes, the credential is asked for anew."""
        return (place_of(self.address), self.access_key_id)

    def place(self) -> str:
        """Return where the rows come from, for people."""
        return f"{self.bucket}/{self.key} at {self.address}"


def fetch(
    settings: S3Settings, secret: str, budget: Budget, model: RegisteredModel | None = None
) -> pd.DataFrame:
    """Download the object and read it as a table, of a preview no more than its rows.

    Raises AddressRefused, AddressUnreachable, InvalidSource, SourceRefused, SourceDown or UnreadableFile.
    """
    gathering = Gathering(budget, weigh=False)
    with _opened_parts(settings, secret, budget) as tables:
        for table in tables:
            gathering.add_table(table)
            if budget.is_full:
                break
    return gathering.frame()


@contextmanager
def parts(
    settings: S3Settings, secret: str, budget: Budget, model: RegisteredModel | None = None
) -> Iterator[Iterator[pd.DataFrame]]:
    """Download the object to disk and give its rows in parts of bounded size, like those of an upload.

    Raises what ``fetch`` does, at the beginning or while the parts are read.
    """
    with _opened_parts(settings, secret, budget) as tables:
        yield _counted(tables, budget)


@contextmanager
def _opened_parts(settings: S3Settings, secret: str, budget: Budget) -> Iterator[Iterator[pd.DataFrame]]:
    settings.check()
    with tempfile.NamedTemporaryFile(prefix="source-") as copy:
        with cut_after(budget.left()) as cutter, guarded_client(cutter=cutter) as client:
            _download(settings, secret, budget, client, copy)
        copy.flush()
        budget.left()
        with open_table(Path(copy.name), settings.key, quote=budget.quote) as tables:
            yield tables


def _counted(tables: Iterator[pd.DataFrame], budget: Budget) -> Iterator[pd.DataFrame]:
    for table in tables:
        budget.take_rows(len(table))
        yield table


def _download(
    settings: S3Settings, secret: str, budget: Budget, client: httpx.Client, target: IO[bytes]
) -> None:
    if budget.sample is None:
        _write(_opened(settings, secret, budget, client), budget, target)
        return
    found = _opened(settings, secret, budget, client, Range=f"bytes=0-{HEAD_BYTES - 1}")
    _write(found, budget, target)
    whole = int(str(found.get("ContentRange", "")).rpartition("/")[2] or 0) <= HEAD_BYTES
    if whole:
        return
    target.seek(0)
    head = target.read()
    target.seek(0)
    target.truncate()
    if head.startswith(PARQUET):  # which says at its end what is in it
        _write(_opened(settings, secret, budget, client), budget, target)
    else:
        target.write(head[: head.rfind(b"\n") + 1])


def _write(found: Any, budget: Budget, target: IO[bytes]) -> None:
    for piece in found["Body"].iter_chunks(PIECE):
        budget.ask()
        budget.left()
        budget.take_bytes(len(piece))
        target.write(piece)


def _opened(settings: S3Settings, secret: str, budget: Budget, client: httpx.Client, **more: str) -> Any:
    try:
        from botocore.exceptions import BotoCoreError, ClientError  # an extra: it may not be installed
    except ImportError as error:
        raise InvalidSource(
            "S3 stores cannot be read here: boto3 is not installed. The operator installs the extra 's3'."
        ) from error
    try:
        return _client(settings, secret, budget, client).get_object(
            Bucket=settings.bucket, Key=settings.key, **more
        )
    except ClientError as error:
        raise _told(error.response) from error
    except BotoCoreError as error:
        raise SourceRefused(f"The store cannot be asked like this: {error}") from error
    except httpx.TransportError as error:
        budget.left()
        raise SourceDown(f"The store does not answer as it should: {type(error).__name__}.") from error


def _client(settings: S3Settings, secret: str, budget: Budget, client: httpx.Client) -> Any:
    """Return boto3's client, which signs and retries, while our own client connects."""
    import boto3  # an extra: it may not be installed
    from botocore import UNSIGNED  # as above
    from botocore.config import Config  # as above

    config = Config(
        signature_version="s3v4" if settings.access_key_id else UNSIGNED,
        # Stores that are not Amazon's do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 4 if budget.sample is None else 2},
        s3={"addressing_style": "path" if settings.endpoint else "virtual"},
        ignore_configured_endpoint_urls=True,
    )
    made = boto3.session.Session(
        aws_access_key_id=settings.access_key_id or "none",  # never what the server's own account knows
        aws_secret_access_key=secret or "none",
        region_name=settings.region,
    ).client("s3", endpoint_url=settings.endpoint or None, config=config)

    def send(request: Any, **context: Any) -> Any:
        return _sent(client, request)

    made.meta.events.register("before-send.s3", send)
    return made


def _sent(client: httpx.Client, request: Any) -> Any:
    """Send what boto3 has signed; it is answered as by boto3's own connection."""
    from botocore.awsrequest import AWSResponse  # as above

    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    asked = client.build_request(request.method, request.url, headers=headers, content=request.body or None)
    asked.headers["accept-encoding"] = "identity"
    response = client.send(asked, stream=True)
    answer = AWSResponse(request.url, response.status_code, dict(response.headers), _Raw(response))
    if not request.stream_output:
        _ = answer.content  # read to its end, as boto3 does
    return answer


class _Raw:
    """The body, as boto3 reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._pieces = response.iter_raw(PIECE)
        self._rest = b""

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Yield the rest of the body; of a refusal, which is read into memory, no more than its beginning."""
        if self._rest:
            yield self._rest
        self._rest = b""
        sent = 0
        for piece in self._pieces:
            yield piece
            sent += len(piece)
            if self._response.status_code >= REFUSED and sent >= MOST_REFUSAL_BYTES:
                return

    def read(self, amount: int | None = None) -> bytes:
        """Return so many bytes, or all that are left."""
        if amount is None:
            return b"".join(self.stream())
        while len(self._rest) < amount and (piece := next(self._pieces, b"")):
            self._rest += piece
        taken, self._rest = self._rest[:amount], self._rest[amount:]
        return taken

    def close(self) -> None:
        """End the answer."""
        self._response.close()


def _told(response: Any) -> PlatformError:
    error, status = response.get("Error", {}), response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(error.get("Code", ""))[:60]
    if status >= 500 or code in {"SlowDown", "RequestTimeout"}:
        return SourceDown(f"The store answers {status} ({code}) and may recover.")
    hints = {
        "NoSuchBucket": "There is no such bucket.",
        "NoSuchKey": "There is no such object in the bucket.",
        "404": "There is no such bucket or object.",
        "AccessDenied": "The credential may not read it.",
        "403": "The credential may not read it.",
        "InvalidAccessKeyId": "It does not know the access key.",
        "SignatureDoesNotMatch": "The secret key is wrong.",
    }
    hint = hints.get(code, "Check bucket, key, region and credential.")
    return SourceRefused(f"The store answers {status} ({code}). {hint}")
