"""What the registry tells higher folders, after commit. Receivers only enqueue a task."""

from django.dispatch import Signal

# Sent with ``tenant_id`` and ``version_id``.
version_registered = Signal()

# Sent with ``tenant_id``, ``version_id`` and ``kind`` (artifact or twin) where a stored file was refused.
file_refused = Signal()
