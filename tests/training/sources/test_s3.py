"""Tables in a real store that speaks S3."""

import io
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from pytest_django import Settings

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused
from tests.training.sources.places import ROWS, fetch, records, s3_put, s3_store
from training.errors import SourceRefused, UnreadableFile
from training.sources import s3


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The store's address."""
    with s3_store() as url:
        yield url


@pytest.fixture(autouse=True)
def _this_machine_is_open(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]


def parquet() -> bytes:
    file = io.BytesIO()
    pd.DataFrame(records()).to_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize("key", ["rows.csv", "a folder/röws.parquet"])
def test_an_object_is_read_by_its_content(store: str, key: str) -> None:
    content = parquet() if "parquet" in key else pd.DataFrame(records()).to_csv(index=False).encode()
    frame = fetch("s3", s3_put(store, key, content), "secret")
    assert (len(frame), list(frame.columns)) == (ROWS, ["id", "clinic", "size", "kind"])


@pytest.mark.parametrize("content", [pd.DataFrame(records(4000)).to_csv(index=False).encode(), parquet()])
def test_a_preview_reads_the_beginning_of_a_large_object(
    store: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "HEAD_BYTES", 2_000)
    place = s3_put(store, "large", content)
    most = 10_000 if content.startswith(b"id") else len(content) + 10_000
    assert len(fetch("s3", place, "secret", sample=20, bytes=most)) == 20


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": "missing"}, SourceRefused),
        ({"bucket": "missing"}, SourceRefused),
        ({"bucket": "../x"}, PlatformError),
        ({"bucket": "B A D"}, SourceRefused),
        ({"endpoint": "http://127.0.0.2:9000"}, AddressRefused),
        ({"endpoint": "http://169.254.169.254/"}, AddressRefused),
        ({"endpoint": "file:///etc"}, AddressRefused),
        ({"endpoint": "http://example.com/"}, AddressRefused),
    ],
)
def test_trouble_is_told_in_a_sentence(
    store: str, changes: dict[str, Any], error: type[PlatformError]
) -> None:
    place = s3_put(store, "rows.csv", b"a,b\n1,2\n")
    with pytest.raises(error):
        fetch("s3", {**place, **changes}, "secret")


def test_what_is_no_table_is_refused(store: str) -> None:
    with pytest.raises(UnreadableFile):
        fetch("s3", s3_put(store, "code.pkl", b"\x80\x04\x95cos\nsystem"), "secret")


def test_an_object_over_the_cap_is_refused(store: str) -> None:
    with pytest.raises(SourceRefused, match="more than 1,000 bytes"):
        fetch("s3", s3_put(store, "rows.csv", b"a,b\n1,2\n" * 1000), "secret", bytes=1_000)


def test_the_servers_own_account_is_never_used(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-servers-own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-servers-secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.2:1")
    place = s3_put(store, "rows.csv", pd.DataFrame(records()).to_csv(index=False).encode())
    sent: list[str] = []
    kept = s3._sent

    def note(client: Any, request: Any) -> Any:
        sent.append(str(request.headers.get("Authorization", "")))
        return kept(client, request)

    monkeypatch.setattr(s3, "_sent", note)
    with pytest.raises(
        SourceRefused, match="may not read it"
    ):  # it is asked as anybody would, and is private
        fetch("s3", place | {"access_key_id": ""})
    fetch("s3", place, "secret")
    assert sent[0] == ""
    assert "Credential=key/" in sent[1]
