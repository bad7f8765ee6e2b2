"""Pages of lists: cursors, so that deep pages cost no more than the first and no row is shown twice."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Newest rows first; ``?limit=`` up to 200 rows a page."""

    ordering: str | tuple[str, ...] = ("-created_at", "-pk")
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
