"""Rows of a database, asked for by one SELECT.

SQLAlchemy and what reads SQL are loaded where a database is asked: most processes never ask one.
"""

import sqlite3
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from msgspec import Meta, Struct

from mlplatform.outbound.connect import Cutter, cut_after
from mlplatform.outbound.lookup import plain_host
from mlplatform.tenancy.scope import current_tenant
from registry.models import RegisteredModel
from training.errors import InvalidSource, SourceDown, SourceRefused
from training.sources.budget import Budget
from training.sources.certificates import LONGEST, check_authority, refusal
from training.sources.databases import PORTS, Login, check_place, engine_for, leave
from training.sources.gathering import Gathering

if TYPE_CHECKING:
    from training.sources.statements import Statement

BATCH_ROWS = 2_000
DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite"}
DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
TENANT_NAMES = ("tenant_id", "tenant_slug")
MOST_PARAMETERS = 50
GRACE_SECONDS = 2.0
NO_CONNECTION = frozenset({"OperationalError", "ConnectionTimeout", "InterfaceError", "OSError"})
MYSQL_TOO_LONG = frozenset({1969, 3024})
# What MySQL's driver calls operational, yet is the query's fault: unknown columns and the like.
MYSQL_OF_QUERIES = frozenset({1052, 1054, 1055, 1064, 1109, 1142, 1143, 1146, 1305, 1370, 1792})
Text = Annotated[str, Meta(max_length=200)]


class SqlSettings(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where the database is, and what it is asked.

    ``ca_certificate`` is the certificate (PEM) of the authority that signed the server's; then it alone is
    trusted. ``params`` are bound, never pasted into the query. ``:tenant_id`` and ``:tenant_slug`` are always
    the tenant's own number and short name.
    """

    engine: Literal["postgresql", "mysql", "sqlite"]
    database: Text
    query: Annotated[str, Meta(max_length=20_000)]
    host: Text = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    username: Text = ""
    tls: Literal["verify", "require", "off"] = "verify"
    ca_certificate: Annotated[str, Meta(max_length=LONGEST)] = ""
    params: dict[str, str | int | float | bool | None] = {}

    def check(self) -> None:
        """Raise InvalidSource or AddressRefused for what can never work, without connecting."""
        from training.sources.statements import NAME  # as above

        names = self.statement().names
        taken = sorted(set(self.params) & set(TENANT_NAMES))
        if taken:
            raise _wrong("params", f":{taken[0]} is always the tenant's own. Choose another name.")
        if len(self.params) > MOST_PARAMETERS or not all(map(NAME.fullmatch, self.params)):
            raise _wrong("params", f"Give at most {MOST_PARAMETERS} parameters, named like :since.")
        missing = sorted(names - set(self.params) - set(TENANT_NAMES))
        if missing:
            raise _wrong("params", f"The query names :{missing[0]}. Give a value for it.")
        unused = sorted(set(self.params) - names)
        if unused:
            raise _wrong("params", f"The query does not name :{unused[0]}. Leave it out.")
        if self.ca_certificate:
            if self.tls != "verify" or self.engine == "sqlite":
                raise _wrong(
                    "ca_certificate", "It is for a server whose certificate is checked (tls: verify)."
                )
            check_authority(self.ca_certificate)
        check_place(engine=self.engine, host=self.host, port=self.port, database=self.database, tls=self.tls)

    def statement(self) -> "Statement":
        """Return the query as it is sent; raises InvalidSource."""
        from training.sources.statements import checked_statement  # as above

        return checked_statement(self.query, DIALECTS[self.engine])

    def destination(self) -> tuple[Any, ...]:
        """Return what the credential is for: where any of it changes, the credential is asked for anew."""
        host = plain_host(self.host) if self.host else ""
        port = self.port or PORTS.get(self.engine)
        return (self.engine, host, port, self.username, self.tls, self.ca_certificate)

    def place(self) -> str:
        """Return where the rows come from, for people."""
        if self.engine == "sqlite":
            return f"SQLite file {self.database}"
        return f"{TITLES[self.engine]} database {self.database} at {self.host}"


TITLES = {"postgresql": "PostgreSQL", "mysql": "MySQL or MariaDB", "sqlite": "SQLite"}


def fetch(
    settings: SqlSettings, secret: str, budget: Budget, model: RegisteredModel | None = None
) -> pd.DataFrame:
    """Run the query in a read-only transaction and return its rows, read batch by batch.

    Raises AddressRefused, AddressUnreachable, InvalidSource, SourceRefused or SourceDown.
    """
    gathering = Gathering(budget)
    pour(settings, secret, budget, gathering)
    return gathering.frame()


def pour(settings: SqlSettings, secret: str, budget: Budget, gathering: Gathering) -> None:
    """Do the same into ``gathering``, which may keep the rows elsewhere than in memory."""
    settings.check()
    # The database ends a slow query by itself; a server that does not is cut off a little later.
    with cut_after(budget.left() + GRACE_SECONDS) as cutter:
        try:
            _read(settings, secret, budget, cutter, gathering)
        except ImportError as error:
            raise InvalidSource(
                f"The driver for {TITLES[settings.engine]} is not installed here: "
                f"{DRIVERS[settings.engine]}. The platform's operator installs the extra 'sql'."
            ) from error
        except _errors_of(settings.engine) as error:
            budget.left()  # says so where the time was over
            refused = refusal(error, own_authority=bool(settings.ca_certificate))
            raise refused or _told(error, budget) from error


def _read(settings: SqlSettings, secret: str, budget: Budget, cutter: Cutter, gathering: Gathering) -> None:
    login = Login(
        engine=settings.engine,
        host=settings.host,
        port=settings.port,
        database=settings.database,
        username=settings.username,
        password=secret,
        tls=settings.tls,
        ca_certificate=settings.ca_certificate,
    )
    from sqlalchemy import text  # as above

    engine = engine_for(login, cutter=cutter, seconds=budget.left())
    statement = settings.statement()
    with engine.connect().execution_options(**_options(settings.engine)) as connection:
        result = None
        try:
            result = connection.execute(text(statement.text), bound(settings, statement))
            names = list(result.keys())
            gathering.add(names, [])
            while not budget.is_full and (rows := result.fetchmany(_batch(budget))):
                gathering.add(names, rows)
        finally:
            leave(connection, result)


def bound(settings: SqlSettings, statement: "Statement") -> dict[str, Any]:
    """Return the query's parameters, the tenant's own among them whatever was written for these."""
    tenant = current_tenant()
    own = {"tenant_id": tenant.pk, "tenant_slug": tenant.slug}
    return {**settings.params, **{name: value for name, value in own.items() if name in statement.names}}


def _batch(budget: Budget) -> int:
    return BATCH_ROWS if budget.sample is None else max(1, budget.sample - budget.rows_taken)


def _options(engine: str) -> dict[str, Any]:
    streamed = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
    return {**streamed, "postgresql_readonly": True} if engine == "postgresql" else streamed


def _errors_of(engine: str) -> tuple[type[Exception], ...]:
    """Return what SQLAlchemy raises, and what the driver raises where it is called directly."""
    from sqlalchemy.exc import SQLAlchemyError  # as above

    if engine == "postgresql":
        import psycopg  # an extra: it may not be installed

        return (SQLAlchemyError, psycopg.Error)
    if engine == "mysql":
        import pymysql  # as above

        return (SQLAlchemyError, pymysql.Error, OSError)
    return (SQLAlchemyError, sqlite3.Error)


def _told(error: Exception, budget: Budget) -> SourceDown | SourceRefused:
    """Return the driver's error in a sentence: its first line alone, which quotes no row."""
    original: Exception = getattr(error, "orig", None) or error  # what SQLAlchemy's own stands for
    kind = type(original).__name__
    text = " ".join(str(part) for part in original.args[-1:]) or kind
    line = next((line.strip() for line in text.splitlines() if line.strip()), kind)
    said = f"{kind}: {line[:300]}" if budget.quote else kind
    number = original.args[0] if len(original.args) > 1 else None
    if kind == "QueryCanceled" or number in MYSQL_TOO_LONG:
        return SourceDown("The database stopped the query because it took too long. Ask for fewer rows.")
    if kind in NO_CONNECTION and not isinstance(original, sqlite3.Error) and number not in MYSQL_OF_QUERIES:
        return SourceDown(f"The database cannot be used: {said}. Check host, account and password.")
    return SourceRefused(f"The database refuses the query: {said}.", fields={"query": [said]})


def _wrong(field: str, sentence: str) -> InvalidSource:
    return InvalidSource(sentence, fields={field: [sentence]})
