"""Files that are sent while they are made."""

from django.http import StreamingHttpResponse

from mlplatform.tenancy.services.audit_export import Export


def as_download(export: Export) -> StreamingHttpResponse:
    """Return the export as an attachment that no cache keeps."""
    answer = StreamingHttpResponse(export.lines, content_type=f"{export.media_type}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{export.name}"'
    answer["Cache-Control"] = "no-store"
    return answer
