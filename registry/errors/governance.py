"""Errors of promotion, rollouts, aliases and how long things are kept."""

from collections.abc import Sequence
from typing import Any

from mlplatform.errors import Conflict, InvalidInput, NotFound


class DeploymentNotFound(NotFound):
    """The model has no deployment of this number."""

    code = "deployment_not_found"


class AlreadyChampion(Conflict):
    """The version runs already."""

    code = "already_champion"


class NoChampion(Conflict):
    """The model has no champion, so nothing can answer."""

    code = "no_champion"


class PromotionRaced(Conflict):
    """Somebody else changed what runs at the same moment."""

    code = "promotion_raced"


class NothingToRollBackTo(Conflict):
    """There is no earlier champion."""

    code = "nothing_to_roll_back_to"


class ReasonMissing(InvalidInput):
    """Passing over a failed gate needs a reason."""

    code = "reason_missing"


class GateFailed(Conflict):
    """The version did not pass its gates; ``results`` holds every gate's verdict."""

    code = "gate_failed"

    def __init__(self, detail: str, *, results: Sequence[dict[str, Any]]) -> None:
        super().__init__(detail, fields=results)
        self.results = list(results)


class NothingRan(NotFound):
    """Nothing answered for the model at that time."""

    code = "nothing_ran"


class InvalidGates(InvalidInput):
    """The gates, or their parameters, cannot be chosen like that; ``fields`` names each gate."""

    code = "invalid_gates"


class AliasNotFound(NotFound):
    """The model has no alias of this name."""

    code = "alias_not_found"


class InvalidAlias(InvalidInput):
    """The name cannot be an alias."""

    code = "invalid_alias"


class RequestNotFound(NotFound):
    """No such promotion request in this tenant."""

    code = "request_not_found"


class RequestOpen(Conflict):
    """The version is proposed already."""

    code = "request_open"


class RequestClosed(Conflict):
    """The request was decided, withdrawn, overtaken, or its time is over."""

    code = "request_closed"


class ApprovalNeeded(Conflict):
    """The model asks for a second person's approval."""

    code = "approval_needed"


class InvalidRetention(InvalidInput):
    """Things cannot be kept like that; ``fields`` says which and why."""

    code = "invalid_retention"


class RolloutNotFound(NotFound):
    """The model has no such rollout."""

    code = "rollout_not_found"


class InvalidRollout(InvalidInput):
    """The rollout cannot work like that; ``fields`` says which parts and why."""

    code = "invalid_rollout"


class RolloutActive(Conflict):
    """The model has a rollout that runs or is paused."""

    code = "rollout_active"


class RolloutOver(Conflict):
    """The rollout has ended, or is not in the state that this needs."""

    code = "rollout_over"
