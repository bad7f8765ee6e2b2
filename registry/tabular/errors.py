"""What can be wrong with a table."""

from mlplatform.errors import InvalidInput


class SchemaMismatch(InvalidInput):
    """A table does not have the columns, or the kind of values, that a schema asks for."""

    code = "schema_mismatch"
    title = "The table does not match the schema"


class TooFewRows(InvalidInput):
    """There are not enough rows to train on some and test on others."""

    code = "too_few_rows"
    title = "Too few rows"
