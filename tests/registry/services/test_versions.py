"""Registering trained versions."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from mlplatform.tenancy.models import Tenant
from registry.errors import ArtifactCorrupt, VersionNotFound
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.services.loading import CACHE, UNPACKED, PipelineCache, load_fresh, load_pipeline
from registry.services.versions import announce_version, find_version
from registry.signals import version_registered
from tests.factories import make_model, make_version, table

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_versions_count_upwards_within_their_model() -> None:
    model = make_model()
    assert [make_version(model).number for _ in range(3)] == [1, 2, 3]
    assert make_version(make_model("other")).number == 1
    with pytest.raises(VersionNotFound):
        find_version(model, 4)


def test_a_version_keeps_what_training_handed_over() -> None:
    version = make_version()
    version.refresh_from_db()
    assert version.status == VersionStatus.READY
    assert version.metrics["accuracy"] > 0.9
    assert version.environment["seed"] == 0
    assert version.reference["prediction"]["categories"] == ["benign", "malignant"]


def test_a_pipeline_that_cannot_predict_is_registered_as_failed() -> None:
    version = make_version(pipeline="not a pipeline")
    assert version.status == VersionStatus.FAILED
    assert "'str' object has no attribute 'predict'" in version.status_reason


def test_a_sample_without_the_features_fails_the_smoke_test() -> None:
    version = make_version(sample=table()[["mean_radius"]])
    assert (version.status, version.status_reason[:15]) == (VersionStatus.FAILED, "Missing columns")


def test_a_loaded_pipeline_is_kept_in_memory() -> None:
    version = make_version()
    assert load_pipeline(version) is load_pipeline(version)
    assert load_fresh(version) is not load_pipeline(version)


@pytest.mark.parametrize(
    "change",
    [{"artifact_hash": "0" * 64}, {"artifact_signature": "0" * 64}, {"artifact_file": "artifacts/none"}],
)
def test_a_record_that_does_not_fit_the_file_is_refused(change: dict[str, str]) -> None:
    version = make_version()
    for name, value in change.items():
        setattr(version, name, value)
    with pytest.raises(ArtifactCorrupt):
        load_fresh(version)


def test_another_key_makes_stored_artefacts_unreadable(settings: Any) -> None:
    version = make_version()
    CACHE.clear()
    settings.ARTIFACT_KEY = "another"
    with pytest.raises(ArtifactCorrupt, match="ML_ARTIFACT_KEY"):
        load_pipeline(version)


def test_the_pipelines_unused_longest_leave_memory(settings: Any) -> None:
    settings.MODEL_CACHE_SIZE = 2
    cache = PipelineCache()
    for number in range(3):
        cache.put((1, str(number), ""), number, size=1)
        cache.get((1, "0", ""))
    assert [cache.get((1, str(number), "")) for number in range(3)] == [0, None, 2]


def test_pipelines_leave_memory_by_their_bytes_too_but_never_the_newest(settings: Any) -> None:
    settings.MODEL_CACHE_MB = 1
    cache = PipelineCache()

    def kept() -> list[int]:
        return [number for number in range(4) if cache.get((1, str(number), "")) is not None]

    for number, size in enumerate((400_000, 500_000, 200_000)):
        cache.put((1, str(number), ""), number, size=size)
    assert kept() == [1, 2]
    cache.put((1, "2", ""), 2, size=600_000)  # put again, it counts once
    assert kept() == [2]
    cache.put((1, "3", ""), 3, size=5_000_000)
    assert kept() == [3]


def test_a_loaded_version_counts_by_the_bytes_of_its_file() -> None:
    version = make_version()
    CACHE.clear()
    with mock.patch.object(CACHE, "put", wraps=CACHE.put) as put:
        load_pipeline(version)
    assert put.call_args.kwargs["size"] == UNPACKED * version.artifact_bytes > 0


def test_the_announcement_goes_out_after_commit(
    in_tenant: Tenant, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[tuple[int, int]] = []

    def listen(sender: type[ModelVersion], tenant_id: int, version_id: int, **_: object) -> None:
        heard.append((tenant_id, version_id))

    version = make_version()
    version_registered.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            announce_version(version)
            assert heard == []
    finally:
        version_registered.disconnect(listen)
    assert heard == [(in_tenant.pk, version.pk)]


def test_an_earlier_signing_key_still_vouches(settings: Any) -> None:
    version = make_version()
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another", [settings.ARTIFACT_KEY]
    assert load_fresh(version)


def test_artefacts_lie_under_names_that_nobody_can_guess(settings: Any, in_tenant: Tenant) -> None:
    version = make_version()
    location: Path = settings.STORAGES["default"]["OPTIONS"]["location"]
    assert version.artifact_file.startswith(f"artifacts/{in_tenant.pk}/")
    assert version.artifact_hash not in version.artifact_file
    assert (location / version.artifact_file).stat().st_mode & 0o077 == 0
