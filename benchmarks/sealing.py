"""How fast files are sealed and opened, beside the bare cipher: ``python -m benchmarks.sealing``."""

import io
import os
import time
from collections.abc import Callable
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlplatform.sealing.files import CHUNK, SealedWriter, open_sealed
from mlplatform.sealing.keys import new_key

SIZE, PIECE, ROUNDS = 256 << 20, 1 << 20, 3
KEY, KEY_ID, PLACE = new_key(), uuid4(), b"benchmark"
CONTENT = memoryview(os.urandom(SIZE))


class Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def write(self, data: object) -> int:
        """Take the data."""
        return len(data)  # type: ignore[arg-type]  # bytes


def seal_to(target: io.IOBase) -> None:
    """Seal the content in pieces, as it comes from a file."""
    writer = SealedWriter(target, key=KEY, key_id=KEY_ID, context=PLACE)  # type: ignore[arg-type]  # write alone
    for start in range(0, SIZE, PIECE):
        writer.write(CONTENT[start : start + PIECE])  # type: ignore[arg-type]  # any buffer
    writer.finish()


def read(sealed: bytes) -> None:
    """Read the content in pieces."""
    with open_sealed(io.BytesIO(sealed), key_of=lambda _: KEY, context=PLACE) as file:
        while file.read(PIECE):
            pass


def bare() -> None:
    """Encrypt as much with the cipher alone."""
    cipher = AESGCM(KEY)
    for number in range(SIZE // CHUNK):
        cipher.encrypt(number.to_bytes(12, "big"), CONTENT[number * CHUNK : (number + 1) * CHUNK], None)


def best(work: Callable[[], object]) -> float:
    """Return the best of some rounds, in MB/s."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return SIZE / min(seconds) / 1e6


if __name__ == "__main__":
    stored = io.BytesIO()
    seal_to(stored)
    print(f"cipher alone  {best(bare):6.0f} MB/s")
    print(f"sealing       {best(lambda: seal_to(Nowhere())):6.0f} MB/s")
    print(f"opening       {best(lambda: read(stored.getvalue())):6.0f} MB/s")
