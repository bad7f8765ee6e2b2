"""What versions in shadow are asked, and what is kept of it."""

from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import NoRoom
from mlplatform.tenancy.models import Tenant, Usage
from registry.errors import InvalidModel
from registry.models import ModelVersion, Prediction, RegisteredModel, ShadowAnswer, ShadowTally
from registry.services.aliases import remove_alias, set_alias
from registry.services.models import update_model
from registry.services.serving import predict
from registry.services.shadows import (
    HeardRow,
    Question,
    answer_in_shadow,
    ask_shadows,
    count_dropped,
    shadow_versions,
)
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table, train

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    return make_champion()


@pytest.fixture
def challenger(champion: ModelVersion) -> ModelVersion:
    """A version in the champion's shadow, which knows a column less."""
    frame = table().drop(columns="mean_radius")
    other = train(make_model("other"), make_dataset("narrow", frame))
    version = make_version(
        champion.model, dataset=champion.dataset, pipeline=other.pipeline, features=other.features
    )
    set_alias(model=champion.model, name="challenger", version=version, by=SYSTEM)
    update_model(model=champion.model, changes={"shadow_aliases": ["challenger"]}, by=SYSTEM)
    return version


def asked(champion: ModelVersion, rows: list[dict[str, Any]]) -> Question:
    """What the shadows are asked once the champion has answered the rows."""
    logged = predict(model=champion.model, rows=rows, by=SYSTEM).predictions
    told = [(one.pk, one.cached, row, one.version) for row, one in zip(rows, logged, strict=True)]
    found = ask_shadows(shadow_versions(champion.model), told, logged[0].created_at)
    assert found is not None
    return found


def test_its_answers_stand_beside_the_originals(champion: ModelVersion, challenger: ModelVersion) -> None:
    question = asked(champion, rows_of(champion, 30))
    assert answer_in_shadow(version=challenger, questions=[question]) == 30
    found = {row.prediction_id: row for row in ShadowAnswer.objects.select_related("prediction")}
    assert set(found) == set(Prediction.objects.values_list("pk", flat=True))
    alike = [row.label == row.prediction.label for row in found.values()]
    assert sum(alike) >= 28
    for row in found.values():
        assert (row.version_id, row.failure) == (challenger.pk, "")
        assert row.probabilities is not None
        assert sum(row.probabilities.values()) == pytest.approx(1)
        assert row.probabilities != row.prediction.probabilities
        assert row.asked_at == question.asked_at
    (timed,) = (row for row in found.values() if row.latency_ms is not None)
    assert (timed.latency_ms or 0) > 0 < (timed.champion_ms or 0)


def test_asked_again_it_is_kept_once(champion: ModelVersion, challenger: ModelVersion) -> None:
    question = asked(champion, rows_of(champion, 3))
    assert [answer_in_shadow(version=challenger, questions=[question]) for _ in range(2)] == [3, 0]
    assert ShadowAnswer.objects.count() == 3


def test_a_row_that_left_the_log_is_left_out(champion: ModelVersion, challenger: ModelVersion) -> None:
    question = asked(champion, rows_of(champion, 3))
    Prediction.objects.filter(pk=question.rows[0].pk).delete()
    assert answer_in_shadow(version=challenger, questions=[question]) == 2


def test_a_row_that_does_not_fit_it_is_a_failure_without_its_values(
    champion: ModelVersion, challenger: ModelVersion
) -> None:
    question = asked(champion, rows_of(champion, 2))
    pk, row, heard = question.rows[1]
    spoilt = HeardRow(pk, {**row, "mean_area": "a secret"}, heard)
    mixed = Question(question.tenant, question.shadows, [question.rows[0], spoilt], question.asked_at)
    assert answer_in_shadow(version=challenger, questions=[mixed]) == 2
    failed = ShadowAnswer.objects.get(prediction=pk)
    assert (failed.failure, failed.label, failed.value) == ("mean_area: wrong type", "", None)
    assert ShadowAnswer.objects.exclude(prediction=pk).get().label


def test_only_logged_rows_that_were_really_asked_are_put_to_it(
    champion: ModelVersion, challenger: ModelVersion
) -> None:
    (logged,) = predict(model=champion.model, rows=rows_of(champion), by=SYSTEM).predictions
    shadows, row = shadow_versions(champion.model), rows_of(champion)[0]
    told = [(None, False, row, champion), (logged.pk, True, row, champion)]
    assert ask_shadows(shadows, told, logged.created_at) is None
    assert ask_shadows((), [(logged.pk, False, row, champion)], logged.created_at) is None


def test_its_answers_take_room_and_give_it_back_with_their_rows(
    champion: ModelVersion, challenger: ModelVersion, in_tenant: Tenant
) -> None:
    question = asked(champion, rows_of(champion, 4))
    before = Usage.objects.get().stored_rows
    answer_in_shadow(version=challenger, questions=[question])
    assert Usage.objects.get().stored_rows == before + 4
    in_tenant.stored_rows = before + 4
    in_tenant.save()
    with pytest.raises(NoRoom):
        answer_in_shadow(version=challenger, questions=[asked_nothing_more(question)])


def asked_nothing_more(question: Question) -> Question:
    """The same question about a row that has no answer in shadow yet."""
    ShadowAnswer.objects.filter(prediction=question.rows[0].pk).delete()
    return question


def test_what_was_dropped_is_counted_with_the_last_reason(challenger: ModelVersion) -> None:
    count_dropped(version=challenger, rows=3, reason="full")
    count_dropped(version=challenger, rows=4, reason="late")
    tally = ShadowTally.objects.get()
    assert (tally.version_id, tally.dropped, tally.reason) == (challenger.pk, 7, "late")


def test_who_answers_in_shadow_follows_the_alias(champion: ModelVersion, challenger: ModelVersion) -> None:
    model = RegisteredModel.objects.get(name="cancer")
    assert shadow_versions(model) == (challenger,)
    remove_alias(model=model, name="challenger", by=SYSTEM)
    assert shadow_versions(model) == ()


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        (["champion"], "answers the clients"),
        (["chalenger"], "no alias 'chalenger'"),
        (["challenger"] * 2, "each of them once"),
        (["a", "b", "c", "d"], "at most 3"),
        ("challenger", "Give a list"),
        ([1], "Give a list"),
    ],
)
def test_what_cannot_answer_in_shadow_is_refused(challenger: ModelVersion, aliases: Any, words: str) -> None:
    with pytest.raises(InvalidModel, match=words):
        update_model(model=challenger.model, changes={"shadow_aliases": aliases}, by=SYSTEM)
