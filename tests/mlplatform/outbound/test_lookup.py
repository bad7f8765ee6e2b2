"""Which hosts may be opened, however they are written."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

from mlplatform.outbound.errors import AddressRefused, AddressUnreachable
from mlplatform.outbound.lookup import check_web_port, plain_host, vetted
from mlplatform.outbound.policy import Policy, is_public

CLOSED = Policy()
INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
]  # fmt: skip
DISGUISED = [
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "localhost.",
    "LOCALHOST",
    "[::1]",
    "[::ffff:7f00:1]",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_the_world_reaches_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", [*INSIDE, *DISGUISED])
def test_what_leads_inside_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises((AddressRefused, AddressUnreachable)):
        vetted(host, 80, CLOSED)


@pytest.mark.parametrize("host", DISGUISED)
def test_an_address_in_disguise_is_judged_by_where_it_leads(host: str) -> None:
    with pytest.raises(AddressRefused, match="leads to an address inside"):
        vetted(host, 80, CLOSED)


@pytest.mark.parametrize("host", ["", " ", "a b", "a/b", "a@b", "-x", "a\r\nb", "x" * 300, "/var/run", "a,b"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="is no host"):
        plain_host(host)


def test_the_operator_names_hosts_ports_and_networks() -> None:
    assert vetted("127.0.0.1", 80, Policy.of(["127.0.0.1"])) == ["127.0.0.1"]
    assert vetted("localhost.", 8080, Policy.of(["localhost:8080"]))
    assert vetted("127.0.0.9", 80, Policy.of(["127.0.0.0/8"])) == ["127.0.0.9"]
    for policy in (Policy.of(["localhost:8080"]), Policy.of(["10.0.0.0/8"]), Policy.of(["local"])):
        with pytest.raises(AddressRefused):
            vetted("localhost", 80, policy)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1", "::ffff:127.0.0.1"])
def test_the_platforms_own_services_are_reached_by_their_very_port_alone(host: str) -> None:
    own = [("localhost", 5432)]
    named = Policy.of([host, "127.0.0.0/8"], own)
    with pytest.raises(AddressRefused, match="service of the platform itself"):
        vetted(host, 5432, named)
    assert vetted(host, 5433, named)
    assert vetted(host, 5432, Policy.of([f"{plain_host(host)}:5432"], own))


def answers(*rounds: list[str]) -> tuple[Callable[..., Any], list[str]]:
    """Return a resolver whose answer changes with every question, and the list of what it was asked."""
    asked: list[str] = []

    def resolve(name: str, port: int, **kwargs: Any) -> list[Any]:
        found = rounds[min(len(asked), len(rounds) - 1)]
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return resolve, asked


def test_one_inner_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(["8.8.8.8", "10.0.0.1"])[0])
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        vetted("two-faced.example.com", 443, CLOSED)


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve, asked = answers(["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert vetted("rebinding.example.com", 443, CLOSED) == ["8.8.8.8"]
    assert asked == ["rebinding.example.com"]


@pytest.mark.parametrize("port", [22, 25, 6379, 5432, 11211])
def test_ports_that_speak_no_http_are_refused(port: int) -> None:
    with pytest.raises(AddressRefused, match="no web server's"):
        check_web_port("example.com", port, CLOSED)
    check_web_port("example.com", port, Policy.of([f"example.com:{port}"]))
    check_web_port("example.com", 8443, CLOSED)
