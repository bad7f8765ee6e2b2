"""Why an address that a tenant named was not opened."""

from mlplatform.errors import InvalidInput, Unavailable


class AddressRefused(InvalidInput):
    """The address leads where the platform does not go."""

    code = "address_refused"
    title = "The address is refused"


class AddressUnreachable(Unavailable):
    """The address may be opened, but nothing answers there now."""

    code = "address_unreachable"
    title = "Nothing answers there"
