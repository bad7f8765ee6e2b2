"""What can be wrong with the inputs of a model."""

from mlplatform.errors import InvalidInput


class NoUsableColumns(InvalidInput):
    """Nothing is left to learn from."""

    code = "no_usable_columns"
    title = "No usable columns"
