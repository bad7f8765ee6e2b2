"""Outcomes from CSV files, and files that hold none."""

import io
import json
from typing import Any

import pytest

from feedback.errors import InvalidOutcomes, UnreadableFeedbackFile
from feedback.models import Outcome
from feedback.services import imports
from feedback.services.imports import import_outcomes
from feedback.services.outcome_files import LineForm
from feedback.services.outcomes import OutcomeResult
from mlplatform.tenancy.actors import SYSTEM
from registry.models import Prediction


def load(text: str | bytes, partial: bool = False, **asked: Any) -> OutcomeResult:
    content = text.encode() if isinstance(text, str) else text
    return import_outcomes(file=io.BytesIO(content), by=SYSTEM, partial=partial, **asked)


def rows(predictions: list[Prediction], label: str = "benign") -> str:
    return "".join(f"{prediction.pk},{label}\n" for prediction in predictions)


def test_a_file_is_recorded_as_such(predictions: list[Prediction]) -> None:
    assert load("prediction_id,outcome\n" + rows(predictions)).accepted == 4
    assert set(Outcome.objects.values_list("source", flat=True)) == {"file"}


def test_byte_order_mark_quotes_spaces_and_other_columns_are_no_obstacle(
    predictions: list[Prediction],
) -> None:
    text = f'note,outcome,prediction_id\r\n"a, b", benign ,"{predictions[0].pk}"\r\n'
    assert load(b"\xef\xbb\xbf" + text.encode()).accepted == 1


def test_numbers_are_read_for_a_regression(number: Prediction) -> None:
    load(f"prediction_id,outcome\n{number.pk},12.5\n")
    assert Outcome.objects.get().value == 12.5


def test_rows_are_counted_across_the_parts_of_a_long_file(
    predictions: list[Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_OUTCOMES", 2)
    text = "prediction_id,outcome\n" + rows(predictions[:3]) + f"{predictions[3].pk},cured\n"
    with pytest.raises(InvalidOutcomes) as caught:
        load(text)
    assert [error["index"] for error in caught.value.errors] == [3]
    assert not Outcome.objects.exists()
    assert load(text, partial=True).accepted == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "first line"),
        (b"id,truth\n1,2\n", "outcome and prediction_id or entity_key"),
        (b"prediction_id,outcome\n", "no outcome below"),
        (b"prediction_id,outcome\nx\n", "Line 2 has too few"),
        (b"prediction_id,outcome\nx,y,z\n", "Line 2 has too many"),
        (b'prediction_id,outcome\n"x,y\n', "cannot be read"),
        (b"prediction_id,outcome\n\xff\xfe\xfa,y\n", "not UTF-8"),
        (b"prediction_id,outcome\nx,y\0\n", "binary"),
        (b"PAR1" + b"x" * 20_000, "binary"),
    ],
)
def test_what_holds_no_outcomes_is_refused_with_a_reason(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFeedbackFile, match=told):
        load(content)


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_LINES", 3)
    with pytest.raises(UnreadableFeedbackFile, match="Split"):
        load("prediction_id,outcome\n" + "x,y\n" * 5)


def test_json_lines_name_what_the_json_api_names(predictions: list[Prediction]) -> None:
    lines = [{"prediction": str(one.pk), "value": "benign"} for one in predictions]
    text = "\n".join(json.dumps(line) for line in lines)
    assert load(text, form=LineForm.JSON_LINES).accepted == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[]", "no object"),
        (b'{"prediction": 7, "value": 1}', "must be text"),
        (b'{"prediction": "x"}', "no outcome"),
        (b'{"value": NaN}', "not JSON"),
        (b"prediction_id,outcome", "not JSON"),
    ],
)
def test_lines_that_are_no_outcomes_are_named(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFeedbackFile, match=f"Line 1 .*{told}"):
        load(content, form=LineForm.JSON_LINES)


def test_a_preview_tells_and_records_nothing(predictions: list[Prediction]) -> None:
    text = "prediction_id,outcome\n" + rows(predictions[:2]) + "x,benign\n"
    result = load(text, preview=True)
    assert (result.accepted, [error["index"] for error in result.errors]) == (2, [2])
    assert not Outcome.objects.exists()
