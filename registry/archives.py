"""Archives of a tenant, or of a model: a zip of JSON Lines and files, with a signed manifest.

Nothing here knows the tables.

An archive is read from within and never unpacked to names of its own. Before anything of it is used, its list
of contents is compared with the manifest, and every content with its hash.
"""

import hashlib
import hmac
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from registry.errors import InvalidArchive


@dataclass(frozen=True)
class Sort:
    """What an archive holds, in its manifest's words and in people's."""

    format: str
    version: int
    whose: str


FORMAT, VERSION = "mlplatform tenant archive", 1
TENANT = Sort(FORMAT, VERSION, "tenant")
MODEL = Sort("mlplatform model archive", 1, "model")
MANIFEST = "manifest.json"
NAME = re.compile(r"(?:tables/[a-z_]+\.[a-z_]+\.jsonl|files/[a-z_]+\.[a-z_]+\.[a-z_]+/[0-9A-Za-z-]{1,40})")
LARGEST_MANIFEST = 256 << 20
LONGEST_LINE = 64 << 20
# No table of ours packs better than this; a bomb packs a thousandfold.
LARGEST_RATIO, SMALL = 400, 10 << 20
PIECE = 1 << 20
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class ArchiveWriter:
    """Writes an archive from front to back; ``finish`` adds the manifest, without which it is none."""

    def __init__(self, target: IO[bytes], sort: Sort = TENANT) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._sort = sort
        self._entries: dict[str, dict[str, Any]] = {}

    def add_lines(self, name: str, rows: Iterator[dict[str, Any]]) -> int:
        """Add a table, one JSON object a line; return the number of rows."""
        count = 0

        def lines() -> Iterator[bytes]:
            nonlocal count
            for row in rows:
                count += 1
                yield json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"

        self._add(name, lines(), zipfile.ZIP_DEFLATED)
        self._entries[name]["rows"] = count
        return count

    def add_file(self, name: str, file: IO[bytes]) -> None:
        """Add a file's content."""
        self._add(name, iter(lambda: file.read(PIECE), b""), zipfile.ZIP_STORED)

    def finish(self, about: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Write the signed manifest, close the archive, and return the manifest."""
        return self.finish_signed(about, sign=lambda manifest: signature(manifest, key))

    def finish_signed(
        self, about: dict[str, Any], *, sign: Callable[[dict[str, Any]], str]
    ) -> dict[str, Any]:
        """Do the same with another kind of signature, made over all of the manifest but itself."""
        sort = self._sort
        manifest = {"format": sort.format, "format_version": sort.version, **about, "entries": self._entries}
        manifest["signature"] = sign(manifest)
        self._zip.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        self._zip.close()
        return manifest

    def _add(self, name: str, pieces: Iterator[bytes], method: int) -> None:
        info, digest, size = zipfile.ZipInfo(name), hashlib.sha256(), 0
        info.compress_type = method
        with self._zip.open(info, "w", force_zip64=True) as entry:
            for piece in pieces:
                entry.write(piece)
                digest.update(piece)
                size += len(piece)
        self._entries[name] = {"bytes": size, "sha256": digest.hexdigest()}


class ArchiveReader:
    """An archive whose list of contents is that of its manifest; raises InvalidArchive for any other."""

    def __init__(self, source: IO[bytes], sort: Sort = TENANT) -> None:
        with _told():
            self._zip = zipfile.ZipFile(source)
            _check_entries(self._zip.infolist(), sort)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
        _check_manifest(self.manifest, self._zip.infolist(), sort)
        self.entries: dict[str, dict[str, Any]] = self.manifest["entries"]

    @property
    def total_bytes(self) -> int:
        """How much everything unpacks to."""
        return sum(entry["bytes"] for entry in self.entries.values())

    def is_signed(self, keys: Sequence[str]) -> bool:
        """Tell whether one of the keys signed the manifest, and with it every hash in it."""
        given = str(self.manifest.get("signature", ""))
        return any(hmac.compare_digest(signature(self.unsigned, key), given) for key in keys)

    @property
    def unsigned(self) -> dict[str, Any]:
        """The manifest without its signature: what was signed."""
        return {name: value for name, value in self.manifest.items() if name != "signature"}

    def check_hashes(self) -> Iterator[str]:
        """Yield the name of each entry once its content proved right; raises InvalidArchive."""
        for name, entry in self.entries.items():
            digest = hashlib.sha256()
            with _told(), self._zip.open(name) as file:
                while piece := file.read(PIECE):
                    digest.update(piece)
            if digest.hexdigest() != entry["sha256"]:
                raise InvalidArchive(f"{name} is not what the manifest says. Take the archive anew.")
            yield name

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table."""
        with _told(), self._zip.open(name) as file:
            while line := file.readline(LONGEST_LINE):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InvalidArchive(f"{name} holds a line that is no row.")
                yield row

    def open(self, name: str) -> IO[bytes]:
        """Return a file's content."""
        with _told():
            return self._zip.open(name)


def signature(manifest: dict[str, Any], key: str) -> str:
    """Return the HMAC-SHA256 (hex) of the manifest's canonical JSON under a key for this one purpose."""
    derived = hmac.digest(key.encode(), FORMAT.encode(), "sha256")
    return hmac.digest(derived, canonical(manifest), "sha256").hex()


def canonical(manifest: dict[str, Any]) -> bytes:
    """Return the one text of the manifest that is signed."""
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def check_entries(entries: list[zipfile.ZipInfo], allowed: Callable[[str], object], whose: str) -> None:
    """Raise InvalidArchive where a zip's list has double names, links, bombs, or names that are not allowed.

    It looks at the list alone: nothing is unpacked.
    """
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise InvalidArchive("The archive names an entry twice. Take it anew.")
    for entry in entries:
        if not allowed(entry.filename):
            raise InvalidArchive(f"The archive holds {entry.filename[:80]!r}, which is no part of a {whose}.")
        if stat.S_ISLNK(entry.external_attr >> 16) or entry.flag_bits & 1:
            raise InvalidArchive(f"{entry.filename} is a link or encrypted. Take the archive anew.")
        if entry.file_size > SMALL and entry.file_size > LARGEST_RATIO * entry.compress_size:
            raise InvalidArchive(f"{entry.filename} unpacks to {entry.file_size:,} bytes: that is a bomb.")


def _check_entries(entries: list[zipfile.ZipInfo], sort: Sort) -> None:
    check_entries(entries, lambda name: name == MANIFEST or NAME.fullmatch(name), sort.whose)
    manifest = next((entry for entry in entries if entry.filename == MANIFEST), None)
    if manifest is None:
        raise InvalidArchive(f"The archive has no manifest: it is no {sort.whose}'s, or was cut off.")
    if manifest.file_size > LARGEST_MANIFEST:
        raise InvalidArchive(f"The archive's manifest is larger than any {sort.whose}'s.")


def _check_manifest(manifest: Any, found: list[zipfile.ZipInfo], sort: Sort) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != sort.format:
        raise InvalidArchive(f"The file is no {sort.whose}'s archive.")
    if manifest.get("format_version") != sort.version:
        raise InvalidArchive("A newer release wrote the archive. Import it with that release.")
    entries = manifest.get("entries")
    if not isinstance(entries, dict) or not all(_is_entry(entry) for entry in entries.values()):
        raise InvalidArchive("The archive's manifest is damaged. Take it anew.")
    sizes = {entry.filename: entry.file_size for entry in found if entry.filename != MANIFEST}
    if sizes != {name: entry["bytes"] for name, entry in entries.items()}:
        raise InvalidArchive("The archive does not hold what its manifest names. Take it anew.")


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("bytes"), int)
        and isinstance(entry.get("sha256"), str)
        and isinstance(entry.get("rows", 0), int)
    )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise InvalidArchive(f"The archive cannot be read: {error}. Take it anew.") from error
