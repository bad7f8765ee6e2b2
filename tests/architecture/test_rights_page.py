"""docs/security.md: the table of roles and scopes says what the code says."""

import re

from mlplatform.tenancy.models import Role, Scope
from mlplatform.tenancy.permissions import ROLE_CAPABILITIES, SCOPE_CAPABILITIES, Capability
from tests.architecture.test_security_page import PAGE

HEADING = "| right | viewer | analyst | operator | approver | admin | scope of a key |"


def table() -> dict[str, list[str]]:
    """Return the cells of each right, by its name."""
    lines = PAGE.partition(HEADING)[2].strip().partition("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {re.findall(r"`(\w+)`", first)[0]: rest for first, *rest in cells}


def test_the_heading_names_every_role_in_its_order() -> None:
    assert HEADING in PAGE
    assert [cell.strip() for cell in HEADING.strip("|").split("|")][1:-1] == Role.values


def test_each_right_is_in_the_table_with_the_roles_and_scopes_that_hold_it() -> None:
    expected = {
        capability: [
            *("yes" if capability in ROLE_CAPABILITIES[role] else "" for role in Role.values),
            *(f"`{scope}`" for scope in Scope.values if capability in SCOPE_CAPABILITIES[scope]),
        ]
        for capability in Capability
    }
    assert table() == expected
