"""Rows as the database holds them."""

from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet


class Question(NamedTuple):
    """A query as it is sent: who sends it again and again need not have it written each time."""

    sql: str
    values: Any


def question(rows: "QuerySet[Any, Any]") -> Question:
    """Return how the query is sent."""
    return Question(*rows.query.sql_with_params())


def as_stored(asked: Question) -> list[tuple[Any, ...]]:
    """Return what a query finds with nothing decoded, which is quicker and shows any change."""
    with connection.cursor() as cursor:
        cursor.execute(asked.sql, asked.values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
