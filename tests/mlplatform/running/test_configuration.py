"""What the supervisor is told."""

import configparser
from pathlib import Path

from mlplatform.running.configuration import supervisor_configuration
from mlplatform.running.ports import reachable_url
from mlplatform.running.programs import platform_programs


def parsed(logs: Path = Path("/data/logs")) -> configparser.ConfigParser:
    text = supervisor_configuration(
        platform_programs("127.0.0.1", 8000),
        root=Path("/app"),
        logs=logs,
        runtime=Path("/r"),
        socket=Path("/r/s"),
    )
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def test_the_web_server_is_stopped_first_and_the_worker_last() -> None:
    order = sorted(platform_programs("127.0.0.1", 8000), key=lambda program: -program.priority)
    assert [program.name for program in order] == ["web", "beat", "worker"]


def test_the_worker_takes_every_queue_and_keeps_to_itself() -> None:
    command = parsed()["program:worker"]["command"]
    assert "--queues default,training,monitoring" in command
    assert "--without-gossip --without-mingle" in command


def test_each_program_has_a_log_of_its_own_and_is_restarted() -> None:
    parser = parsed()
    for name in ("web", "worker", "beat"):
        section = parser[f"program:{name}"]
        assert section["stdout_logfile"] == f"/data/logs/{name}.log"
        assert section["autorestart"] == "true"


def test_a_percent_sign_in_a_path_is_no_expansion() -> None:
    assert parsed(Path("/50%/logs"))["program:web"]["stdout_logfile"] == "/50%%/logs/web.log"


def test_a_server_on_every_address_is_reached_by_loopback() -> None:
    assert reachable_url("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert reachable_url("::1", 80) == "http://[::1]:80"
