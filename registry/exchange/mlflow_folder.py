"""A version as the model folder of MLflow, whose ``mlflow.pyfunc.load_model`` opens it without this platform.

The model is stored as skops (or ONNX, where it came as such), never as a pickle. Beside it lies the code that
answers: those modules of the platform that the model is made of and that read its rows, and no others. The
format: https://mlflow.org/docs/latest/ml/model/ (MLmodel, python_function, signature, input example).
"""

import ast
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import yaml

from registry.tabular.columns import NUMBER_TYPES, Column, ColumnType

ROOT = Path(__file__).resolve().parent.parent.parent
OWN = ("mlplatform", "registry", "training")
LOADER = "platform_model"
# What the loader itself asks for, whatever the model is made of.
ALWAYS = ("registry.inference.native", "registry.tabular.coercion", "registry.tabular.columns")
MODULES = {"skops": ("registry.inference.native",), "onnx": ("registry.inference.foreign",)}
TESTED_WITH = "3.0.0"

LOADER_CODE = '''"""Opens the model beside it for mlflow.pyfunc. No pickle is read."""

import json
from pathlib import Path

import pandas as pd

from registry.inference.native import predict
from registry.tabular.coercion import coerce_frame
from registry.tabular.columns import columns_from_json

TRUSTED = {trusted!r}


class PlatformModel:
    """Answers a table with labels or numbers; with probabilities=True with a column for each class."""

    def __init__(self, pipeline, columns, classes):
        self.pipeline, self.columns, self.classes = pipeline, columns, classes

    def predict(self, rows, params=None):
        frame = coerce_frame(pd.DataFrame(rows), self.columns)
        answers = predict(self.pipeline, frame, self.classes)
        if (params or {{}}).get("probabilities") and answers.probabilities is not None:
            return pd.DataFrame(answers.probabilities, columns=answers.classes)
        return answers.values


def _load_pyfunc(path):
    folder = Path(path)
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    return PlatformModel(_open(folder), columns_from_json(about["columns"]), about["classes"])


def _open(folder):
{opening}
'''
OPENING = {
    "skops": "    import skops.io\n\n    return skops.io.load(folder / 'model.skops', trusted=TRUSTED)",
    "onnx": (
        "    from registry.inference.foreign import open_foreign\n\n"
        "    return open_foreign((folder / 'model.onnx').read_bytes())"
    ),
}


@dataclass(frozen=True)
class Packed:
    """What goes into the folder: the model's bytes as ``skops`` or ``onnx``, and what is known of it."""

    name: str
    number: int
    form: str
    data: bytes
    columns: Sequence[Column]
    classes: list[str] | None
    trusted: Sequence[str]
    example: Sequence[dict[str, Any]]
    created_at: str


def model_folder(packed: Packed) -> bytes:
    """The folder as a zip, to be unpacked where ``mlflow.pyfunc.load_model`` is to find it."""
    code, needed = _code([*ALWAYS, *MODULES[packed.form], *_modules_of(packed.trusted)])
    libraries = {"skops": {"skops"}, "onnx": {"onnxruntime"}}[packed.form]
    requirements = [f"mlflow>={TESTED_WITH}", *_pinned(needed | libraries | {"sklearn"})]
    files: dict[str, str | bytes] = {
        "MLmodel": yaml.safe_dump(_mlmodel(packed), sort_keys=False),
        "requirements.txt": "\n".join(requirements) + "\n",
        "python_env.yaml": yaml.safe_dump(
            {"python": _python(), "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
        ),
        "conda.yaml": yaml.safe_dump(
            {
                "name": "mlflow-env",
                "channels": ["conda-forge"],
                "dependencies": [f"python={_python()}", "pip", {"pip": requirements}],
            },
            sort_keys=False,
        ),
        "input_example.json": json.dumps(_split(packed)),
        f"data/model.{packed.form}": packed.data,
        "data/about.json": json.dumps({"columns": _plain(packed.columns), "classes": packed.classes}),
        f"code/{LOADER}.py": LOADER_CODE.format(trusted=list(packed.trusted), opening=OPENING[packed.form]),
        **{f"code/{name}": source for name, source in code.items()},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _mlmodel(packed: Packed) -> dict[str, Any]:
    answer = "double" if packed.classes is None else "string"
    switch = {"name": "probabilities", "type": "boolean", "default": False, "shape": None}
    return {
        "flavors": {
            "python_function": {
                "loader_module": LOADER,
                "code": "code",
                "data": "data",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "python_version": _python(),
            }
        },
        "metadata": {"model": packed.name, "version": packed.number},
        "mlflow_version": TESTED_WITH,
        "model_uuid": f"{packed.name}-{packed.number}",
        "utc_time_created": packed.created_at,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        },
        "signature": {
            "inputs": json.dumps([_column(column) for column in packed.columns]),
            "outputs": json.dumps([{"type": answer, "required": True}]),
            "params": json.dumps([switch]),
        },
    }


def _column(column: Column) -> dict[str, Any]:
    kind = "string"
    if column.type in NUMBER_TYPES:
        kind = "double"
    elif column.type is ColumnType.date:
        kind = "datetime"
    return {"type": kind, "name": column.name, "required": True}


def _plain(columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [{"name": one.name, "type": one.type.value, "nullable": one.nullable} for one in columns]


def _split(packed: Packed) -> dict[str, Any]:
    names = [column.name for column in packed.columns]
    numbers = {column.name for column in packed.columns if column.type in NUMBER_TYPES}
    rows = [
        [_number(row[name]) if name in numbers else row[name] for name in names] for row in packed.example
    ]
    return {"columns": names, "data": rows}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _pinned(packages: Iterable[str]) -> list[str]:
    """The installed release of each imported package's distribution."""
    known = packages_distributions()
    names = {known[package][0] for package in packages if package in known}
    return [f"{name}=={version(name)}" for name in sorted(names)]


def _modules_of(types: Sequence[str]) -> list[str]:
    return [name.rpartition(".")[0] for name in types if name.partition(".")[0] in OWN]


def _code(modules: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """The sources of the platform's modules that these need, by path; and the packages that they import.

    A package's own file is taken only where a module asks for something in it: else it stays empty, and with
    it all that it would load.
    """
    sources: dict[str, str] = {}
    packages: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _file_of(module)
        if path is None or module in ("mlplatform", *OWN) or str(path) in sources:
            continue
        sources[str(path)] = text = (ROOT / path).read_text(encoding="utf-8")
        own, others = _imports(text)
        waiting += own
        packages |= others
    for name in list(sources):
        for folder in Path(name).parents:
            if folder.name:
                sources.setdefault(str(folder / "__init__.py"), "")
    return sources, packages


def _imports(text: str) -> tuple[list[str], set[str]]:
    own: list[str] = []
    others: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            whole = [] if all(_file_of(name) for name in inner) else [node.module]
            names = [*(name for name in inner if _file_of(name)), *whole]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top in OWN:
                own.append(name)
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return own, others


def _file_of(module: str) -> Path | None:
    """Where the module's source lies below the root, None where it is none of the platform's."""
    if module.partition(".")[0] not in OWN:
        return None
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None
