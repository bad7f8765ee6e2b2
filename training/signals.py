"""What the services of training tell their tasks, after commit. Receivers only enqueue a task."""

from django.dispatch import Signal

# Sent with ``tenant_id``, ``job_id`` and ``places``: so many workers may help with the job's search.
help_wanted = Signal()
