"""Pipelines survive the way to bytes and back."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from registry.artifacts.formats import dump, load
from registry.errors import ArtifactCorrupt


def test_a_pipeline_answers_the_same_after_the_round_trip() -> None:
    points = np.arange(20.0).reshape(10, 2)
    fitted = Ridge().fit(points, points[:, 0])
    assert (load(dump(fitted)).predict(points) == fitted.predict(points)).all()


def test_the_same_pipeline_gives_the_same_bytes() -> None:
    assert dump(Ridge(alpha=2)) == dump(Ridge(alpha=2))


def test_what_the_libraries_cannot_read_is_reported() -> None:
    gone = dump(Ridge).replace(b"Ridge", b"Rigde")
    for data in (b"", b"not a pickle", dump(Ridge())[:-20], gone[:30]):
        with pytest.raises(ArtifactCorrupt, match="cannot be read"):
            load(data)
