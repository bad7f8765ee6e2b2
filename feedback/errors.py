"""What can go wrong with outcomes."""

from collections.abc import Sequence
from typing import Any

from mlplatform.errors import Conflict, InvalidInput, NotAllowed, NotFound


class InvalidOutcomes(InvalidInput):
    """Some outcomes cannot be recorded; ``fields`` lists index, prediction_id, code and message of each."""

    code = "invalid_outcomes"

    def __init__(self, detail: str, *, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(detail, fields=list(errors))
        self.errors = list(errors)


class UnreadableFeedbackFile(InvalidInput):
    """The file does not hold outcomes."""

    code = "unreadable_feedback_file"


class InvalidPast(InvalidInput):
    """Some past predictions cannot be imported; ``fields`` lists line, code and message of the first ones."""

    code = "invalid_past_predictions"

    def __init__(self, detail: str, *, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(detail, fields=list(errors))
        self.errors = list(errors)


class InvalidPastColumns(InvalidInput):
    """The file's columns cannot be taken as stated."""

    code = "invalid_past_columns"


class OutcomeNotFound(NotFound):
    """No such outcome in this tenant."""

    code = "outcome_not_found"


class OutcomesRaced(Conflict):
    """Another request recorded an outcome of the same prediction at the same moment."""

    code = "outcomes_raced"


class ErasureNotFound(NotFound):
    """No such erasure in this tenant."""

    code = "erasure_not_found"


class WholeTenantNeeded(NotAllowed):
    """Only who sees every model can answer for all of them."""

    code = "whole_tenant_needed"


class InvalidFeedbackSettings(InvalidInput):
    """The settings of labelling and guarding cannot be so."""

    code = "invalid_feedback_settings"


class QuarantineNotFound(NotFound):
    """No such quarantine in this tenant."""

    code = "quarantine_not_found"


class DecisionReasonMissing(InvalidInput):
    """A decision needs a reason."""

    code = "reason_missing"


class DecidedAlready(Conflict):
    """It was decided so before."""

    code = "decided_already"


class LabelItemNotFound(NotFound):
    """No such labelled row in this tenant."""

    code = "label_item_not_found"


class CannotLabel(Conflict):
    """The row cannot be labelled by this person, or not any more."""

    code = "cannot_label"
