"""From claims to roles."""

from dataclasses import dataclass
from typing import Any

import pytest

from mlplatform.identity.claims import claims_of, roles_given, values_of


@dataclass(frozen=True)
class Rule:
    claim: str
    value: str
    tenant_id: int
    role: str


@pytest.mark.parametrize(
    ("claims", "name", "values"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}),
        ({"department": "lab"}, "department", {"lab"}),
        ({"level": 3}, "level", {"3"}),
        ({"staff": True}, "staff", {"true"}),
        ({"realm_access": {"roles": ["x"]}}, "realm_access.roles", {"x"}),
        ({"https://corp.example/roles": ["x"]}, "https://corp.example/roles", {"x"}),
        ({"a.b": "whole", "a": {"b": "nested"}}, "a.b", {"whole"}),
        ({"groups": [["a"], None, {"b": "c"}]}, "groups", {"a"}),
        ({"groups": None}, "groups", set()),
        ({"groups": {}}, "groups.name", set()),
        ({"groups": "ab"}, "groups.a", set()),
        ({}, "groups", set()),
    ],
)
def test_the_values_of_a_claim(claims: dict[str, Any], name: str, values: set[str]) -> None:
    assert values_of(claims, name) == values


def test_the_highest_role_of_each_tenant_counts() -> None:
    rules = [
        Rule("groups", "a", 1, "operator"),
        Rule("groups", "b", 1, "viewer"),
        Rule("groups", "b", 2, "viewer"),
        Rule("groups", "c", 2, "admin"),
        Rule("department", "lab", 3, "approver"),
    ]
    assert roles_given({"groups": ["a", "b"], "department": "lab"}, rules) == {
        1: "operator",
        2: "viewer",
        3: "approver",
    }


def test_a_value_must_match_wholly() -> None:
    assert (
        roles_given({"groups": ["ml-admins-former", "ML-ADMINS"]}, [Rule("groups", "ml-admins", 1, "admin")])
        == {}
    )


def test_user_info_goes_before_the_id_token() -> None:
    assert claims_of({"id_token": {"a": 1, "b": 1}, "userinfo": {"a": 2}}) == {"a": 2, "b": 1}
    assert claims_of({}) == {}
