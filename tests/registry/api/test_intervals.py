"""Asking how sure an answer is."""

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from registry.frames import dataset_frame
from registry.models import ModelVersion
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model, make_version, rows_of

CANCER, DIABETES = "/api/v1/models/cancer/predict", "/api/v1/models/diabetes/predict"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant)


@pytest.fixture
def cancer(in_tenant: Tenant) -> ModelVersion:
    return make_champion()


@pytest.fixture
def diabetes(in_tenant: Tenant) -> ModelVersion:
    return make_champion(make_model(data="diabetes"))


def test_intervals_hold_the_true_number_as_often_as_asked(client: APIClient, diabetes: ModelVersion) -> None:
    truth = dataset_frame(diabetes.dataset)["progression"].tolist()
    rows = rows_of(diabetes, 400)
    widths = []
    for coverage in (0.6, 0.9):
        body = client.post(DIABETES, {"rows": rows, "intervals": True, "coverage": coverage}).json()
        ends = [one["interval"] for one in body["predictions"]]
        held = [low <= value <= high for (low, high), value in zip(ends, truth, strict=False)]
        assert sum(held) / len(held) == pytest.approx(coverage, abs=0.08)
        assert all(
            low <= one["value"] <= high for (low, high), one in zip(ends, body["predictions"], strict=True)
        )
        widths.append(ends[0][1] - ends[0][0])
    assert widths[0] < widths[1]


def test_a_set_holds_the_label_and_its_rivals(client: APIClient, cancer: ModelVersion) -> None:
    body = client.post(CANCER, {"rows": rows_of(cancer, 500), "intervals": True, "coverage": 0.96}).json()
    for one in body["predictions"]:
        assert one["possible"][0] == one["label"]
        assert one["interval"] is None
    assert {len(one["possible"]) for one in body["predictions"]} == {1, 2}


def test_the_default_is_nine_in_ten_and_nothing_comes_unasked(
    client: APIClient, diabetes: ModelVersion
) -> None:
    row = {"row": rows_of(diabetes)[0]}
    plain, default, stated = (
        client.post(DIABETES, row | extra).json()["predictions"][0]["interval"]
        for extra in ({}, {"intervals": True}, {"intervals": True, "coverage": 0.9})
    )
    assert plain is None
    assert default == stated


def test_what_cannot_be_promised_is_refused_in_words(client: APIClient, in_tenant: Tenant) -> None:
    few = {"rows": 9, "scores": [float(i) for i in range(9)], "ranks": list(range(1, 10))}
    make_champion(make_model(data="diabetes"), conformal=few)
    row = rows_of(ModelVersion.objects.get())[0]
    answer = client.post(DIABETES, {"row": row, "intervals": True, "coverage": 0.95})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_bounds")
    assert "at least 19 can" in answer.json()["detail"]
    make_version(ModelVersion.objects.get().model, conformal=None)
    answer = client.post(DIABETES, {"row": row, "version": 2, "intervals": True})
    assert "Ask without intervals" in answer.json()["detail"]


@pytest.mark.parametrize(
    "extra", [{"coverage": 0.9}, {"intervals": True, "coverage": 1.0}, {"intervals": True, "coverage": 0.1}]
)
def test_a_senseless_coverage_is_refused(
    client: APIClient, diabetes: ModelVersion, extra: dict[str, object]
) -> None:
    answer = client.post(DIABETES, {"row": rows_of(diabetes)[0], **extra})
    assert answer.status_code == 400
    assert "coverage" in answer.content.decode()
