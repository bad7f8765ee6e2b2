"""What feedback tells higher folders, after commit. Receivers only enqueue a task."""

from django.dispatch import Signal

# Outcomes of the rollout's model came in while it runs. Sent with ``tenant_id`` and ``rollout_id``.
rollout_outcomes_recorded = Signal()
