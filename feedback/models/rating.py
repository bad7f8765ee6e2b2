"""What people think of an answer."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class Stars(models.TextChoices):
    """From one to five stars, or a thumb."""

    ONE = "1", "1 of 5"
    TWO = "2", "2 of 5"
    THREE = "3", "3 of 5"
    FOUR = "4", "4 of 5"
    FIVE = "5", "5 of 5"
    UP = "up", "Thumb up"
    DOWN = "down", "Thumb down"


class Rating(TenantModel):
    """One person's or program's opinion of a prediction: a rating, a comment, or both.

    Another opinion of the same sender replaces the earlier one, which is kept as history; opinions of others
    stand beside it. It says nothing about what really happened, and nothing is trained on it.
    """

    model_link = "model"

    prediction = models.ForeignKey("registry.Prediction", on_delete=models.CASCADE, related_name="ratings")
    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="ratings", db_index=False
    )
    rating = models.CharField(max_length=4, choices=Stars, blank=True, editable=False)
    comment = models.TextField(blank=True, editable=False)
    current = models.BooleanField(default=True, editable=False)
    source = models.CharField(max_length=20, editable=False, help_text="api, console or file")
    received_at = models.DateTimeField(editable=False)
    received_from = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "prediction", "received_from"],
                condition=models.Q(current=True),
                name="one_current_rating_of_each",
            )
        ]
        indexes = [models.Index(fields=["tenant", "model", "-received_at"])]

    def __str__(self) -> str:
        return self.get_rating_display() if self.rating else "Comment"
