"""The chain of the audit trail: each entry is sealed with a hash over itself and the hash before it.

Whoever changes, removes, adds or swaps entries breaks every later link. The hash is SHA-256 over the
entry's canonical JSON, so that an exported trail can be checked without this program and without a secret.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

# What is sealed, in the order in which entries are shown and exported; ``hash`` itself comes after them.
SEALED = (
    "sequence",
    "at",
    "actor_kind",
    "actor_label",
    "actor_id",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "before",
    "after",
    "details",
    "request_id",
    "address",
    "prev_hash",
)


def genesis(slug: str) -> str:
    """Return what stands before a tenant's first entry: no trail can be passed off as another tenant's."""
    return hashlib.sha256(f"audit trail of {slug}".encode()).hexdigest()


def entry_of(row: Any) -> dict[str, Any]:
    """Return the sealed fields of a row as plain JSON values, the same before and after it was stored."""
    entry = {name: getattr(row, name) for name in SEALED}
    entry["at"] = moment(row.at)
    entry["address"] = plain_address(row.address)
    return entry


def seal(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of an entry's canonical JSON: sorted keys, no spaces, ASCII only."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    """Return the time in UTC, always with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def plain_address(address: str | None) -> str | None:
    """Return the IP address in its one plain spelling, None for what is no address."""
    try:
        return str(ip_address(address)) if address else None
    except ValueError:
        return None
