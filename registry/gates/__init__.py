"""What a version must pass before it may answer. A new gate is a file here and a line in ``GATES``."""

from registry.gates.artifact_integrity import ARTIFACT_INTEGRITY
from registry.gates.artifact_size import ARTIFACT_SIZE
from registry.gates.base import Evidence, Gate, GateResult, Parameters
from registry.gates.data_checks import DATA_CHECKS
from registry.gates.fairness_gap import FAIRNESS_GAP
from registry.gates.latency import LATENCY
from registry.gates.minimum_metrics import MINIMUM_METRICS
from registry.gates.model_card import MODEL_CARD_COMPLETE
from registry.gates.not_worse_than_champion import NOT_WORSE_THAN_CHAMPION
from registry.gates.rollout_evidence import ROLLOUT_EVIDENCE
from registry.gates.schema_compatible import SCHEMA_COMPATIBLE
from registry.gates.shadow_evidence import SHADOW_EVIDENCE
from registry.gates.smoke_prediction import SMOKE_PREDICTION
from registry.gates.twin_parity import TWIN_PARITY

__all__ = ["GATES", "Evidence", "Gate", "GateResult", "Parameters"]

GATES: tuple[Gate, ...] = (
    ARTIFACT_INTEGRITY,
    SMOKE_PREDICTION,
    SCHEMA_COMPATIBLE,
    NOT_WORSE_THAN_CHAMPION,
    MINIMUM_METRICS,
    FAIRNESS_GAP,
    DATA_CHECKS,
    SHADOW_EVIDENCE,
    LATENCY,
    ARTIFACT_SIZE,
    TWIN_PARITY,
    MODEL_CARD_COMPLETE,
    ROLLOUT_EVIDENCE,
)
