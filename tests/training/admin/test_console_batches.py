"""Batches in the console."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import RegisteredModel
from tests.conftest import ConsoleFor
from tests.factories import make_champion
from tests.training.batches import as_csv, rows, worked_off
from training.models import BatchJob

ADD = "/admin/training/batchjob/add/"


@pytest.fixture
def model(tenant: Tenant) -> RegisteredModel:
    with tenant_scope(tenant), tenant_transaction():
        return make_champion().model


def test_a_file_is_answered_watched_and_fetched(
    tenant: Tenant, model: RegisteredModel, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.ANALYST)
    assert "Answer a file" in client.get(page_url(model)).content.decode()
    file = SimpleUploadedFile("year.csv", as_csv(rows(40)))
    sent = {"file": file, "form": "csv", "on_bad_row": "fail", "keep": "patient\nmean_radius", "reasons": "1"}
    page = client.post(f"{ADD}?model={model.pk}", sent, follow=True).content.decode()
    assert "Waiting for a worker" in page
    with tenant_scope(tenant), tenant_transaction():
        job = BatchJob.objects.get()
        assert job.options["keep"] == ["patient", "mean_radius"]
        worked_off(job)
    live = client.get(command_url(job, "progress"))
    assert live["HX-Refresh"] == "true"
    page = client.get(page_url(job)).content.decode()
    assert "40 rows answered" in page
    assert "Download the answers" in page
    answer: Any = client.get(command_url(job, "download"))
    answers = b"".join(answer.streaming_content)
    assert answers.startswith(b'"mean_radius","patient","prediction"')


def test_what_cannot_be_answered_is_told_in_the_form(
    tenant: Tenant, model: RegisteredModel, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    sent = {"file": SimpleUploadedFile("x.csv", b"a,b\n1,2\n"), "form": "csv", "on_bad_row": "fail"}
    page = client.post(f"{ADD}?model={model.pk}", sent).content.decode()
    assert "The input has no column" in page
    page = client.post(f"{ADD}?model={model.pk}", {"form": "csv", "on_bad_row": "fail"}).content.decode()
    assert "Give one input" in page


def test_a_viewer_starts_and_fetches_nothing(
    tenant: Tenant, model: RegisteredModel, console_for: ConsoleFor
) -> None:
    assert console_for(tenant, Role.VIEWER).get(ADD).status_code == 403
