"""Data sources from the command line."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from registry.services.models import find_model
from registry.services.personal import personal_columns
from training.models import DataSource
from training.services.snapshots import Preview, preview_source, take_snapshot, try_source
from training.services.sources import create_source, delete_source, find_source, update_source
from training.sources.kinds import KINDS


class Command(TenantCommand):
    """``manage.py sources``."""

    help = (
        "List the data sources, or make, try, change, preview, read or delete one. Settings come from a JSON "
        "file (docs/sources.md), the credential from a file of its own, so that it stands in no history."
    )
    example = (
        "python manage.py sources --tenant north-clinic --try --kind sql --settings-file db.json\n"
        "  python manage.py sources --tenant clinic --create Rows --kind rest --settings-file web.json\n"
        "  python manage.py sources --tenant north-clinic --snapshot 4"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do, and what a new source is made of."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--create", metavar="NAME", help="Write a source down.")
        what.add_argument("--try", action="store_true", dest="trial", help="Show first rows; keep nothing.")
        for name in ("show", "preview", "snapshot", "update", "delete"):
            what.add_argument(f"--{name}", type=int, metavar="ID", help=f"{name.capitalize()} this source.")
        parser.add_argument("--kind", choices=sorted(KINDS), help="What it is.")
        parser.add_argument("--settings-file", type=Path, metavar="FILE", help="Its settings, as JSON.")
        parser.add_argument("--secret-file", type=Path, metavar="FILE", help="Its password, token or key.")
        parser.add_argument("--model", help="With predictions: the model's name.")
        parser.add_argument(
            "--pseudonymise", nargs="+", default=[], metavar="COLUMN", help="Personal: keep pseudonyms only."
        )
        parser.add_argument(
            "--drop", nargs="+", default=[], metavar="COLUMN", help="Personal: keep nothing beside the file."
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return what came of it, or all sources."""
        if options["create"] is not None:
            return described(create_source(name=options["create"], **self._given(options)))
        if options["trial"]:
            return shown(try_source(**self._given(options)))
        if options["preview"] is not None:
            return shown(preview_source(source=find_source(options["preview"]), by=self.actor))
        if options["snapshot"] is not None:
            return self._snapshot(find_source(options["snapshot"]))
        if options["update"] is not None:
            return self._update(find_source(options["update"]), options)
        if options["delete"] is not None:
            delete_source(source=find_source(options["delete"]), by=self.actor)
            return {"deleted": options["delete"]}
        if options["show"] is not None:
            return described(find_source(options["show"]))
        return [described(source) for source in DataSource.objects.select_related("model", "last_snapshot")]

    def _given(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["kind"] is None or options["settings_file"] is None:
            raise CommandError("Say what it is with --kind and --settings-file FILE.")
        return {
            "kind": options["kind"],
            "settings": _json(options["settings_file"]),
            "secret": _secret(options["secret_file"]) or "",
            "model": find_model(options["model"]) if options["model"] else None,
            "personal": personal_columns(pseudonymise=options["pseudonymise"], drop=options["drop"]),
            "by": self.actor,
        }

    def _update(self, source: DataSource, options: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if options["settings_file"] is not None:
            changes["settings"] = _json(options["settings_file"])
        if options["secret_file"] is not None:
            changes["secret"] = _secret(options["secret_file"])
        if options["pseudonymise"] or options["drop"]:
            changes["personal"] = personal_columns(pseudonymise=options["pseudonymise"], drop=options["drop"])
        return described(update_source(source=source, changes=changes, by=self.actor))

    def _snapshot(self, source: DataSource) -> dict[str, Any]:
        found = take_snapshot(source=source, by=self.actor)
        return {
            "source": source.name,
            "dataset": found.dataset.pk,
            "rows": found.dataset.rows,
            "content_hash": found.dataset.content_hash,
            "created": found.created,
        }


def described(source: DataSource) -> dict[str, Any]:
    """Return the source as the command prints it."""
    return {
        "id": source.pk,
        "name": source.name,
        "kind": source.kind,
        "model": source.model.name if source.model else None,
        "settings": json.dumps(source.settings),
        "has_credential": bool(source.credential),
        "last_snapshot": source.last_snapshot_id,
        "last_snapshot_at": source.last_snapshot_at,
        "last_failure": source.last_failure,
    }


def shown(preview: Preview) -> dict[str, Any]:
    """Return the first rows as the command prints them."""
    names = [column["name"] for column in preview.columns]
    rows = [dict(zip(names, row, strict=True)) for row in preview.rows]
    return {**asdict(preview), "rows": rows}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise CommandError(f"{path} holds no JSON object.")
    return found


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
