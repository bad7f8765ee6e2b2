"""What can be wrong with a table."""

from mlplatform.errors import InvalidInput


class SchemaMismatch(InvalidInput):
    """A table does not have the columns, or the kind of values, that a schema asks for."""

    code = "schema_mismatch"
    title = "The table does not match the schema"
