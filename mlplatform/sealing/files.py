"""Sealed files that can be read anywhere in the middle, at flat memory.

    header  magic "MLPS", format 1, log2 of the chunk size, the data key's id, a salt, the nonces' prefix
    chunks  each AES-256-GCM over up to 64 KiB, with a tag of 16 bytes of its own

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizar 2015) as in Google Tink's AES-GCM-HKDF: the
file's own key follows from the data key, the salt, the whole header and the context (HKDF-SHA256); a chunk's
nonce is the prefix, its number, and whether it is the last. So no byte of header, chunks or order can be
changed, nothing can be cut off or added, and no file opens under another name or for another owner. The last
chunk is opened first: it vouches for the length.
"""

import io
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlplatform.sealing.errors import NotSealed, SealBroken
from mlplatform.sealing.keys import derived_key

MAGIC, FORMAT, CHUNK_BITS = b"MLPS", 1, 16
HEADER = struct.Struct(">4sBB16s32s7s")
NONCE = struct.Struct(">7sIB")
CHUNK, TAG = 1 << CHUNK_BITS, 16
SEALED_CHUNK = CHUNK + TAG


@dataclass(frozen=True)
class Header:
    """What stands in the clear before the chunks; ``raw`` is bound into the file's key."""

    key_id: UUID
    salt: bytes
    prefix: bytes
    raw: bytes

    def cipher(self, key: bytes, context: bytes) -> AESGCM:
        """Return the cipher of this one file."""
        return AESGCM(derived_key(key, salt=self.salt, info=self.raw + context))

    def nonce(self, number: int, *, last: bool) -> bytes:
        """Return the nonce of one chunk."""
        return NONCE.pack(self.prefix, number, last)


def new_header(key_id: UUID) -> Header:
    """Return the header of a new file."""
    salt, prefix = secrets.token_bytes(32), secrets.token_bytes(7)
    raw = HEADER.pack(MAGIC, FORMAT, CHUNK_BITS, key_id.bytes, salt, prefix)
    return Header(key_id, salt, prefix, raw)


def read_header(file: IO[bytes]) -> Header:
    """Return the header of the file, which is at its beginning; raises NotSealed or SealBroken."""
    raw = file.read(HEADER.size)
    if not raw.startswith(MAGIC):
        raise NotSealed("The file stands in the clear. Seal it with: python manage.py rotate_keys")
    if len(raw) < HEADER.size:
        raise _broken()
    _, form, bits, key_id, salt, prefix = HEADER.unpack(raw)
    if (form, bits) != (FORMAT, CHUNK_BITS):
        raise SealBroken("The file is sealed in a format that this release does not know.")
    return Header(UUID(bytes=key_id), salt, prefix, raw)


class SealedWriter:
    """Seals what is written to it; without ``finish`` the file can never be opened."""

    def __init__(self, target: IO[bytes], *, key: bytes, key_id: UUID, context: bytes) -> None:
        self._target, self._header = target, new_header(key_id)
        self._cipher = self._header.cipher(key, context)
        self._chunk, self._held, self._number = bytearray(CHUNK), 0, 0
        target.write(self._header.raw)

    def write(self, data: bytes) -> int:
        """Take the next bytes, of any number."""
        view, start = memoryview(data), 0
        while start < len(view):
            if self._held == CHUNK:  # a full chunk may be the last one: it waits for the next byte
                self._put(last=False)
            part = view[start : start + CHUNK - self._held]
            self._chunk[self._held : self._held + len(part)] = part
            self._held += len(part)
            start += len(part)
        return len(view)

    def finish(self) -> None:
        """Write the last chunk; the target stays open."""
        self._put(last=True)

    def _put(self, *, last: bool) -> None:
        nonce = self._header.nonce(self._number, last=last)
        self._target.write(self._cipher.encrypt(nonce, memoryview(self._chunk)[: self._held], None))
        self._held, self._number = 0, self._number + 1


class _SealedReader(io.RawIOBase):
    """The plain content, seekable; holds one chunk at a time."""

    def __init__(self, file: IO[bytes], header: Header, cipher: AESGCM) -> None:
        self._file, self._header, self._cipher = file, header, cipher
        sealed = file.seek(0, io.SEEK_END) - HEADER.size
        self._last = max(0, -(-sealed // SEALED_CHUNK) - 1)
        self._held, self._chunk = -1, b""
        self._size = self._last * CHUNK + len(self._open(self._last))
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("No file begins before its first byte.")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, CHUNK)
        part = memoryview(self._open(number))[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def readall(self) -> bytes:
        parts = []
        while self._position < self._size:
            number, start = divmod(self._position, CHUNK)
            parts.append(self._open(number)[start:])
            self._position += len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _open(self, number: int) -> bytes:
        if number != self._held:
            self._file.seek(HEADER.size + number * SEALED_CHUNK)
            nonce = self._header.nonce(number, last=number == self._last)
            try:
                self._chunk = self._cipher.decrypt(nonce, self._file.read(SEALED_CHUNK), None)
            except InvalidTag as error:
                raise _broken() from error
            self._held = number
        return self._chunk


def open_sealed(file: IO[bytes], *, key_of: Callable[[UUID], bytes], context: bytes) -> io.BufferedReader:
    """Return the plain content of a sealed file as a seekable file, which closes the sealed one with itself.

    ``key_of`` finds the data key by its id. Raises NotSealed, and SealBroken here or while reading where a
    byte was changed.
    """
    header = read_header(file)
    reader = _SealedReader(file, header, header.cipher(key_of(header.key_id), context))
    return io.BufferedReader(reader, CHUNK)


def _broken() -> SealBroken:
    return SealBroken(
        "A stored file was changed, cut, or put where it does not belong. Restore it from a back-up."
    )
