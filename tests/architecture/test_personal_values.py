"""No value of a personal column stands anywhere but in the dataset's own file.

A tenant's data is full of canaries in personal columns of every kind. A model is trained on it by a real
job, deployed, asked, told outcomes, checked, and retrained in vain. Then every table of the database, every
page and every address of the API, as reader and as admin, every export and every log line is searched.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.test import Client

from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.subjects import export_subject
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit_export import export_trail
from monitoring.services.checks import run_checks
from monitoring.services.log_treatment import treat_log
from registry.errors import InvalidRows
from registry.frames import dataset_frame
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.privacy.release import Choice
from registry.services.anonymised import TableFormat, export_anonymised
from registry.services.datasets import freeze
from registry.services.personal import mark_dataset
from registry.services.promotion import promote
from registry.services.serving import predict
from registry.tabular.schema import Treatment
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_model
from tests.isolation.addresses import Address, addresses
from tests.isolation.worlds import World
from training.services import execution
from training.services.claims import claim
from training.services.datasets import retraining_dataset
from training.services.jobs import create_job

ROWS = 120
# With a digit, since the word itself stands in words for users.
CANARY = re.compile(r"c4nary|7770\d\d\.5|1917-03")
KEEP, DROP = Treatment.pseudonymise, Treatment.drop
MARKS = {"person": KEEP, "town": KEEP, "income": KEEP, "born": DROP, "remark": DROP}
# Signing in and out and what is no page of the tenant's data; and the trained model itself, which leaves with
# what it has learnt, such as the values that stand in for missing ones.
ELSEWHERE = re.compile(
    r"^(accounts/|static/|admin/log(in|out)|admin/jsi18n|admin/password)|api/v1/models/.*/export$"
)


def people() -> pd.DataFrame:
    draw = np.random.default_rng(1)
    place = np.arange(ROWS)
    age = draw.integers(20, 80, ROWS)
    return pd.DataFrame(
        {
            "person": [f"c4nary-person-{number}" for number in place],
            "town": [f"c4nary-town-{number % 3}" for number in place],
            "income": 777000.5 + place,
            "born": [f"1917-03-{1 + number % 28:02d}" for number in place],
            "remark": [f"c4nary remark of some length, with number {number} in it" for number in place],
            "age": age,
            "diagnosis": np.where(age + draw.normal(0, 9, ROWS) > 50, "malignant", "benign"),
        }
    )


def lived(*, marked_later: bool) -> None:
    """Run the canaries once around the loop; columns are marked at import, or after everything was logged."""
    marks = {} if marked_later else MARKS
    dataset, _ = freeze(name="p", frame=people(), by=SYSTEM, origin={"kind": "test"}, personal=marks)
    model = make_model()
    config = {"algorithms": [{"key": "logistic_regression"}], "folds": 2}
    job = create_job(model=model, dataset=dataset, by=SYSTEM, config=config)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    version = ModelVersion.objects.get()
    promote(model=model, version=version, by=SYSTEM, reason="first", override=True)
    model.refresh_from_db()
    names = [column["name"] for column in version.features]
    rows = [{name: row[name] for name in names} for row in _plain(people().head(60))]
    keys = [f"c4nary-key-{number % 7}" for number in range(60)]
    answered = predict(model=model, rows=rows, by=SYSTEM, entity_keys=keys).predictions
    record_outcomes(items=[OutcomeItem(one.pk, "benign") for one in answered], source="api", by=SYSTEM)
    with pytest.raises(InvalidRows):
        predict(model=model, rows=[{**rows[0], "income": "c4nary", "town": 1.5, "age": "x"}], by=SYSTEM)
    run_checks(model=model, by=SYSTEM)
    if marked_later:
        mark_dataset(dataset=dataset, changes=MARKS, by=SYSTEM)
        model.refresh_from_db()
        treat_log(model=model, by=SYSTEM)
        run_checks(model=model, by=SYSTEM)
    with pytest.raises(PlatformError):
        retraining_dataset(model=model, by=SYSTEM)


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


@pytest.fixture(params=["marked at import", "marked later"])
def loop(request: pytest.FixtureRequest, tenant: Tenant, caplog: pytest.LogCaptureFixture) -> Tenant:
    """The clinic after it all; what was logged on the way is in ``caplog``."""
    caplog.set_level("DEBUG")
    with tenant_scope(tenant), tenant_transaction():
        lived(marked_later=request.param == "marked later")
    return tenant


class Clinic:
    """Stands in for a world of two tenants where an address is filled with the one's rows."""

    def __init__(self, tenant: Tenant) -> None:
        self.ours = tenant

    def row(self, model: type[Model], *, theirs: bool) -> Model:
        """Return the newest row."""
        with tenant_scope(self.ours), tenant_transaction():
            found = model._default_manager.order_by("-pk").first()
        if found is None:
            raise LookupError(model)
        return found


def filled(tenant: Tenant) -> Iterator[str]:
    """Yield every address below which the tenant has something to show."""
    world = cast(World, Clinic(tenant))
    for address in addresses():
        if ELSEWHERE.match(address.path) or not _readable(address):
            continue
        try:
            yield address.at(world)
        except (LookupError, ObjectDoesNotExist):
            continue


def _readable(address: Address) -> bool:
    if address.of_api:
        return "get" in address.actions() or not address.actions()
    return True


def found_in(texts: dict[str, str]) -> dict[str, str]:
    """Return where a canary stands, with its surroundings."""
    return {
        where: text[max(0, hit.start() - 60) : hit.end() + 30]
        for where, text in texts.items()
        if (hit := CANARY.search(text))
    }


def body(answer: Any) -> str:
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def stored() -> dict[str, str]:
    """Return every row of every table as text."""
    return {
        f"{table._meta.label} {row.pk}": str(
            {field.attname: getattr(row, field.attname) for field in table._meta.concrete_fields}
        )
        for table in apps.get_models()
        for row in table._default_manager.all()
    }


def exports(dataset: Dataset) -> dict[str, str]:
    """Return everything that can be taken out, as text."""
    taken: dict[str, str] = {}
    choice = Choice(("income", "town", "age"), "diagnosis")
    for form in TableFormat:
        export, facts = export_anonymised(dataset=dataset, choice=choice, form=form, by=SYSTEM)
        taken[f"dataset as {form}"] = b"".join(export.lines).decode("latin-1") + str(facts)
    for kind in ("csv", "jsonl"):
        events = export_trail(events=AuditEvent.objects.all(), form=kind, by=SYSTEM)
        taken[f"trail as {kind}"] = "".join(events.lines)
    taken["person"] = "".join(export_subject(key="c4nary-key-3", by=SYSTEM).lines)
    return taken


def test_nothing_personal_is_stored_shown_exported_or_logged(
    loop: Tenant, console_for: ConsoleFor, api_for: ApiFor, caplog: pytest.LogCaptureFixture
) -> None:
    with tenant_scope(loop), tenant_transaction():
        dataset = Dataset.objects.order_by("pk")[0]
        assert CANARY.search(str(dataset_frame(dataset)))  # the model's own data is whole
        assert RegisteredModel.objects.get().personal == MARKS
        assert found_in(exports(dataset)) == {}
        assert found_in(stored()) == {}
    readers: dict[str, Client] = {
        "viewer": console_for(loop, Role.VIEWER),
        "admin": console_for(loop),
        "key": cast(Client, api_for(loop)),
    }
    pages = {
        f"{address} as {name}": body(client.get(address))
        for address in filled(loop)
        for name, client in readers.items()
    }
    assert len(pages) > 150
    assert found_in(pages) == {}
    assert found_in({"log": caplog.text}) == {}


def test_the_search_finds_what_is_not_marked(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        dataset, _ = freeze(name="p", frame=people(), by=SYSTEM, origin={"kind": "test"})
        assert any(name.startswith("registry.Dataset") for name in found_in(stored()))
    page: Callable[[str], Any] = console_for(tenant).get
    assert found_in({"page": body(page(f"/admin/registry/dataset/{dataset.pk}/change/"))})
