"""The trail as a file."""

import csv
import io
import json

import pytest

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.chain import genesis, seal
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import active_tenant
from mlplatform.tenancy.services.audit import Subject, record
from mlplatform.tenancy.services.audit_export import COLUMNS, export_trail


def text_of(form: str, **filters: str) -> str:
    return "".join(export_trail(events=AuditEvent.objects.filter(**filters), form=form, by=SYSTEM).lines)


def test_json_lines_can_be_verified_without_the_platform(in_tenant: Tenant) -> None:
    record(by=SYSTEM, action="step", target=in_tenant, before={"a": 1.5}, after={"a": "ü"})
    last = genesis(in_tenant.slug)
    entries = [json.loads(line) for line in text_of("jsonl").splitlines()]
    for number, entry in enumerate(entries, start=1):
        sealed = entry.pop("hash")
        assert (entry["sequence"], entry["prev_hash"]) == (number, last)
        assert seal(entry) == sealed
        last = sealed
    assert entries[-1]["action"] == "audit.exported"


def test_csv_holds_the_same_and_runs_no_formula(in_tenant: Tenant) -> None:
    bad = "=HYPERLINK(1)"
    record(by=SYSTEM, action="step", target=Subject("x", "1", bad), after={"a": "1,2\n3"})
    rows = list(csv.DictReader(io.StringIO(text_of("csv", action="step"))))
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["object_label"] == f"'{bad}"
    assert json.loads(rows[0]["after"]) == {"a": "1,2\n3"}


def test_the_export_is_recorded_before_a_line_is_read(in_tenant: Tenant) -> None:
    export = export_trail(events=AuditEvent.objects.all(), form="csv", by=SYSTEM, chosen={"action": "x"})
    told = AuditEvent.objects.get(action="audit.exported")
    assert told.details == {"format": "csv", "chosen": {"action": "x"}}
    assert export.name.startswith("audit-clinic-")


def test_a_reader_holds_no_scope_between_lines(tenant: Tenant, in_tenant: Tenant) -> None:
    lines = export_trail(events=AuditEvent.objects.all(), form="jsonl", by=SYSTEM).lines
    next(lines)
    assert active_tenant() == tenant


def test_an_unknown_format_is_refused(in_tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="Choose csv or jsonl"):
        export_trail(events=AuditEvent.objects.all(), form="xml", by=SYSTEM)
