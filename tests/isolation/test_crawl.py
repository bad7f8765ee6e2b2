"""Every address by every method, for every kind of principal: with our rows, and with theirs.

With our rows a principal may do what the stated policy says, no more and no less; with theirs, nothing.
"""

from typing import Any

import pytest

from mlplatform.tenancy.permissions import Capability
from tests.architecture.test_routes import POLICY
from tests.isolation.addresses import API, Address, addresses
from tests.isolation.crawler import Crawler
from tests.isolation.policy import KEY, MEMBER, NOBODY, OWNER, PUBLIC, SIGNED_IN, stated
from tests.isolation.principals import PRINCIPALS, Principal

HARMLESS = ("HEAD", "OPTIONS")
# Who sees the same pages as the viewer or the admin: of them, what differs by role is walked.
ALIKE = ("analyst", "operator", "approver", "removed member")
SEEN_BY_ALL = ("view", MEMBER, SIGNED_IN)
WRITES = ("POST", "PUT", "PATCH", "DELETE")
each_principal = pytest.mark.parametrize("principal", PRINCIPALS, indirect=True)


@each_principal
def test_the_api_answers_as_its_policy_says(crawler: Crawler, principal: Principal) -> None:
    for address in addresses():
        for method in address.actions() if address.of_api else ():
            wanted = POLICY[f"{method.upper()} {address.path.removeprefix(API)}"]
            walk_own(crawler, principal, address, method.upper(), wanted)
            if address.names_a_row:
                answer = crawler.ask(method.upper(), address.at(crawler.world, theirs=True), {})
                assert answer.status_code >= 400, (method, address.path, answer.status_code)
    assert crawler.asked > 50


@each_principal
def test_the_console_answers_as_its_policy_says(crawler: Crawler, principal: Principal) -> None:
    policies = stated()
    for address in addresses():
        wanted = policies.get(address.path, PUBLIC)
        if address.of_api or (principal.name in ALIKE and wanted in SEEN_BY_ALL):
            continue
        for method in ("GET", "POST"):
            walk_own(crawler, principal, address, method, wanted)
            owned = wanted == OWNER and principal.name == "superuser"  # theirs are the installation's too
            if address.names_a_row and not owned:
                theirs = crawler.ask(method, address.at(crawler.world, theirs=True), {})
                assert wanted == PUBLIC or theirs.status_code >= 300 or is_refused(theirs), address.path
    assert crawler.asked > 50


@each_principal
def test_other_methods_are_no_way_round(crawler: Crawler, principal: Principal) -> None:
    place = list(PRINCIPALS).index(principal.name)
    for number, (address, method) in enumerate(other_methods()):
        sharers = 6 if address.of_api else len(PRINCIPALS)
        if number % sharers != place % sharers:
            continue
        headers = {"X-HTTP-Method-Override": "DELETE"} if method == "POST" else {}
        answer = crawler.ask(method, address.at(crawler.world, theirs=True), headers=headers)
        if address.of_api and method not in HARMLESS:
            assert answer.status_code in {401, 403, 404, 405}, (method, address.path)


def other_methods() -> list[tuple[Address, str]]:
    """Return each address with each method that it has no use for; the principals share them out."""
    return [(address, method) for address in addresses() for method in address.other_methods()]


def walk_own(crawler: Crawler, principal: Principal, address: Address, method: str, wanted: str) -> None:
    """Send a request about our own row, and hold the answer against the policy."""
    with crawler.undone():
        answer = crawler.ask(method, address.at(crawler.world), {} if method in WRITES else None)
    if wanted == PUBLIC or answer.status_code == 405:
        return  # whatever it says, what counts is in the crawler's findings
    passed = may_pass(principal, wanted, address)
    told = (principal.name, method, address.path, wanted, answer.status_code, answer.get("Location"))
    assert is_refused(answer) != passed, told


def may_pass(principal: Principal, wanted: str, address: Address) -> bool:
    """Tell whether the policy lets the principal in."""
    if not (principal.known if address.of_api else principal.session):
        return False
    if wanted == OWNER:
        return principal.name == "superuser"
    if wanted == KEY:
        return principal.member and not principal.session and principal.name != "token"
    if wanted in {SIGNED_IN, MEMBER}:
        return wanted == SIGNED_IN or principal.member
    return wanted != NOBODY and Capability(wanted) in principal.capabilities


def is_refused(answer: Any) -> bool:
    """Tell whether the answer is that one has to sign in, or may not."""
    if answer.status_code == 302:
        return "/login/" in answer["Location"]
    if answer.streaming:
        return False
    return answer.status_code in {401, 403} or b"Choose a tenant" in answer.content
