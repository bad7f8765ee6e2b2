"""Settings of trainings and times of schedules that would cost a machine or a night."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from registry.models import ModelVersion

JOBS, SCHEDULES = "/api/v1/jobs", "/api/v1/schedules"


@pytest.mark.parametrize(
    ("key", "params"),
    [
        ("random_forest", {"n_estimators": 1_000_000_000}),
        ("random_forest", {"n_jobs": -1_000_000_000}),
        ("random_forest", {"max_depth": -1}),
        ("random_forest", {"criterion": "os.system"}),
        ("logistic_regression", {"C": -1}),
        ("logistic_regression", {"C": float("1e308")}),
        ("knn", {"n_neighbors": 10**12}),
        ("knn", {"metric": "builtins.eval"}),
        ("dummy", {"unknown": 1}),
        ("dummy", {"__class__": "x"}),
        ("os.system", {}),
        ("../../etc/passwd", {}),
    ],
)
def test_35_settings_out_of_bounds_are_refused(
    client: APIClient, champion: ModelVersion, key: str, params: dict[str, Any]
) -> None:
    body = {"model": "cancer", "dataset": champion.dataset_id, "algorithms": [{"key": key, "params": params}]}
    answer = client.post(JOBS, body)
    assert answer.status_code == 422
    assert "algorithms" in str(answer.json()["errors"])
    assert client.get(JOBS).json()["results"] == []


CRONS = [
    "* * * * * *",
    "0 0 30 2 *",
    "@reboot",
    "60 * * * *",
    "",
    "a b c d e",
    "* * * *",
    "\x00",
]


@pytest.mark.parametrize("cron", CRONS)
def test_36_a_cron_line_that_is_none_or_never_comes_is_refused(
    client: APIClient, champion: ModelVersion, cron: str
) -> None:
    body = {"model": "cancer", "name": "odd", "kind": "cron", "cron": cron}
    assert client.post(SCHEDULES, body).status_code in {400, 422}


@pytest.mark.parametrize(
    "times",
    [
        {"kind": "interval", "every": 0, "unit": "minutes"},
        {"kind": "interval", "every": 1, "unit": "seconds"},
        {"kind": "interval", "every": 10**9, "unit": "days"},
        {"kind": "cron", "cron": "0 3 * * *", "timezone": "Mars/Olympus"},
        {"kind": "cron", "cron": "0 3 * * *", "timezone": "../../etc/passwd"},
        {"kind": "once"},
    ],
)
def test_36_other_times_that_are_none_are_refused(
    client: APIClient, champion: ModelVersion, times: dict[str, Any]
) -> None:
    assert client.post(SCHEDULES, {"model": "cancer", "name": "odd", **times}).status_code in {400, 422}


def test_36_a_schedule_shows_its_next_five_runs(client: APIClient, champion: ModelVersion) -> None:
    body = {"model": "cancer", "name": "nightly", "kind": "cron", "cron": "0 3 * * *"}
    made = client.post(SCHEDULES, body)
    assert made.status_code == 201
    assert len(made.json()["next_runs"]) == 5


@pytest.mark.parametrize(
    "text", ["{0.__class__.__mro__}", "%(x)s%n", "(a+)+$" + "a" * 5000, "*" * 5000, "{{x}}"]
)
def test_37_a_pattern_in_a_search_is_only_text(client: APIClient, champion: ModelVersion, text: str) -> None:
    for path in ("models", "datasets"):
        answer = client.get(f"/api/v1/{path}", {"search": text})
        assert answer.status_code in {200, 400}
    client.patch("/api/v1/models/cancer", {"description": text})
    assert client.get("/api/v1/models/cancer").json()["description"] == text
