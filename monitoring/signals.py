"""What monitoring's services say after commit, for whom only a task can act on it."""

from django.dispatch import Signal

# Messages were written down that are to be sent. Sent with ``tenant_id``.
deliveries_waiting = Signal()
