"""The help of every command of ours ends with an example that can be copied as it stands."""

import io
import shlex
from contextlib import redirect_stdout

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class

OURS = {
    config.name
    for config in apps.get_app_configs()
    if config.name.split(".")[0] in {"mlplatform", "registry", "training", "feedback", "monitoring"}
}
COMMANDS = sorted((app, name) for name, app in get_commands().items() if app in OURS)


@pytest.mark.parametrize(("app", "name"), COMMANDS)
def test_help_shows_an_example_that_parses(app: str, name: str) -> None:
    command = load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    shown = io.StringIO()
    with redirect_stdout(shown):
        parser.print_help()
    prompt = "  python manage.py "
    lines = [line.removeprefix(prompt) for line in shown.getvalue().split("\n") if line.startswith(prompt)]
    assert lines, shown.getvalue()
    for line in lines:
        words = shlex.split(line)
        assert words[0] == name
        parser.parse_args(words[1:])
