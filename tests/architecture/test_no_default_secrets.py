"""No password and no key stands in the code: each is made on first start, or comes from the environment."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("mlplatform", "registry", "training", "feedback", "monitoring")
SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|secret|secret_key|token|api_key|private_key|credential)s?$", re.IGNORECASE
)
SECRET_VARIABLE = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL|DSN")
CODE = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def is_text(node: ast.AST | None) -> bool:
    """Tell whether the value is a text that could be a secret: a sentence is none."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) == 1


def is_its_own_name(name: str, node: ast.AST | None) -> bool:
    """Tell whether the value only repeats the name, as a member of an enumeration does."""
    return isinstance(node, ast.Constant) and node.value == name.lower()


def named_values(tree: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """Return every name that is given a value: assigned, passed, defaulted, or in a dictionary."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.value
        elif isinstance(node, ast.arguments):
            yield from defaults(node)
        elif isinstance(node, ast.Dict):
            yield from (
                (str(key.value), value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            )


def defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.AST | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    start = len(positional) - len(arguments.defaults)
    yield from ((one.arg, value) for one, value in zip(positional[start:], arguments.defaults, strict=True))
    yield from (
        (one.arg, value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    )


def secrets_in(code: str) -> list[str]:
    """Return the names of secrets that the code gives a text of its own."""
    return [
        name
        for name, value in named_values(ast.parse(code))
        if SECRET.search(name) and is_text(value) and not is_its_own_name(name, value)
    ]


def defaults_of_secret_variables(code: str) -> list[str]:
    """Return the variables of the environment that hold a secret and are read with a default."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) in {"env", "os.environ"}
        and isinstance(call.args[0], ast.Constant)
        and SECRET_VARIABLE.search(str(call.args[0].value))
        and any(is_text(value) for value in [*call.args[1:], *(word.value for word in call.keywords)])
    ]


def test_no_secret_is_written_down() -> None:
    found = {str(path.relative_to(ROOT)): secrets_in(path.read_text(encoding="utf-8")) for path in CODE}
    assert {path: names for path, names in found.items() if names} == {}


def test_no_variable_that_holds_a_secret_has_a_default() -> None:
    found = {str(path.relative_to(ROOT)): defaults_of_secret_variables(path.read_text()) for path in CODE}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "code", ['PASSWORD = "admin"', 'connect(password="x")', 'def f(*, token="x"): ...', '{"secret_key": "x"}']
)
def test_one_that_is_would_be_found(code: str) -> None:
    assert len(secrets_in(code)) == 1


def test_a_default_of_a_variable_would_be_found() -> None:
    assert defaults_of_secret_variables('KEY = env.text("ML_SECRET_KEY", "changeme")') == ["ML_SECRET_KEY"]
    assert defaults_of_secret_variables('KEY = env.optional("ML_SECRET_KEY") or kept(DATA_DIR)') == []
