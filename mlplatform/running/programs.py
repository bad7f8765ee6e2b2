"""Which processes make up a running platform, and how each of them is started and stopped."""

import sys
from dataclasses import dataclass
from pathlib import Path

QUEUES = "default,training,monitoring"
WORKER_GRACE_SECONDS = 30
WEB_THREADS = 32


@dataclass(frozen=True)
class Program:
    """One supervised process.

    ``stop_seconds`` is how long it may take to end by itself after SIGTERM before its whole process
    group is killed.
    """

    name: str
    command: tuple[str, ...]
    priority: int
    stop_seconds: int


def platform_programs(
    host: str, port: int, *, web_workers: int = 2, concurrency: int = 2
) -> tuple[Program, ...]:
    """Return the web server, the Celery worker and the Celery beat, in their starting order."""
    return (
        Program("worker", _worker(concurrency), priority=10, stop_seconds=WORKER_GRACE_SECONDS),
        Program("beat", _beat(), priority=20, stop_seconds=5),
        Program("web", _web(host, port, web_workers), priority=30, stop_seconds=10),
    )


def _web(host: str, port: int, workers: int) -> tuple[str, ...]:
    options = ("--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers))
    # Each thread holds a connection to the database; the server's own default is 256 in each process.
    threads = ("--blocking-threads", str(WEB_THREADS))
    # A worker of the server that ends is replaced; one that hangs at the end is not waited for.
    resilience = ("--respawn-failed-workers", "--workers-kill-timeout", "5")
    return (_script("granian"), *options, *threads, *resilience, "mlplatform.wsgi:application")


def _worker(concurrency: int) -> tuple[str, ...]:
    options = ("--queues", QUEUES, "--concurrency", str(concurrency), "--loglevel", "INFO")
    # Where processor time is short, somebody waits for the web server's answer, and nobody for a training's.
    polite = ("nice", "-n", "10", _script("celery"))
    return (*polite, "-A", "mlplatform", "worker", *options, "--without-gossip", "--without-mingle")


def _beat() -> tuple[str, ...]:
    # An empty pid file name means none: one left behind by a crash would stop the next start.
    scheduler = ("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--max-interval", "5")
    return (_script("celery"), "-A", "mlplatform", "beat", *scheduler, "--pidfile=", "--loglevel", "INFO")


def _script(name: str) -> str:
    """Return the command of that name that belongs to this interpreter, whatever PATH says."""
    return str(Path(sys.executable).with_name(name))
