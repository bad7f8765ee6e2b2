"""Tables of what exists, what runs, and what it answered."""

from registry.models.dataset import Dataset
from registry.models.deployment import Alias, Deployment
from registry.models.kept_answer import KeptAnswer
from registry.models.prediction import Prediction
from registry.models.registered_model import RegisteredModel
from registry.models.request import PromotionRequest
from registry.models.request_tally import RequestTally
from registry.models.rollout import Rollout
from registry.models.shadow import ShadowAnswer, ShadowTally
from registry.models.version import ModelVersion

__all__ = [
    "Alias",
    "Dataset",
    "Deployment",
    "KeptAnswer",
    "ModelVersion",
    "Prediction",
    "PromotionRequest",
    "RegisteredModel",
    "RequestTally",
    "Rollout",
    "ShadowAnswer",
    "ShadowTally",
]
