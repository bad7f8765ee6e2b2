"""Files that are sent while they are made."""

from typing import Any

from django.http import StreamingHttpResponse

from mlplatform.tenancy.services.audit_export import Export


def as_download(export: Export[Any]) -> StreamingHttpResponse:
    """Return the export as an attachment that no cache keeps."""
    charset = "" if export.binary else "; charset=utf-8"
    answer = StreamingHttpResponse(export.lines, content_type=f"{export.media_type}{charset}")
    answer["Content-Disposition"] = f'attachment; filename="{export.name}"'
    answer["Cache-Control"] = "no-store"
    return answer
