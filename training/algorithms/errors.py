"""What can be wrong with the choice of an algorithm."""

from mlplatform.errors import InvalidInput, NotFound


class UnknownAlgorithm(NotFound):
    """No algorithm has this key."""

    code = "unknown_algorithm"
    title = "Unknown algorithm"


class InvalidParameters(InvalidInput):
    """A hyper-parameter is unknown, of the wrong type or out of its bounds."""

    code = "invalid_parameters"
    title = "Invalid parameters"


class UnsuitableAlgorithm(InvalidInput):
    """The algorithm does not solve this problem type."""

    code = "unsuitable_algorithm"
    title = "Unsuitable algorithm"
