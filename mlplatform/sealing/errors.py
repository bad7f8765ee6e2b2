"""What can go wrong when something sealed is opened."""

from mlplatform.errors import Unavailable


class SealBroken(Unavailable):
    """The sealed content was changed, cut, or put where it does not belong."""

    code = "seal_broken"


class NotSealed(SealBroken):
    """The content stands in the clear, where only sealed content is read."""

    code = "not_sealed"


class KeyNotFound(SealBroken):
    """The key that the content was sealed with is not there."""

    code = "sealing_key_not_found"
