"""How Celery reaches its broker."""

from pathlib import Path
from typing import Any


def broker_options(url: str, folder: Path) -> dict[str, Any]:
    """Return the transport's options; for a broker of files its folders below ``folder`` are made."""
    if url.startswith("filesystem"):
        control = folder / "control"
        control.mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(control),
            "polling_interval": 0.05,
        }
    if url.startswith("redis"):
        # Above the longest job: a message handed out twice is harmless, but wasteful.
        return {"visibility_timeout": 7200}
    return {}
