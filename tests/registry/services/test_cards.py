"""Cards of versions: from the record each time, with words that their owners write."""

from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.cards import card_markdown
from registry.cards.document import Grid, Part, Prose, Sentence
from registry.errors import InvalidCard
from registry.models import ModelVersion
from registry.services.card_words import words_on, write_words
from registry.services.cards import card_of
from registry.services.models import update_model
from registry.services.requests import propose
from tests.factories import make_champion, make_model, make_version

pytestmark = pytest.mark.usefixtures("in_tenant")
ANN = Actor(ActorKind.USER, "ann@clinic.example")


def part(version: ModelVersion, title: str) -> Part:
    return next(one for one in card_of(version).parts if one.title == title)


def grid(version: ModelVersion, title: str, of: str = "") -> Grid:
    return next(one for one in part(version, title).blocks if isinstance(one, Grid) and one.title == of)


def test_words_are_signed_and_the_trail_keeps_what_stood_before() -> None:
    model = make_model()
    write_words(target=model, changes={"limits": "Adults alone.\r\n\r\nNo X-rays. "}, by=ANN)
    write_words(target=model, changes={"limits": "Adults.", "ethics": None}, by=SYSTEM)
    found = words_on(model)["limits"]
    assert (found.text, found.by, found.whose) == ("Adults.", str(SYSTEM), "model")
    told = AuditEvent.objects.filter(action="model.card_written").order_by("pk")
    assert [(one.before, one.after) for one in told] == [
        ({"limits": ""}, {"limits": "Adults alone.\n\nNo X-rays."}),
        ({"limits": "Adults alone.\n\nNo X-rays."}, {"limits": "Adults."}),
    ]


def test_the_same_words_again_change_nothing() -> None:
    model = make_model()
    for _ in range(2):
        write_words(target=model, changes={"limits": "Adults."}, by=ANN)
    assert AuditEvent.objects.filter(action="model.card_written").count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "blue"}, "There is no such section"),
        ({"limits": "x" * 5001}, "at most 5,000"),
        ({"limits": "a\x00b"}, "control characters"),
        ({"limits": "right \u202e left"}, "control characters"),
    ],
)
def test_words_that_cannot_be_kept_are_refused_by_section(changes: dict[str, Any], said: str) -> None:
    model = make_model()
    with pytest.raises(InvalidCard) as refused:
        write_words(target=model, changes={"purpose": "Triage.", **changes}, by=ANN)
    (name,) = changes
    assert isinstance(refused.value.fields, dict)
    assert said in refused.value.fields[name][0]
    assert not words_on(model)["purpose"].written


def test_a_deployed_version_takes_words_and_its_figures_stay() -> None:
    champion = make_champion()
    before = dict(champion.metrics)
    write_words(target=champion, changes={"limits": "Found in use: weak on children."}, by=ANN)
    champion.refresh_from_db()
    assert champion.metrics == before
    (limits, _) = part(champion, "Limits").blocks
    assert isinstance(limits, Prose)
    assert limits.text == "Found in use: weak on children."
    assert limits.note.startswith(f"Written by {ANN} on ")
    assert limits.note.endswith("for this version.")


def test_a_versions_own_words_are_taken_off_again() -> None:
    version = make_version()
    write_words(target=version.model, changes={"contact": "ann@clinic.example"}, by=ANN)
    write_words(target=version, changes={"contact": "bob@clinic.example"}, by=ANN)
    assert words_on(version)["contact"].text == "bob@clinic.example"
    write_words(target=version, changes={"contact": ""}, by=ANN)
    assert words_on(version)["contact"].text == "ann@clinic.example"
    assert version.card_words == {}


def test_the_description_stands_for_a_purpose_that_nobody_wrote() -> None:
    version = make_version()
    update_model(model=version.model, changes={"description": "Which lumps to look at first."}, by=ANN)
    (_, *_), words = part(version, "What it is for").blocks, words_on(version)
    assert (words["purpose"].text, words["purpose"].whose) == ("Which lumps to look at first.", "description")
    write_words(target=version.model, changes={"purpose": "Triage."}, by=ANN)
    assert words_on(version)["purpose"].text == "Triage."


def test_the_card_tells_the_record() -> None:
    version = make_champion()
    propose(model=version.model, version=make_version(version.model, dataset=version.dataset), by=ANN)
    card = card_of(version)
    assert (card.title, card.lead) == (
        "cancer v1",
        "It predicts diagnosis, by logistic regression. It answers as champion.",
    )
    metrics = grid(version, "Metrics")
    f1 = next(row for row in metrics.rows if row[0].startswith("F1"))
    low, high = version.evaluation["intervals"]["f1"]
    assert f1[1:3] == [f"{version.metrics['f1']:.4g}", f"{low:.3g} to {high:.3g}"]
    assert len(grid(version, "Data", "Inputs").rows) == 30
    assert grid(version, "Slices and fairness", "By group").rows
    assert grid(version, "Explanations", "What it relies on").rows[0][0] == "mean_radius"
    (change,) = grid(version, "Approvals", "What was done with it").rows
    assert change[1:5] == ["Promoted", "champion", str(SYSTEM), "first"]
    assert {row[1] for row in part(version, "Approvals").blocks[-1].rows} <= {"passed", "failed"}  # type: ignore[union-attr]


def test_a_proposal_stands_in_the_card_of_its_version() -> None:
    version = make_version()
    propose(model=version.model, version=version, by=ANN, comment="steadier")
    (row,) = grid(version, "Approvals", "Proposals").rows
    assert row[1:4] == [str(ANN), "steadier", "Waits for approval"]


def test_what_is_missing_is_said() -> None:
    version = make_version(evaluation={}, importance=[], metrics={})
    parts = {one.title: one for one in card_of(version).parts}
    for title in ("Metrics", "Slices and fairness", "Explanations", "Approvals", "Limits", "What it is for"):
        assert any(isinstance(one, Sentence) and one.missing for one in parts[title].blocks), title
    assert "nobody has written this yet" in card_markdown(card_of(version))


def test_groups_of_personal_columns_are_shown_where_the_tenant_allows_it(in_tenant: Tenant) -> None:
    version = make_version()
    slices = [{**one, "personal": "pseudonymise"} for one in version.evaluation["slices"]]
    version.evaluation = {**version.evaluation, "slices": slices}
    assert all(isinstance(one, Sentence) for one in part(version, "Slices and fairness").blocks)
    Tenant.objects.filter(pk=in_tenant.pk).update(measure_personal_groups=True)
    assert grid(version, "Slices and fairness", "By group").rows
