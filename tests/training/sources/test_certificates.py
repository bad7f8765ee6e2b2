"""Whose certificate is accepted when a source connects to a database, with servers that speak TLS."""

from typing import Any

import pytest
from pytest_django import Settings

from mlplatform.outbound.errors import AddressRefused
from tests.training.sources.places import fetch
from tests.training.sources.tls_servers import REACHED, authority, database, signed_by
from training.errors import InvalidSource, SourceDown
from training.sources.certificates import authority_words

pytestmark = pytest.mark.usefixtures("in_tenant")
SECRET = "a-secret-nobody-may-see"
ENGINES = ["postgresql", "mysql"]
HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def _this_machine_is_open(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = [HERE, "localhost"]


@pytest.mark.parametrize("host", [HERE, "localhost"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_right_certificate_is_accepted(engine: str, host: str) -> None:
    with database(engine, signed_by(authority(), host)) as server:
        given = {**server.place, "host": host, "ca_certificate": authority().pem}
        with pytest.raises(SourceDown, match=REACHED):
            fetch("sql", given, SECRET)
    assert any(b"reader" in told for told in server.told)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("signer", "host", "days", "given", "why"),
    [
        ("thief", HERE, 30, "clinic", "authority signed it"),
        ("clinic", "db.example.com", 30, "clinic", "another host's|not valid for|mismatch"),
        ("clinic", HERE, -1, "clinic", "expired|time is over"),
        ("clinic", HERE, 30, "", "authority of your own"),
    ],
)
def test_any_other_certificate_is_refused_before_anything_is_told(
    engine: str, signer: str, host: str, days: int, given: str, why: str
) -> None:
    with database(engine, signed_by(authority(signer), host, days=days)) as server:
        trusted = authority(given).pem if given else ""
        with pytest.raises(SourceDown, match=why) as told:
            fetch("sql", {**server.place, "ca_certificate": trusted}, SECRET)
    assert told.value.code == "certificate_refused"
    assert "certificate is not accepted" in told.value.detail
    assert not b"".join(server.told)


@pytest.mark.parametrize("tls", ["verify", "require"])
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_told_to_a_server_that_does_not_encrypt(engine: str, tls: str) -> None:
    with database(engine, None) as server, pytest.raises(SourceDown, match="does not encrypt") as told:
        fetch("sql", {**server.place, "tls": tls}, SECRET)
    assert told.value.code == "no_tls"
    assert not b"".join(server.told)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_host_that_the_operator_named_may_show_any_certificate_where_that_is_chosen(engine: str) -> None:
    shown = signed_by(authority("thief"), "db.example.com")
    with database(engine, shown) as server, pytest.raises(SourceDown, match=REACHED):
        fetch("sql", {**server.place, "tls": "require"}, SECRET)


@pytest.mark.parametrize("tls", ["require", "off"])
@pytest.mark.parametrize("engine", ENGINES)
def test_no_other_host_may(engine: str, tls: str) -> None:
    place = {
        "engine": engine,
        "host": "db.example.com",
        "database": "d",
        "query": "select 1 as a",
        "tls": tls,
    }
    with pytest.raises(AddressRefused, match="ca_certificate"):
        fetch("sql", place, SECRET)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_host_that_is_named_with_its_port_is_named(engine: str, settings: Settings) -> None:
    with database(engine, signed_by(authority("thief"), HERE)) as server:
        settings.OUTBOUND_HOSTS = [f"{HERE}:{server.port}"]
        with pytest.raises(SourceDown, match=REACHED):
            fetch("sql", {**server.place, "tls": "require"}, SECRET)
        settings.OUTBOUND_HOSTS = [f"{HERE}:{server.port + 1}"]
        with pytest.raises(AddressRefused, match="any certificate"):
            fetch("sql", {**server.place, "tls": "require"}, SECRET)


def test_what_the_servers_own_account_trusts_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    roots = tmp_path / "root.crt"
    roots.write_text(authority().pem)
    monkeypatch.setenv("PGSSLROOTCERT", str(roots))
    monkeypatch.setenv("PGSSLMODE", "disable")
    shown = signed_by(authority(), HERE)
    with database("postgresql", shown) as server, pytest.raises(SourceDown, match="not accepted"):
        fetch("sql", server.place, SECRET)
    assert not b"".join(server.told)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ca_certificate": "no certificate"}, "PEM"),
        ({"ca_certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "PEM"),
        ({"ca_certificate": f"{authority().pem}-----BEGIN PRIVATE KEY-----\n"}, "private key"),
        ({"ca_certificate": authority().pem, "tls": "require"}, "tls: verify"),
        ({"ca_certificate": authority().pem, "tls": "off"}, "tls: verify"),
        ({"ca_certificate": authority().pem, "engine": "sqlite"}, "tls: verify"),
        ({"ca_certificate": "x" * 20_001}, "20000"),
    ],
    ids=["text", "damaged", "key", "require", "off", "sqlite", "long"],
)
def test_what_is_no_authority_is_refused(changes: dict[str, Any], problem: str) -> None:
    place = {"engine": "postgresql", "host": HERE, "database": "d", "query": "select 1 as a"}
    with pytest.raises(InvalidSource, match=problem) as told:
        fetch("sql", {**place, **changes}, SECRET)
    assert set(told.value.fields or {}) == {"ca_certificate"}


def test_an_authority_is_told_in_words() -> None:
    [line] = authority_words(authority().pem)
    assert line.startswith("CN=clinic, until 20")
    assert authority_words(authority().pem + authority("thief").pem)[0] == line
