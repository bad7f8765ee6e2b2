"""Archives that anybody may have made are refused before anything of them is used."""

import io
import json
import random
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from registry.archives import FORMAT, MANIFEST, ArchiveReader, ArchiveWriter
from registry.errors import InvalidArchive

TABLE, FILE = "tables/registry.dataset.jsonl", "files/registry.dataset.file/1"
KEY = "k" * 40


def archive(rows: int = 3, content: bytes = b"PAR1 plain PAR1") -> io.BytesIO:
    target = io.BytesIO()
    writer = ArchiveWriter(target)
    writer.add_lines(TABLE, ({"id": number} for number in range(rows)))
    writer.add_file(FILE, io.BytesIO(content))
    writer.finish({"tenant": {"slug": "clinic"}}, key=KEY)
    target.seek(0)
    return target


def remade(change: Callable[[zipfile.ZipFile], None], *, without: str = "") -> io.BytesIO:
    """The archive again, with something put in; its manifest stays as it was."""
    target = io.BytesIO()
    with zipfile.ZipFile(archive()) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in whole.namelist():
            if name != without:
                copy.writestr(name, whole.read(name))
        change(copy)
    target.seek(0)
    return target


def read(source: io.BytesIO) -> list[str]:
    return list(ArchiveReader(source).check_hashes())


def test_a_whole_archive_is_read() -> None:
    reader = ArchiveReader(archive())
    assert list(reader.check_hashes()) == [TABLE, FILE]
    assert list(reader.rows(TABLE)) == [{"id": 0}, {"id": 1}, {"id": 2}]
    assert reader.open(FILE).read() == b"PAR1 plain PAR1"
    assert reader.manifest["tenant"] == {"slug": "clinic"}
    assert reader.entries[TABLE]["rows"] == 3


def test_the_signature_is_the_keys_and_covers_the_manifest() -> None:
    reader = ArchiveReader(archive())
    assert reader.is_signed([KEY])
    assert reader.is_signed(["new" * 20, KEY])
    assert not reader.is_signed(["new" * 20])
    assert not reader.is_signed([])
    reader.manifest["tenant"]["slug"] = "winery"
    assert not reader.is_signed([KEY])


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd",
        "/etc/passwd",
        "files/../../etc/passwd",
        "files/registry.dataset.file/../1",
        "tables\\registry.dataset.jsonl",
        "files/registry.dataset.file/" + "9" * 300,
        "tables/registry.dataset.jsonl/more.zip",
        "extra.zip",
        "tables/",
        "files/registry.dataset.file/1\u202egpj",
    ],
)
def test_hostile_15_an_entry_that_escapes_or_belongs_nowhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidArchive, match=r"no part of a tenant"):
        read(remade(lambda copy: copy.writestr(name, b"x")))


def test_hostile_15_a_name_that_stands_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        source = remade(lambda copy: copy.writestr(TABLE, b"{}"))
    with pytest.raises(InvalidArchive, match="twice"):
        read(source)


def test_hostile_15_a_link_is_refused() -> None:
    link = zipfile.ZipInfo(FILE)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InvalidArchive, match="link"):
        read(remade(lambda copy: copy.writestr(link, b"/etc/passwd"), without=FILE))


def test_hostile_15_a_bomb_is_refused_before_it_is_unpacked() -> None:
    source = remade(lambda copy: copy.writestr(FILE, bytes(100 << 20)), without=FILE)
    tracemalloc.start()
    with pytest.raises(InvalidArchive, match="bomb"):
        read(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


def test_hostile_15_an_archive_that_lies_about_a_size_is_refused() -> None:
    data = archive().getvalue()
    size = struct.pack("<I", len(b"PAR1 plain PAR1"))
    for lie in (1, 1 << 30):
        with pytest.raises(InvalidArchive):
            read(io.BytesIO(data.replace(size, struct.pack("<I", lie))))


def test_hostile_15_a_wrong_checksum_is_refused() -> None:
    with pytest.raises(InvalidArchive, match="CRC"):
        read(io.BytesIO(archive().getvalue().replace(b"PAR1 plain PAR1", b"PAR1 evil! PAR1")))


def test_another_content_than_the_manifest_names_is_refused() -> None:
    with pytest.raises(InvalidArchive, match="not what the manifest says"):
        read(remade(lambda copy: copy.writestr(FILE, b"PAR1 evil! PAR1"), without=FILE))


@pytest.mark.parametrize("without", [TABLE, FILE])
def test_an_entry_that_is_missing_is_noticed(without: str) -> None:
    with pytest.raises(InvalidArchive, match="does not hold what its manifest names"):
        read(remade(lambda _: None, without=without))


def test_a_table_that_the_manifest_does_not_name_is_noticed() -> None:
    with pytest.raises(InvalidArchive, match="does not hold"):
        read(remade(lambda copy: copy.writestr("tables/registry.alias.jsonl", b"{}\n")))


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidArchive):
        ArchiveReader(io.BytesIO(data))


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_off_is_refused(share: float) -> None:
    data = archive().getvalue()
    with pytest.raises(InvalidArchive):
        read(io.BytesIO(data[: int(len(data) * share)]))


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {},
        {"format": "zip"},
        {"format": FORMAT, "format_version": 2, "entries": {}},
        {"format": FORMAT, "format_version": 1},
        {"format": FORMAT, "format_version": 1, "entries": []},
        {"format": FORMAT, "format_version": 1, "entries": {TABLE: 1}},
        {"format": FORMAT, "format_version": 1, "entries": {TABLE: {"bytes": "1", "sha256": ""}}},
        {"format": FORMAT, "format_version": 1, "entries": {TABLE: {"bytes": 1, "sha256": None}}},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(manifest: Any) -> None:
    with pytest.raises(InvalidArchive):
        ArchiveReader(remade(lambda copy: copy.writestr(MANIFEST, json.dumps(manifest)), without=MANIFEST))


def test_a_manifest_that_is_no_json_or_missing_is_refused() -> None:
    with pytest.raises(InvalidArchive):
        ArchiveReader(remade(lambda copy: copy.writestr(MANIFEST, b"{"), without=MANIFEST))
    with pytest.raises(InvalidArchive, match="no manifest"):
        ArchiveReader(remade(lambda _: None, without=MANIFEST))


def test_a_line_that_is_no_row_is_refused() -> None:
    target = io.BytesIO()
    writer = ArchiveWriter(target)
    writer.add_lines(TABLE, iter([[1]]))  # type: ignore[list-item]  # wrong on purpose
    writer.finish({}, key=KEY)
    with pytest.raises(InvalidArchive, match="no row"):
        list(ArchiveReader(target).rows(TABLE))


def test_a_long_table_is_written_and_read_at_flat_memory() -> None:
    target, rows = io.BytesIO(), 4_000
    writer = ArchiveWriter(target)
    tracemalloc.start()
    writer.add_lines(TABLE, ({"id": number, "text": random.randbytes(2_000).hex()} for number in range(rows)))
    writer.finish({}, key=KEY)
    assert sum(1 for _ in ArchiveReader(target).rows(TABLE)) == rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(target.getvalue()) > 6 << 20
    assert peak < len(target.getbuffer()) * 2 + (3 << 20)  # the archive itself lies in memory here
