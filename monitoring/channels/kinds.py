"""The table of channels: one line for each kind."""

from monitoring.channels.base import Kind
from monitoring.channels.email import EMAIL
from monitoring.channels.slack import SLACK
from monitoring.channels.webhook import WEBHOOK

KINDS: dict[str, Kind] = {"email": EMAIL, "slack": SLACK, "webhook": WEBHOOK}
