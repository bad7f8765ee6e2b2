"""The one table of the installation itself: signs of life of its processes."""

from django.db import models


class Heartbeat(models.Model):
    """When a long-running process last showed that it works."""

    name = models.CharField(max_length=50, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
