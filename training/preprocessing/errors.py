"""What can be wrong with the inputs of a model."""

from mlplatform.errors import InvalidInput


class NoUsableColumns(InvalidInput):
    """Nothing is left to learn from."""

    code = "no_usable_columns"
    title = "No usable columns"


class InvalidPreprocessing(InvalidInput):
    """The preparation of the inputs that was asked for is not possible."""

    code = "invalid_preprocessing"
    title = "Invalid preprocessing"
