"""Tables in a real store that speaks S3."""

import io
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pytest_django import Settings

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused
from tests.training.sources.places import ROWS, budget, fetch, records, s3_put, s3_store
from tests.web import Said, web_server
from training.errors import SourceDown, SourceRefused, UnreadableFile
from training.sources import s3
from training.sources.kinds import get_kind, parsed


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


def csv(rows: int) -> bytes:
    return pd.DataFrame(records(rows)).to_csv(index=False).encode()


def opened(place: dict[str, Any], **changes: Any) -> AbstractContextManager[Iterator[pd.DataFrame]]:
    kind = get_kind("s3")
    assert kind.parts is not None
    return kind.parts(parsed(kind, place), "secret", budget(**changes), None)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few hundred rows."""
    monkeypatch.setattr("training.sources.records.SLICE_BYTES", 10_000)
    monkeypatch.setattr("training.sources.parquet.PART_ROWS", 1_024)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_large_object_never_stands_in_memory_whole(store: str, form: str) -> None:
    table = pd.DataFrame(records(6_000))
    file = io.BytesIO()
    table.to_parquet(file)
    place = s3_put(store, "large", csv(6_000) if form == "csv" else file.getvalue())
    seen: list[weakref.ref[pd.DataFrame]] = []
    rows, most = 0, 0
    with opened(place) as parts:
        for part in parts:
            seen.append(weakref.ref(part))
            assert list(part["id"]) == list(range(rows + 1, rows + len(part) + 1))
            rows, most = rows + len(part), max(most, len(part))
            assert sum(one() is not None for one in seen) <= 2
            del part
    assert (rows, most < 1_500, len(seen) >= 5) == (6_000, True, True)


@pytest.mark.usefixtures("small_parts")
def test_too_many_rows_end_the_reading_early(store: str) -> None:
    place = s3_put(store, "large", csv(6_000))
    read: list[int] = []
    with pytest.raises(SourceRefused, match="more than 1,000 rows"), opened(place, rows=1_000) as parts:
        read.extend(map(len, parts))
    assert 0 < sum(read) <= 1_000


def test_whoever_is_asked_can_end_the_download(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PIECE", 1_000)
    monkeypatch.setattr("training.sources.budget.BETWEEN_ASKING", 0.0)
    asked: list[int] = []

    def stop() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise SourceDown("The job was cancelled.")

    spent = budget(check=stop)
    kind = get_kind("s3")
    place = s3_put(store, "large", csv(2_000))
    with pytest.raises(SourceDown, match="cancelled"):
        kind.fetch(parsed(kind, place), "secret", spent, None)
    assert 0 < spent.bytes_taken < len(csv(2_000)) / 2


def test_the_copy_on_disk_is_gone_afterwards(
    store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = s3_put(store, "rows.csv", csv(100))
    with opened(place) as parts:
        assert sum(map(len, parts)) == 100
        assert [one.stat().st_size for one in tmp_path.glob("source-*")] == [len(csv(100))]
    with pytest.raises(SourceRefused), opened(place, bytes=1_000):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [5, 19])
def test_a_preview_says_at_once_that_there_are_too_few_rows(store: str, rows: int) -> None:
    with pytest.raises(UnreadableFile, match=f"has {rows} rows"):
        fetch("s3", s3_put(store, "few", csv(rows)), "secret", sample=20)


def test_a_refusal_without_end_is_not_read_to_its_end() -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(sent) < 200:
            sent.append(1)
            yield b"x" * (1 << 20)

    place = {"bucket": "rows", "key": "a"}
    with web_server(lambda _: Said(404, {}, endless())) as server, pytest.raises(SourceRefused):
        fetch("s3", {**place, "endpoint": server.url})
    assert len(sent) < 50


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
