"""What can go wrong where people prove who they are."""

from mlplatform.errors import NotAllowed


class SecondFactorNeeded(NotAllowed):
    """The tenant demands a second factor that the person has not set up."""

    code = "second_factor_required"
    title = "Second factor needed"


class ReauthenticationNeeded(NotAllowed):
    """The last proof of identity is too old for what is asked."""

    code = "reauthentication_required"
    title = "Confirm who you are"
