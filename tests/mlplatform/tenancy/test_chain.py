"""The seal of an audit entry."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from mlplatform.tenancy.chain import SEALED, entry_of, genesis, plain_address, seal


def row(**changes: Any) -> SimpleNamespace:
    fields: dict[str, Any] = dict.fromkeys(SEALED, "x")
    fields |= {"sequence": 1, "at": datetime(2026, 1, 31, 12, tzinfo=UTC), "address": "127.0.0.1"}
    return SimpleNamespace(**{**fields, **changes})


@pytest.mark.parametrize("name", [name for name in SEALED if name not in {"at", "address"}])
def test_every_field_is_sealed(name: str) -> None:
    assert seal(entry_of(row())) != seal(entry_of(row(**{name: "changed"})))


def test_time_and_address_are_sealed_in_one_spelling() -> None:
    whole = seal(entry_of(row()))
    elsewhere = row().at.astimezone(timezone(timedelta(hours=5)))
    assert seal(entry_of(row(at=elsewhere))) == whole
    assert seal(entry_of(row(at=row().at + timedelta(microseconds=1)))) != whole
    assert seal(entry_of(row(address="127.0.0.2"))) != whole
    assert plain_address("2001:DB8:0::1") == "2001:db8::1"
    assert plain_address("not an address") is None


def test_tenants_begin_differently() -> None:
    assert genesis("clinic") != genesis("winery")


def test_the_seal_is_plain_sha256_over_canonical_json() -> None:
    known = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert seal({}) == known
