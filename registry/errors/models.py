"""Errors of models, their versions, and what these answer."""

from mlplatform.errors import Conflict, InvalidInput, NotFound, Unavailable


class ModelNotFound(NotFound):
    """No model of this name in this tenant."""

    code = "model_not_found"


class ModelExists(Conflict):
    """The name is taken."""

    code = "model_exists"


class InvalidModel(InvalidInput):
    """The model's name, problem type or target cannot be used."""

    code = "invalid_model"


class VersionNotFound(NotFound):
    """The model has no version of this number."""

    code = "version_not_found"


class VersionOfAnotherModel(InvalidInput):
    """The version belongs to another model."""

    code = "version_of_another_model"


class VersionNotReady(Conflict):
    """The version failed its smoke test or is archived."""

    code = "version_not_ready"


class NoBounds(Conflict):
    """The version cannot say how sure its answers are."""

    code = "no_bounds"


class NotExplainable(InvalidInput):
    """Why a model answered cannot be told for this row or this version; the text says why."""

    code = "not_explainable"
    title = "The answer cannot be explained"


class ArtifactCorrupt(Unavailable):
    """The artefact is missing, changed, or not signed by this installation."""

    code = "artifact_corrupt"


class CannotPredict(Unavailable):
    """The loaded model failed on rows that fit its schema."""

    code = "cannot_predict"


class ChallengerFailed(CannotPredict):
    """A rollout's challenger failed on rows that fit its schema; the champion can answer them."""

    code = "challenger_failed"


class PredictionNotFound(NotFound):
    """No such prediction in this tenant."""

    code = "prediction_not_found"


class InvalidSearch(InvalidInput):
    """The text is no search that can be answered."""

    code = "invalid_search"


class InvalidTags(InvalidInput):
    """The tags cannot be kept like that."""

    code = "invalid_tags"


class InvalidCard(InvalidInput):
    """The sections of the model card cannot be written like that, or the card has no such form."""

    code = "invalid_card"


class UnknownMetric(InvalidInput):
    """The model's problem has no such metric, or no version a value of it."""

    code = "unknown_metric"


class KeyReused(InvalidInput):
    """The idempotency key has been used for another request."""

    code = "idempotency_key_reused"


class InvalidKey(InvalidInput):
    """The text cannot be an idempotency key."""

    code = "invalid_idempotency_key"
