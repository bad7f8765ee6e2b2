"""The table of everything that the doctor looks at, in the order in which it is best mended."""

from collections.abc import Callable

from mlplatform.doctor import background, database, files, packages, security
from mlplatform.doctor.findings import Finding

CHECKS: tuple[Callable[[], Finding], ...] = (
    packages.python_version,
    packages.locked_versions,
    files.data_folder,
    files.storage_round_trip,
    files.sealed_files,
    security.secret_key,
    security.master_key,
    security.debug_switch,
    security.allowed_hosts,
    security.trusted_proxies,
    security.time_zone,
    database.database_answers,
    database.migrations_applied,
    database.tenants_apart,
    background.broker_answers,
    background.worker_answers,
    background.scheduler_beats,
)


def examine(*further: Callable[[], Finding]) -> list[Finding]:
    """Run every check, then the ``further`` ones of the apps, and return what was found."""
    return [check() for check in (*CHECKS, *further)]
