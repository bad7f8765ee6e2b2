"""Rows as the database holds them."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet


def as_stored(rows: "QuerySet[Any, Any]") -> list[tuple[Any, ...]]:
    """Return what a query finds with nothing decoded, which is quicker and shows any change."""
    sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
