"""What may be asked of a database: one SELECT, and nothing that is hidden in it.

This is the first of three walls; the read-only transaction and the cursor, which takes a query alone, are the
others. No parser of ours knows a database as well as the database does.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from training.errors import InvalidSource

LONGEST = 20_000  # characters
DEEPEST = 200
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}")
FORBIDDEN = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.PropertyEQ, exp.Pragma, exp.Attach)
# What reads files, runs other text, writes, waits or holds; by name or by the beginning of it.
FUNCTIONS = re.compile(
    r"(pg_read|pg_ls|pg_stat_file|pg_sleep|pg_terminate|pg_cancel|pg_reload|pg_rotate|pg_switch|pg_create|"
    r"pg_drop|pg_replication|pg_logical|pg_advisory|pg_try_advisory|pg_export|pg_import|pg_promote|pg_notify|"
    r"lo_|dblink|set_config|query_to_xml|table_to_xml|schema_to_xml|database_to_xml|cursor_to_xml|xpath_table|"
    r"nextval|setval|currval|load_extension|load_file|readfile|writefile|edit|fts3_tokenizer|sys_exec|"
    r"sys_eval|sleep|benchmark|get_lock|release_lock|master_pos_wait|xp_|crosstab|copy)\w*",
    re.IGNORECASE,
)
HIDDEN = ("/*!", "/*M!", "/*m!")


@dataclass(frozen=True)
class Statement:
    """A query that may be sent: its text as SQLAlchemy takes it, and the names of its parameters."""

    text: str
    names: frozenset[str]


def checked_statement(query: str, dialect: str) -> Statement:
    """Return the query without its comments; raises InvalidSource for what is not one SELECT.

    ``dialect`` is ``postgres``, ``mysql`` or ``sqlite``.
    """
    if not query.strip():
        raise _wrong("Write the query: one SELECT.")
    if len(query) > LONGEST or "\x00" in query:
        raise _wrong(f"The query is longer than {LONGEST:,} characters, or holds a NUL character.")
    if any(mark in query for mark in HIDDEN):
        raise _wrong("Comments like /*! ... */ are run by MySQL. Leave them out.")
    tree = _parsed(query, dialect)
    for node in tree.walk():
        _check_node(node)
    return Statement(_text(query, dialect), frozenset(_names(tree)))


def _text(query: str, dialect: str) -> str:
    """Return the statement's own pieces, a blank between them; a colon in quotes names no parameter."""
    parts, end = [], -1
    for token in sqlglot.tokenize(query, read=dialect):
        piece = query[token.start : token.end + 1]
        if piece == ";":
            continue
        if len(piece) > 1 and piece != "::":
            piece = piece.replace(":", r"\:")
        # A cast that follows a parameter at once would hide it from the library that binds.
        apart = token.start > end + 1 or piece == "::"
        parts += [" ", piece] if apart else [piece]
        end = token.end
    return "".join(parts).strip()


def _parsed(query: str, dialect: str) -> exp.Query:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is refused just below
    try:
        statements = [one for one in sqlglot.parse(query, read=dialect) if one is not None]
    except SqlglotError as error:
        raise _wrong(f"The query cannot be read: {_first_line(error)} Write one SELECT.") from error
    except RecursionError as error:
        raise _wrong("The query is nested too deeply.") from error
    if len(statements) != 1:
        raise _wrong(f"There are {len(statements)} statements. Write one SELECT.")
    tree = statements[0]
    if not isinstance(tree, exp.Query) or isinstance(tree, exp.DML):
        raise _wrong(f"A source only reads: write one SELECT, not {tree.key.upper()}.")
    return tree


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, FORBIDDEN):
        raise _wrong(f"A source only reads: {node.key.upper()} is not allowed anywhere in the query.")
    if isinstance(node, exp.Anonymous | exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if FUNCTIONS.fullmatch(name):
            raise _wrong(f"The function {name} is not allowed in a source.")


def _names(tree: exp.Query) -> Iterator[str]:
    for node in tree.find_all(exp.Placeholder, exp.Parameter):
        if isinstance(node, exp.Parameter) or not NAME.fullmatch(str(node.this or "")):
            raise _wrong("Name each parameter with a colon, for example :since.")
        yield str(node.this)


def _first_line(error: SqlglotError) -> str:
    text = str(error).splitlines()[0] if str(error) else "it is no SQL."
    return re.sub(r"\x1b\[\d*m", "", text)[:200]


def _wrong(sentence: str) -> InvalidSource:
    return InvalidSource(sentence, fields={"query": [sentence]})
