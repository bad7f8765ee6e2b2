"""Sealed files: read anywhere in the middle, and never where a byte of them was changed."""

import io
import random
import tracemalloc
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

import pyarrow as pa
import pytest
from pyarrow import parquet

from mlplatform.sealing.errors import KeyNotFound, NotSealed, SealBroken
from mlplatform.sealing.files import CHUNK, HEADER, SEALED_CHUNK, SealedWriter, open_sealed, read_header
from mlplatform.sealing.keys import new_key

KEY, KEY_ID, PLACE = new_key(), uuid4(), b"tenant 1: datasets/a"
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5]


def sealed(content: bytes, *, key: bytes = KEY, context: bytes = PLACE) -> bytes:
    target = io.BytesIO()
    writer = SealedWriter(target, key=key, key_id=KEY_ID, context=context)
    writer.write(content)
    writer.finish()
    return target.getvalue()


def opened(data: bytes, *, key: bytes = KEY, context: bytes = PLACE) -> IO[bytes]:
    return open_sealed(io.BytesIO(data), key_of=lambda _: key, context=context)


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read(size: int) -> None:
    assert opened(sealed(content_of(size))).read() == content_of(size)


@pytest.mark.parametrize("step", [1, 7, CHUNK, CHUNK + 1])
def test_the_size_of_the_writes_does_not_matter(step: int) -> None:
    content, target = content_of(CHUNK + 100 if step < CHUNK else 4 * CHUNK), io.BytesIO()
    writer = SealedWriter(target, key=KEY, key_id=KEY_ID, context=PLACE)
    for start in range(0, len(content), step):
        assert writer.write(content[start : start + step]) == len(content[start : start + step])
    writer.finish()
    assert opened(target.getvalue()).read() == content


def test_nothing_of_the_content_shows() -> None:
    assert b"swordfish" not in sealed(b"swordfish" * 100)
    assert sealed(b"a") != sealed(b"a")


def test_it_is_read_anywhere_in_the_middle() -> None:
    content, dice = content_of(5 * CHUNK + 17), random.Random(3)
    file = opened(sealed(content))
    for _ in range(200):
        start, count = dice.randrange(len(content) + 10), dice.randrange(2 * CHUNK)
        file.seek(start)
        assert file.read(count) == content[start : start + count]
    assert file.seek(-3, io.SEEK_END) == len(content) - 3
    assert (file.read(), file.read(), file.tell()) == (content[-3:], b"", len(content))
    with pytest.raises(ValueError, match="first byte"):
        file.seek(-1)


def test_every_byte_of_the_header_is_bound() -> None:
    data = sealed(b"content")
    for place in range(HEADER.size):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises((SealBroken, NotSealed)):
            opened(bytes(changed))


def test_every_byte_of_a_chunk_and_its_tag_is_bound() -> None:
    data = sealed(b"content")
    for place in range(HEADER.size, len(data)):
        changed = bytearray(data)
        changed[place] ^= 0x80
        with pytest.raises(SealBroken):
            opened(bytes(changed))


def chunks_of(data: bytes) -> list[bytes]:
    body = data[HEADER.size :]
    return [body[start : start + SEALED_CHUNK] for start in range(0, len(body), SEALED_CHUNK)]


@pytest.mark.parametrize(
    "order",
    [[1, 0, 2, 3], [0, 1, 1, 3], [0, 2, 3], [0, 1, 2], [3], [0, 1, 2, 3, 3], [0, 1, 2, 3, 0], []],
    ids=["swapped", "repeated", "left out", "cut at the end", "only the last", "twice", "added", "empty"],
)
def test_chunks_cannot_be_swapped_repeated_cut_or_added(order: list[int]) -> None:
    data = sealed(content_of(3 * CHUNK + 5))
    chunks = chunks_of(data)
    with pytest.raises(SealBroken):
        opened(data[: HEADER.size] + b"".join(chunks[number] for number in order)).read()


@pytest.mark.parametrize("cut", [1, 16, 17, CHUNK, SEALED_CHUNK + 1])
def test_a_file_cut_anywhere_does_not_even_open(cut: int) -> None:
    with pytest.raises(SealBroken):
        opened(sealed(content_of(2 * CHUNK + 5))[:-cut])


def test_chunks_of_another_file_of_the_same_key_and_place_do_not_fit() -> None:
    one, other = sealed(content_of(2 * CHUNK)), sealed(content_of(2 * CHUNK))
    mixed = one[: HEADER.size] + chunks_of(other)[0] + chunks_of(one)[1]
    with pytest.raises(SealBroken):
        opened(mixed).read()


@pytest.mark.parametrize("context", [b"tenant 2: datasets/a", b"tenant 1: datasets/b", b""])
def test_the_file_opens_in_its_own_place_alone(context: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(sealed(b"content"), context=context)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        opened(sealed(b"content"), key=new_key())


@pytest.mark.parametrize("data", [b"", b"PAR1", b"plain content of an older release"])
def test_a_clear_file_is_told_as_such(data: bytes) -> None:
    with pytest.raises(NotSealed, match="rotate_keys"):
        opened(data)


def test_an_unfinished_file_never_opens() -> None:
    target = io.BytesIO()
    writer = SealedWriter(target, key=KEY, key_id=KEY_ID, context=PLACE)
    writer.write(content_of(2 * CHUNK + 1))
    with pytest.raises(SealBroken):
        opened(target.getvalue())


def test_the_key_is_asked_for_by_the_id_in_the_header() -> None:
    def none(key_id: UUID) -> bytes:
        raise KeyNotFound(str(key_id))

    data = sealed(b"content")
    assert read_header(io.BytesIO(data)).key_id == KEY_ID
    with pytest.raises(KeyNotFound, match=str(KEY_ID)):
        open_sealed(io.BytesIO(data), key_of=none, context=PLACE)


def test_closing_closes_the_sealed_file() -> None:
    inner = io.BytesIO(sealed(b"content"))
    open_sealed(inner, key_of=lambda _: KEY, context=PLACE).close()
    assert inner.closed


def test_a_table_is_read_in_parts_at_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "table"
    plain = io.BytesIO()
    rows = 400_000
    table = pa.table({name: pa.array(range(rows)) for name in "abcdef"})
    parquet.write_table(table, plain, row_group_size=20_000, compression="none", use_dictionary=False)
    path.write_bytes(sealed(plain.getvalue()))
    size = len(plain.getvalue())
    del plain, table
    tracemalloc.start()
    with open_sealed(path.open("rb"), key_of=lambda _: KEY, context=PLACE) as file:
        read = sum(batch.num_rows for batch in parquet.ParquetFile(file).iter_batches(columns=["c"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == rows
    assert peak < size / 5
