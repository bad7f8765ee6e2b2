"""Finding versions by a search, the best one, and what ran when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.errors import InvalidSearch, NothingRan, UnknownMetric
from registry.models import Deployment, ModelVersion, RegisteredModel
from registry.services.past import deployment_at
from registry.services.promotion import promote, rollback
from registry.services.searching import best_version, search_versions
from registry.services.tags import change_tags
from tests.factories import make_model, make_version

PARAMS = [{"depth": 3, "kind": "a", "deep": False}, {"depth": 10, "kind": "b", "deep": True}, {"depth": None}]


@pytest.fixture
def versions(in_tenant: Tenant) -> list[ModelVersion]:
    """Three versions of a model: the second is the champion, the first has a tag."""
    model = make_model()
    made = [
        make_version(
            model,
            params=params,
            metrics={"f1": 0.8 + number / 10, "log_loss": 1.0 - number / 10},
            cv_metrics={"f1": {"mean": 0.7 + number / 10, "std": 0.1}},
        )
        for number, params in enumerate(PARAMS)
    ]
    promote(model=model, version=made[1], by=SYSTEM, reason="x", override=True)
    change_tags(target=made[0], changes={"team": "risk"}, by=SYSTEM)
    change_tags(target=model, changes={"site": "north"}, by=SYSTEM)
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [3, 2, 1]),
        ("metrics.f1 > 0.85", [3, 2]),
        ("metrics.f1 >= 0.9 and metrics.log_loss < 0.85", [3]),
        ("cv.f1 <= 0.75", [1]),
        ("metrics.unknown > 0", []),
        ("not metrics.unknown > 0", [3, 2, 1]),
        ("params.depth > 2", [2, 1]),
        ('metrics.f1 > 0.85 and params.algorithm = "logistic_regression"', [3, 2]),
        ('params.algorithm in ("random_forest", "knn")', []),
        ('params.algorithm != "random_forest"', [3, 2, 1]),
        ('params.algorithm ~ "logistic"', [3, 2, 1]),
        ("params.algorithm = 3", []),
        ("params.depth > 5", [2]),
        ("params.deep > 0", []),  # a truth value is larger than no number
        ("params.kind < 5", []),
        ("params.depth = 3", [1]),
        ('params.kind in ("b", "c")', [2]),
        ('params.kind ~ "A"', [1]),
        ("params.deep = true", [2]),
        ('params.kind != "a"', [3, 2]),
        ('tags.team = "risk"', [1]),
        ('tags.team != "risk"', [3, 2]),
        ('model_tags.site = "north" and version = 2', [2]),
        ("champion = true", [2]),
        ("champion = false", [3, 1]),
        ("version in (1, 3)", [3, 1]),
        ('model ~ "CANC" and algorithm = "logistic_regression"', [3, 2, 1]),
        ('data = "cancer" and rows > 10', [3, 2, 1]),
        ('status = "failed" or problem = "regression"', []),
        ('created > "2020-01-01" and created < "9999-01-01T00:00:00+05:00"', [3, 2, 1]),
        ('tags."no such tag" = "x"', []),
    ],
)
def test_a_search_finds_what_fits_newest_first(
    versions: list[ModelVersion], text: str, found: list[int]
) -> None:
    assert [version.number for version in search_versions(text)] == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics.f1 >", "the search ends"),
        ("password = 1", "no field 'password'.*Choose from: model, problem"),
        ("metrics = 1", "no field 'metrics'"),
        ("tenant.slug = 'x'", "no field 'tenant.slug'"),
        ("version = 1.5", "is a whole number"),
        ("version ~ 1", "is no text"),
        ("algorithm > 'a'", "compare it by"),
        ("algorithm = 3", "write it in quotes"),
        ("created > 'soon'", "a day or a time"),
        ("created > '2026-02-31'", "a day or a time"),
        ("params.kind > 'a'", "with a number"),
        ("params.kind ~ 3", "text in quotes"),
        ("champion = 1", "is true or false"),
        ("model = 'a\x00'", "write it in quotes"),
        ("tags.team = 'a\x00'", "no text can hold"),
    ],
)
def test_a_search_that_cannot_be_answered_is_refused(in_tenant: Tenant, text: str, said: str) -> None:
    with pytest.raises(InvalidSearch, match=said):
        list(search_versions(text))


def test_nobody_finds_another_tenants_versions(versions: list[ModelVersion], other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        assert list(search_versions("metrics.f1 > 0 or not version = 7")) == []


def test_the_best_version_is_the_best_by_the_metrics_own_direction(versions: list[ModelVersion]) -> None:
    model = versions[0].model
    assert best_version(model).number == 3
    assert best_version(model, "log_loss").number == 3
    ModelVersion.objects.filter(number=3).update(status="failed")
    assert best_version(model).number == 2
    with pytest.raises(UnknownMetric, match="Choose from: f1"):
        best_version(model, "beauty")
    with pytest.raises(UnknownMetric, match="has a value"):
        best_version(model, "accuracy")


def test_what_ran_when_is_read_from_the_history(versions: list[ModelVersion]) -> None:
    model: RegisteredModel = versions[0].model
    promote(model=model, version=versions[2], by=SYSTEM, reason="y", override=True)
    rollback(model=model, by=SYSTEM, reason="z")
    changes = list(Deployment.objects.order_by("pk"))
    numbers = [deployment_at(model, change.created_at).version.number for change in changes]
    assert numbers == [2, 3, 2]
    assert deployment_at(model, timezone.now()).reason == "z"
    with pytest.raises(NothingRan, match="Nothing was champion of cancer"):
        deployment_at(model, changes[0].created_at - timedelta(seconds=1))
