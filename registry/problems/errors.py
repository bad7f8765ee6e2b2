"""What can be wrong with a target or an outcome."""

from mlplatform.errors import InvalidInput, NotFound


class UnknownProblemType(NotFound):
    """No problem type has this key."""

    code = "unknown_problem_type"
    title = "Unknown problem type"


class UnusableTarget(InvalidInput):
    """A model of this problem type cannot be trained towards this column."""

    code = "unusable_target"
    title = "Unusable target"


class InvalidOutcome(InvalidInput):
    """A reported outcome is not something that this model could have predicted."""

    code = "invalid_outcome"
    title = "Invalid outcome"


class NotComparable(InvalidInput):
    """Two series of scores do not allow a paired comparison."""

    code = "not_comparable"
    title = "Not comparable"
