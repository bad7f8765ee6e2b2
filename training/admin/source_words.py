"""How data sources are shown: their state, their place, their settings in words, their first rows."""

from collections.abc import Mapping
from typing import Any

from mlplatform.admin.parts import Badge, Facts, Table
from mlplatform.errors import PlatformError
from training.admin.source_forms import AUTH, PAGING, TLS
from training.models import DataSource
from training.services.snapshots import Preview
from training.sources.certificates import authority_words
from training.sources.kinds import KINDS, parsed
from training.sources.sql import TITLES

WORDS = {
    "engine": "Database system",
    "tls": "Encryption",
    "ca_certificate": "Certificate of the authority",
    "params": "Parameters",
    "url": "Address",
    "key": "Object",
    "access_key_id": "Access key",
    "days": "Outcomes of the last days",
    "training_data": "With the data it first learnt from",
    "rows": "Path to the rows",
    "auth": "Credential goes as",
}
VALUES: dict[str, dict[Any, str]] = {
    "engine": TITLES,
    "tls": dict(TLS),
    "auth": dict(AUTH),
    "paging": dict(PAGING),
}


def source_badge(source: DataSource) -> Badge:
    """Return how the newest attempt at a snapshot went."""
    if source.is_failing:
        return Badge("Did not answer", "bad")
    return Badge("In order", "good") if source.last_snapshot_at else Badge("Never read", "muted")


def place_of(source: DataSource) -> str:
    """Return where the rows come from, in words."""
    try:
        place: str = parsed(KINDS[source.kind], source.settings).place()
    except PlatformError as error:
        return f"Not open any more: {error.detail}"
    return place


def settings_facts(source: DataSource) -> Facts:
    """Return how the source is asked; what is empty is left out."""
    shown = {name: value for name, value in source.settings.items() if value not in ("", None, {})}
    return Facts("How it is asked", [(_word(name), _shown(name, value)) for name, value in shown.items()])


def preview_table(preview: Preview) -> Table:
    """Return the first rows with each column's type in its heading."""
    headings = [
        f"{column['name']} ({column['type']}{', personal' if column['personal'] else ''})"
        for column in preview.columns
    ]
    return Table(
        "First rows",
        headings,
        preview.rows,
        empty="The source answers, but gives no rows.",
        note=f"{len(preview.rows)} rows in {preview.seconds:.2f} s; nothing of them was kept.",
    )


def _word(name: str) -> str:
    return WORDS.get(name, name.replace("_", " ").capitalize())


def _shown(setting: str, value: Any) -> Any:
    if setting == "ca_certificate":
        return authority_words(value)
    if isinstance(value, Mapping):
        return [f"{name}: {one}" for name, one in value.items()]
    return VALUES.get(setting, {}).get(value, value)
