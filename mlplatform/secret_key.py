"""The server's own secrets: given by the environment, or made once and kept in the data folder."""

import os
import secrets
from pathlib import Path

KEY_FILE = "secret_key"
MASTER_KEY_FILE = "master_key"


def kept_secret_key(data_dir: Path, name: str = KEY_FILE) -> str:
    """Return the key in the file ``name`` of ``data_dir``, making it on the first start.

    The file is created exclusively and readable by its owner only, so that two processes that start
    together end with the same key.
    """
    path = data_dir / name
    data_dir.mkdir(parents=True, exist_ok=True)
    draft = data_dir / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            # A link appears whole or not at all, and fails where another process was first.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()
