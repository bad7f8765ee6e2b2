"""The serve command's own part; starting and stopping is tried in tests/mlplatform/running."""

import socket

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from mlplatform.management.commands.serve import probe_host


def test_it_refuses_a_taken_port_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(CommandError, match=f"--port {port + 1}"):
            call_command("serve", port=port)


@pytest.mark.parametrize(
    ("allowed", "asked"),
    [
        (["127.0.0.1", "ml.example.org"], None),
        (["*"], None),
        ([], None),
        (["ml.example.org"], "ml.example.org"),
        ([".example.org"], "example.org"),
    ],
)
def test_readiness_is_asked_for_under_an_allowed_name(
    settings: Settings, allowed: list[str], asked: str | None
) -> None:
    settings.ALLOWED_HOSTS = allowed
    assert probe_host() == asked
