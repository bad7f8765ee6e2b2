"""Connections to tenants' databases: judged, encrypted, and unable to write."""

import os
import sqlite3
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection as own_connection

from mlplatform.outbound.connect import Cutter, open_socket, reachable_address
from mlplatform.outbound.errors import AddressRefused
from mlplatform.outbound.lookup import current_policy, plain_host
from training.errors import InvalidSource
from training.sources.certificates import authority_file

if TYPE_CHECKING:
    import sqlalchemy as sa

NO_FILE = f"{os.devnull}/none"  # nothing that the server's own account keeps is used for a tenant
PORTS = {"postgresql": 5432, "mysql": 3306}
POSTGRES_TLS = {"verify": "verify-full", "require": "require", "off": "disable"}
CONNECT_SECONDS = 10
LONGEST_VALUE = 10_000_000  # bytes of one cell in SQLite, which can make up endless ones
STEPS = 10_000  # of SQLite between two looks at the clock
ALLOWED_IN_SQLITE = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
OPENS_FILES = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
Connect = Callable[[], Any]


def check_place(*, engine: str, host: str, port: int | None, database: str, tls: str) -> None:
    """Raise InvalidSource or AddressRefused for a place that no source may name, without connecting to it."""
    if engine == "sqlite":
        allowed_file(database)
        return
    if not database or any(sign in database for sign in "=/\x00") or "://" in database:
        raise _wrong("database", "Give the name of the database alone.")
    name = plain_host(host)
    if tls != "verify" and not current_policy().trusts(name, port or PORTS[engine]):
        how = "without encryption" if tls == "off" else "to whoever shows any certificate"
        raise AddressRefused(
            f"A password is not sent {how} unless the operator named the host. Choose TLS with a checked "
            "certificate (verify), with ca_certificate for an authority of your own, or ask for the host to "
            "be named in ML_OUTBOUND_HOSTS."
        )


@dataclass(frozen=True, kw_only=True)
class Login:
    """Which database, and as whom."""

    engine: str
    host: str
    port: int | None
    database: str
    username: str
    password: str = field(repr=False)
    tls: str
    ca_certificate: str = ""

    @property
    def number(self) -> int:
        """The port, the usual one where none is named."""
        return self.port or PORTS[self.engine]


def engine_for(login: Login, *, cutter: Cutter, seconds: float) -> "sa.Engine":
    """Return an engine whose connections read only, and are cut by the cutter.

    Raises AddressRefused, AddressUnreachable, InvalidSource, or ImportError for a driver that is not
    installed.
    """
    check_place(engine=login.engine, host=login.host, port=login.port, database=login.database, tls=login.tls)
    if login.engine == "sqlite":
        file = allowed_file(login.database)
        return _engine("sqlite://", lambda: _sqlite(file, seconds))
    login = replace(login, host=plain_host(login.host))
    if login.engine == "postgresql":
        _refuse_own_database(login)
        return _engine("postgresql+psycopg://", lambda: _postgres(login, cutter, seconds))
    return _engine("mysql+pymysql://", lambda: _mysql(login, cutter, seconds))


def allowed_file(name: str) -> Path:
    """Return the SQLite file of this name in the operator's folder; raises InvalidSource.

    Never the platform's own database, whatever link leads to it.
    """
    if settings.SOURCE_FILES is None:
        raise _wrong(
            "database", "SQLite files are not open here. The platform's operator names a folder of them "
            "with ML_SOURCE_FILES.",
        )  # fmt: skip
    folder = Path(settings.SOURCE_FILES).resolve()
    if "\x00" in name or not name.strip():
        raise _wrong("database", "Give the file's name in the operator's folder.")
    path = (folder / name).resolve()
    inside = path.is_relative_to(folder) and not path.is_relative_to(Path(settings.DATA_DIR).resolve())
    if not inside or not path.is_file() or _is_own_file(path):
        raise _wrong("database", f"There is no file {name[:80]!r} in the operator's folder.")
    return path


def _is_own_file(path: Path) -> bool:
    own = settings.DATABASES["default"]
    return own["ENGINE"].endswith("sqlite3") and Path(own["NAME"]).exists() and path.samefile(own["NAME"])


def _refuse_own_database(login: Login) -> None:
    """Raise AddressRefused for the platform's own database, even where the operator opened its server."""
    own = own_connection.settings_dict
    mine = own_connection.vendor == "postgresql" and str(own["NAME"]) == login.database
    if mine and int(own["PORT"] or PORTS["postgresql"]) == login.number:
        raise AddressRefused("A source never reads the platform's own database, which holds every tenant.")


def _engine(url: str, connect: Connect) -> "sa.Engine":
    import sqlalchemy as sa  # takes megabytes, and most processes ask no database

    return sa.create_engine(url, creator=connect, poolclass=sa.NullPool, hide_parameters=True)


def _sqlite(path: Path, seconds: float) -> sqlite3.Connection:
    end = time.monotonic() + seconds
    opened = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=CONNECT_SECONDS)
    opened.execute("PRAGMA query_only = ON")
    opened.execute("PRAGMA trusted_schema = OFF")
    opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    opened.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    opened.set_progress_handler(lambda: int(time.monotonic() > end), STEPS)
    opened.set_authorizer(_authorise)
    return opened


def _authorise(action: int, first: str | None, second: str | None, *rest: Any) -> int:
    opens_files = action == sqlite3.SQLITE_FUNCTION and str(second).lower() in OPENS_FILES
    if action in ALLOWED_IN_SQLITE and not opens_files:
        return sqlite3.SQLITE_OK
    # What SQLAlchemy and Python send around a query: begin, roll back, and which isolation there is.
    asks = (action, first, second) == (sqlite3.SQLITE_PRAGMA, "read_uncommitted", None)
    around = asks or action == sqlite3.SQLITE_TRANSACTION
    return sqlite3.SQLITE_OK if around else sqlite3.SQLITE_DENY


def _postgres(login: Login, cutter: Cutter, seconds: float) -> Any:
    if login.tls != "verify":
        return _postgres_trusting("", login, cutter, seconds)
    if not login.ca_certificate:
        return _postgres_trusting("system", login, cutter, seconds)
    with authority_file(login.ca_certificate) as roots:
        return _postgres_trusting(roots, login, cutter, seconds)


def _postgres_trusting(roots: str, login: Login, cutter: Cutter, seconds: float) -> Any:
    import psycopg  # an extra: it may not be installed

    trusted: dict[str, Any] = {"sslrootcert": roots} if roots else {}
    opened = psycopg.connect(
        host=login.host,
        hostaddr=reachable_address(login.host, login.number),  # the judged one: it looks no name up
        port=login.number,
        dbname=login.database,
        user=login.username,
        password=login.password,
        passfile=NO_FILE,
        sslcert=NO_FILE,
        sslkey=NO_FILE,
        gssencmode="disable",
        connect_timeout=CONNECT_SECONDS,
        application_name="mlplatform source",
        options=f"-c default_transaction_read_only=on -c statement_timeout={int(seconds * 1000)}",
        sslmode=POSTGRES_TLS[login.tls],
        sslcrl=NO_FILE,
        **trusted,
    )
    cutter.watch(opened.fileno())
    return opened


def _mysql(login: Login, cutter: Cutter, seconds: float) -> Any:
    import pymysql  # as above

    opened: Any = pymysql.connect(
        host=login.host,
        port=login.number,
        database=login.database,
        user=login.username,
        password=login.password,
        charset="utf8mb4",
        local_infile=False,
        read_timeout=ceil(seconds) + 1,  # the cutter comes first
        write_timeout=CONNECT_SECONDS,
        ssl=_mysql_tls(login),
        ssl_disabled=login.tls == "off",
        defer_connect=True,
    )
    channel = open_socket(login.host, login.number, seconds=CONNECT_SECONDS)
    cutter.watch(channel.fileno())
    opened.connect(channel)
    with opened.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute("SELECT VERSION()")
        maria = "mariadb" in str(cursor.fetchone()).lower()
        limit = "max_statement_time = %s" if maria else "max_execution_time = %s"
        cursor.execute(f"SET SESSION {limit}", [seconds if maria else int(seconds * 1000)])
    opened.commit()
    return opened


def _mysql_tls(login: Login) -> ssl.SSLContext | None:
    if login.tls == "off":
        return None
    # With an authority of one's own no other is trusted. Host and certificate are checked by default.
    context = ssl.create_default_context(cadata=login.ca_certificate or None)
    if login.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def leave(connection: "sa.Connection", result: "sa.CursorResult[Any] | None") -> None:
    """Close the connection, whatever rows are still to come: nobody asked for them.

    PyMySQL reads a result to its end before it closes the cursor, unless the result says that it is read.
    """
    pending = getattr(getattr(result, "cursor", None), "_result", None)
    if pending is not None:
        pending.unbuffered_active = False
    if result is not None:
        result.close()
    connection.invalidate()


def _wrong(field: str, sentence: str) -> InvalidSource:
    return InvalidSource(sentence, fields={field: [sentence]})
