"""What people think of answers."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter

from feedback.models import Rating
from feedback.models.rating import Stars
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.parts import Badge, Facts, Section, Tone
from mlplatform.admin.render import show
from mlplatform.admin.site import console

GOOD, BAD = {Stars.FOUR, Stars.FIVE, Stars.UP}, {Stars.ONE, Stars.TWO, Stars.DOWN}
SHOWN_IN_LIST = 120


def opinion(rating: Rating) -> Badge | None:
    """Return the rating, coloured by what it says; None for a comment alone."""
    if not rating.rating:
        return None
    tone: Tone = "good" if rating.rating in GOOD else "bad" if rating.rating in BAD else "muted"
    return Badge(rating.get_rating_display(), tone)


def standing(rating: Rating) -> Badge:
    """Return whether it still counts."""
    return Badge("Current", "good") if rating.current else Badge("Changed later", "muted")


@admin.register(Rating, site=console)
class RatingAdmin(PlatformModelAdmin):
    """Ratings and comments."""

    list_display = [
        cell("received_at", "Received"),
        "given",
        "said",
        "predicted",
        cell("model", "Model"),
        "stands",
        cell("received_from", "From"),
    ]
    list_select_related = ["model", "prediction"]
    list_filter = [
        ("model", RelatedDropdownFilter),
        "rating",
        "current",
        ("received_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["=prediction__id", "comment", "received_from"]
    empty_title = "No rating yet"
    empty_hint = "Ratings and comments come with outcomes: by the API, a file, or a prediction's page."

    @admin.display(description="Rating", ordering="rating")
    def given(self, rating: Rating) -> str:
        """Stars or a thumb."""
        return show(opinion(rating))

    @admin.display(description="Comment")
    def said(self, rating: Rating) -> str:
        """The beginning of the comment."""
        cut = rating.comment[:SHOWN_IN_LIST]
        return show(f"{cut}…" if len(rating.comment) > SHOWN_IN_LIST else cut)

    @admin.display(description="Predicted")
    def predicted(self, rating: Rating) -> str:
        """What the model had said."""
        return show(rating.prediction.label or rating.prediction.value)

    @admin.display(description="State", ordering="current")
    def stands(self, rating: Rating) -> str:
        """Whether it still counts."""
        return show(standing(rating))

    def sections(self, request: HttpRequest, row: Rating) -> Iterable[Section | None]:
        """Return the opinion beside the prediction."""
        yield Facts(
            "Rating",
            [
                ("Rating", opinion(row)),
                ("Comment", row.comment or None),
                ("Predicted", row.prediction),
                ("Model", row.model),
                ("State", standing(row)),
                ("Received", row.received_at),
                ("From", f"{row.received_from} ({row.source})"),
            ],
            wide=True,
        )
