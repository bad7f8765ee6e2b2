"""Files that commands read and write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlplatform.errors import Conflict, InvalidInput


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that is there once it is whole, for its owner's eyes alone.

    Raises Conflict where it exists or cannot be written.
    """
    draft = path.with_name(f".{path.name}.unfinished")
    if path.exists():
        raise Conflict(f"{path} exists already. Remove it or choose another name.")
    try:
        draft.touch(mode=0o600)
        with draft.open("wb") as file:
            yield file
        draft.rename(path)
    except OSError as error:
        raise Conflict(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def existing_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to read; raises InvalidInput where that cannot be done."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}.") from error
    with file:
        yield file
