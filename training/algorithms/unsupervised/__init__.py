"""What anomaly detectors and clusterings need beyond scikit-learn's own: one scale of scores, and answers for
rows that no fit has seen.
"""

from training.algorithms.unsupervised.clusters import Assigned
from training.algorithms.unsupervised.density import LocalDensity, RobustDistance
from training.algorithms.unsupervised.detector import Detector, DetectorEnsemble
from training.algorithms.unsupervised.mixture import Mixture

__all__ = ["Assigned", "Detector", "DetectorEnsemble", "LocalDensity", "Mixture", "RobustDistance"]
