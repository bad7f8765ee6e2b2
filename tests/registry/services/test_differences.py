"""The difference of two datasets through console, API and command."""

import json

import pytest
from django.core.management import call_command

from mlplatform.admin.links import page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import Dataset
from registry.services.datasets import freeze
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, table

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def two() -> tuple[Dataset, Dataset]:
    before = make_dataset()
    rows = table().assign(mean_radius=lambda frame: frame["mean_radius"] * 1.5).head(400)
    return before, freeze(name=before.name, frame=rows, by=SYSTEM, origin={"kind": "test"})[0]


def test_the_api_compares_with_the_last_of_its_name_or_the_one_named(
    two: tuple[Dataset, Dataset], tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    before, after = two
    api, path = api_for(tenant, "read"), f"/api/v1/datasets/{after.pk}/difference"
    found = api.get(path).json()
    assert found == api.get(path, {"before": before.pk}).json()
    assert (found["before"], found["columns"][0]["column"]) == (before.pk, "mean_radius")
    assert found["rows"] == {"before": 569, "after": 400}
    first = api.get(f"/api/v1/datasets/{before.pk}/difference").json()
    assert (first["before"], first["words"][-1]) == (before.pk, "No column differs noticeably.")
    assert api.get(path, {"before": "x"}).status_code == 400
    with tenant_scope(other_tenant):
        theirs = make_dataset()
    assert api.get(path, {"before": theirs.pk}).status_code == 404


def test_the_console_shows_it_in_words_and_pictures(
    two: tuple[Dataset, Dataset], tenant: Tenant, console_for: ConsoleFor
) -> None:
    before, after = two
    client = console_for(tenant, Role.VIEWER)
    path = f"{page_url(after).removesuffix('change/')}difference/"
    assert f'<option value="{before.pk}" selected' in client.get(path).content.decode()
    page = client.post(path, {"before": before.pk}).content.decode()
    assert "169 rows fewer." in page
    assert "mean_radius before and after</title>" in page
    assert "How numbers go together" in client.get(page_url(after)).content.decode()


def test_the_command_tells_it(
    two: tuple[Dataset, Dataset], tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = two
    numbers = ["--before", str(before.pk), "--after", str(after.pk)]
    call_command("compare_datasets", "--tenant", tenant.slug, "--json", *numbers)
    found = json.loads(capsys.readouterr().out)
    assert found["columns"]["mean_radius"]["verdict"] == "strongly changed"
