"""The layers of the architecture, as import-linter finds them."""

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = {"mlplatform", "registry", "training", "feedback", "monitoring"}
PURE = {
    "mlplatform.pictures",
    "mlplatform.sealing",
    "training.algorithms",
    "training.automl",
    "training.checks",
    "training.evaluation",
    "training.preprocessing",
    "training.twins",
    "registry.tabular",
    "registry.privacy",
    "registry.problems",
    "registry.protocols",
    "registry.artifacts",
    "registry.cards",
    "registry.exchange",
    "registry.inference",
    "registry.search",
    "monitoring.deciding",
    "monitoring.reporting",
    "feedback.statistics",
    "monitoring.statistics",
}


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return parser


def test_every_contract_is_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_app_is_under_contract() -> None:
    assert set(contracts()["importlinter"]["root_packages"].split()) == APPS


def test_all_pure_code_is_under_contract() -> None:
    assert set(contracts()["importlinter:contract:pure"]["source_modules"].split()) == PURE


def service_modules() -> list[Path]:
    return [path for app in APPS for path in (ROOT / app).rglob("services/*.py")]


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return whole | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_services_of_every_app_are_under_contract() -> None:
    named = set(contracts()["importlinter:contract:services"]["source_modules"].split())
    assert named == {".".join(path.parent.relative_to(ROOT).parts) for path in service_modules()}


@pytest.mark.parametrize("edge", ["django.http", "django.views", "django.contrib.admin", "django.shortcuts"])
def test_services_know_nothing_of_the_web(edge: str) -> None:
    knowing = [path for path in service_modules() if any(name.startswith(edge) for name in imported(path))]
    assert knowing == []
