"""Errors of what leaves for other installations and arrives from them."""

from mlplatform.errors import Conflict, InvalidInput, NotAllowed


class InvalidArchive(InvalidInput):
    """The file is no archive of a tenant or a model, or was changed since it was written."""

    code = "invalid_archive"


class UntrustedArchive(NotAllowed):
    """The archive is not signed by an installation that this one trusts, and models in it are code."""

    code = "untrusted_archive"


class ForeignModelRefused(InvalidInput):
    """The file is no model that can be taken from outside; the sentence says why, and what to do."""

    code = "foreign_model_refused"


class CannotExport(Conflict):
    """The version cannot be written in this format."""

    code = "cannot_export"
