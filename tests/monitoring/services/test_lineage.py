"""Lineage both ways, from each thing it may start from, and nothing in it that the reader may not see."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.admin.links import list_url, page_url
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant, TenantModel
from mlplatform.tenancy.scope import Sight, tenant_scope, tenant_transaction
from monitoring.models import Alert, AlertRule, RetrainingDecision
from monitoring.services import lineage as lineages
from monitoring.services.lineage import lineage_of, tree
from monitoring.services.rollups import roll_up
from registry.models import Dataset, Deployment, ModelVersion, Prediction, ShadowAnswer
from registry.services.datasets import freeze
from registry.services.promotion import promote
from registry.services.rollout_plans import Planned
from registry.services.rollouts import promote_challenger, start_rollout
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_model, make_version, rows_of, table
from training.models import DataSource, JobState, TrainingJob
from training.services.batch_options import Options
from training.services.batches import create_batch
from training.services.datasets import retraining_dataset
from training.services.jobs import create_job
from training.services.sources import create_source


@dataclass(frozen=True)
class Loop:
    """Once around the loop: a source, its data, a version that answered, and the one that came of that."""

    source: DataSource
    data: Dataset
    job: TrainingJob
    version: ModelVersion
    deployment: Deployment
    decision: RetrainingDecision
    learnt: Dataset
    again: TrainingJob
    newer: ModelVersion

    def all_keys(self) -> set[str]:
        """The keys of all that hangs together."""
        return {
            f"source:{self.source.pk}",
            f"dataset:{self.data.pk}",
            f"job:{self.job.pk}",
            f"version:{self.version.pk}",
            f"deployment:{self.deployment.pk}",
            f"predictions:{self.version.pk}",
            f"outcomes:{self.version.pk}",
            f"decision:{self.decision.pk}",
            f"dataset:{self.learnt.pk}",
            f"job:{self.again.pk}",
            f"version:{self.newer.pk}",
        }


def trained(dataset: Dataset, version: ModelVersion) -> TrainingJob:
    """The job that made the version."""
    job = create_job(model=version.model, dataset=dataset, by=SYSTEM)
    TrainingJob.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, version=version)
    job.refresh_from_db()
    return job


@pytest.fixture
def loop(tenant: Tenant) -> Iterator[Loop]:
    with tenant_scope(tenant), tenant_transaction():
        yield around()


def around() -> Loop:
    model = make_model()
    source = create_source(name="Rows", kind="rest", settings={"url": "https://rows.example.com/"}, by=SYSTEM)
    origin = {"kind": "source", "source": source.pk}
    data, _ = freeze(name="cancer", frame=table(), by=SYSTEM, origin=origin)
    version = make_version(model, dataset=data)
    job = trained(data, version)
    deployment = promote(model=model, version=version, by=SYSTEM, reason="first", override=True)
    answered = predict(model=model, rows=rows_of(version, 30), by=SYSTEM).predictions
    record_outcomes(items=[OutcomeItem(one.pk, "benign") for one in answered], source="api", by=SYSTEM)
    learnt = retraining_dataset(model=model, by=SYSTEM)
    newer = make_version(model, dataset=learnt)
    again = trained(learnt, newer)
    rule = AlertRule.objects.create(model=model, metric="performance", threshold=0.9)
    alert = Alert.objects.create(
        model=model, version=version, rule=rule, severity="critical", title="x", last_seen_at=timezone.now()
    )
    decision = RetrainingDecision.objects.create(
        model=model, alert=alert, state="kept", reason="quality", job=again
    )
    return Loop(source, data, job, version, deployment, decision, learnt, again, newer)


def test_the_whole_loop_is_found_downwards_from_its_source(loop: Loop) -> None:
    found = lineage_of(loop.source, direction="down", depth=20)
    assert set(found.nodes) == loop.all_keys()
    assert found.complete
    edges = set(found.edges)
    v, o = f"version:{loop.version.pk}", f"outcomes:{loop.version.pk}"
    assert {
        (f"source:{loop.source.pk}", f"dataset:{loop.data.pk}"),
        (f"dataset:{loop.data.pk}", f"job:{loop.job.pk}"),
        (f"job:{loop.job.pk}", v),
        (v, f"deployment:{loop.deployment.pk}"),
        (f"deployment:{loop.deployment.pk}", f"predictions:{loop.version.pk}"),
        (f"predictions:{loop.version.pk}", o),
        (o, f"dataset:{loop.learnt.pk}"),
        (o, f"decision:{loop.decision.pk}"),
        (f"decision:{loop.decision.pk}", f"job:{loop.again.pk}"),
        (f"dataset:{loop.learnt.pk}", f"job:{loop.again.pk}"),
        (f"job:{loop.again.pk}", f"version:{loop.newer.pk}"),
    } <= edges


def test_the_whole_loop_is_found_upwards_from_what_came_last(loop: Loop) -> None:
    assert set(lineage_of(loop.newer, direction="up", depth=20).nodes) == loop.all_keys()
    assert set(lineage_of(loop.newer, direction="down").nodes) == {f"version:{loop.newer.pk}"}


@pytest.mark.parametrize("start", ["source", "data", "job", "version", "deployment", "learnt", "again"])
def test_both_ways_from_each_thing_it_may_start_from(loop: Loop, start: str) -> None:
    row: TenantModel = getattr(loop, start)
    both = lineage_of(row, depth=20)
    up, down = (lineage_of(row, direction=way, depth=20) for way in ("up", "down"))
    assert set(both.nodes) == set(up.nodes) | set(down.nodes)
    assert set(up.nodes) & set(down.nodes) == {both.start}
    assert set(both.edges) == set(up.edges) | set(down.edges)
    assert {key for edge in both.edges for key in edge} <= set(both.nodes)


def test_predictions_and_outcomes_are_counted(loop: Loop) -> None:
    nodes = lineage_of(loop.deployment).nodes
    answered, known = nodes[f"predictions:{loop.version.pk}"], nodes[f"outcomes:{loop.version.pk}"]
    assert (answered.title, answered.count) == ("30 predictions", 30)
    assert (known.title, known.count, known.lines[0]) == ("30 outcomes", 30, "of cancer v1")


def test_rollouts_batches_and_answers_in_shadow_are_part_of_it(loop: Loop) -> None:
    model, newer = loop.newer.model, loop.newer
    batch = create_batch(model=model, by=SYSTEM, options=Options(), dataset=loop.data, number=newer.number)
    rollout = start_rollout(model=model, challenger=newer, plan=[Planned(0.5)], by=SYSTEM)
    keys = [f"case {number}" for number in range(30)]
    asked = predict(model=model, rows=rows_of(newer, 30), entity_keys=keys, by=SYSTEM).predictions
    heard = next(one for one in asked if one.version_id == loop.version.pk)
    ShadowAnswer.objects.create(
        prediction=heard, model=model, version=newer, label="benign", asked_at=heard.created_at
    )
    at = promote_challenger(rollout=rollout, by=SYSTEM, reason="good", override=True)
    found = lineage_of(newer, direction="down")
    here, tried = f"version:{newer.pk}", f"rollout:{rollout.pk}"
    assert {
        (here, f"batch:{batch.pk}"),
        (here, f"shadow:{newer.pk}"),
        (here, tried),
        (tried, f"predictions:{newer.pk}"),
        (tried, f"deployment:{at.pk}"),
    } <= set(found.edges)
    assert (here, f"predictions:{newer.pk}") not in found.edges
    told = {key: node.title for key, node in found.nodes.items()}
    assert told[tried] == "Canary against v1"
    assert told[f"shadow:{newer.pk}"] == "1 answer in shadow"
    assert (f"dataset:{loop.data.pk}", f"batch:{batch.pk}") in lineage_of(loop.data, depth=1).edges
    assert tried in lineage_of(at, direction="up").nodes


def test_what_the_roll_ups_counted_is_not_counted_again_and_outlives_the_log(loop: Loop) -> None:
    def counts() -> list[int | None]:
        nodes = lineage_of(loop.version).nodes
        return [nodes[f"{kind}:{loop.version.pk}"].count for kind in ("predictions", "outcomes")]

    def learnt() -> bool:
        return f"version:{loop.version.pk}" in lineage_of(loop.learnt, direction="up").nodes

    predict(model=loop.version.model, rows=rows_of(loop.version, 2), by=SYSTEM)
    assert counts() == [32, 30]
    roll_up()
    predict(model=loop.version.model, rows=rows_of(loop.version, 1), by=SYSTEM)
    assert (counts(), learnt()) == ([33, 30], True)
    Prediction.objects.filter(rolled_up=True).delete()
    assert (counts(), learnt()) == ([33, 30], True)


def test_what_lies_further_away_than_asked_is_said_to_be_there(loop: Loop) -> None:
    near = lineage_of(loop.version, depth=1)
    assert set(near.nodes) == {
        f"job:{loop.job.pk}",
        f"version:{loop.version.pk}",
        f"deployment:{loop.deployment.pk}",
    }
    assert not near.complete
    with pytest.raises(InvalidInput, match="links deep"):
        lineage_of(loop.version, depth=0)


def test_of_many_the_newest_are_there_and_the_others_counted(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineages, "MOST_BESIDE", 1)
    promote(model=loop.version.model, version=loop.newer, by=SYSTEM, reason="x", override=True)
    newest = promote(model=loop.version.model, version=loop.version, by=SYSTEM, reason="x", override=True)
    found = lineage_of(loop.version, direction="down", depth=1)
    assert set(found.nodes) == {
        found.start,
        f"deployment:{newest.pk}",
        f"{found.start}>deployment",
    }
    assert found.nodes[f"{found.start}>deployment"].title == "1 more deployments"
    assert not found.complete


def test_a_later_deployment_led_to_nothing_that_came_before_it(loop: Loop) -> None:
    model = loop.version.model
    promote(model=model, version=loop.newer, by=SYSTEM, reason="x", override=True)
    later = promote(model=model, version=loop.version, by=SYSTEM, reason="x", override=True)
    assert f"deployment:{later.pk}" in lineage_of(loop.version).nodes
    assert f"deployment:{later.pk}" not in lineage_of(loop.newer, direction="up", depth=20).nodes


def test_jobs_that_made_nothing_are_no_part_of_what_came_of_the_data(loop: Loop) -> None:
    failed = create_job(model=loop.version.model, dataset=loop.data, by=SYSTEM)
    TrainingJob.objects.filter(pk=failed.pk).update(state=JobState.FAILED)
    assert f"job:{failed.pk}" not in lineage_of(loop.data).nodes
    assert f"dataset:{loop.data.pk}" in lineage_of(failed).nodes


def test_a_model_out_of_sight_is_neither_shown_nor_walked_through(tenant: Tenant, loop: Loop) -> None:
    hidden = Sight(hidden=frozenset({loop.version.model.name}))
    with tenant_scope(tenant, hidden):
        assert set(lineage_of(loop.source).nodes) == {f"source:{loop.source.pk}", f"dataset:{loop.data.pk}"}


def test_the_tree_tells_each_branch_once(loop: Loop) -> None:
    lines = tree(lineage_of(loop.version, depth=20), up=False)
    assert lines[0].startswith("└─ Promoted: champion, by")
    assert sum(f"Job {loop.again.pk} " in line for line in lines) == 2
    assert sum(line.endswith("(see above)") for line in lines) == 1


def test_the_api_tells_nodes_and_edges(tenant: Tenant, loop: Loop, api_for: ApiFor) -> None:
    client = api_for(tenant, "read")
    addresses = {
        f"sources/{loop.source.pk}": f"source:{loop.source.pk}",
        f"datasets/{loop.data.pk}": f"dataset:{loop.data.pk}",
        f"jobs/{loop.job.pk}": f"job:{loop.job.pk}",
        "models/cancer/versions/1": f"version:{loop.version.pk}",
        f"models/cancer/deployments/{loop.deployment.pk}": f"deployment:{loop.deployment.pk}",
    }
    for address, start in addresses.items():
        body = client.get(f"/api/v1/{address}/lineage", {"depth": 20}).json()
        assert body["start"] == start
        assert {one["key"] for one in body["nodes"]} == loop.all_keys()
        assert {"leads": f"dataset:{loop.data.pk}", "follows": f"job:{loop.job.pk}"} in body["edges"]
    wrong = client.get("/api/v1/models/cancer/versions/1/lineage", {"depth": "0", "deep": "1"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["deep"])
    assert (
        client.get("/api/v1/models/cancer/deployments/999/lineage").json()["code"] == "deployment_not_found"
    )


def test_pages_show_the_picture_with_links(tenant: Tenant, loop: Loop, console_for: ConsoleFor) -> None:
    viewer = console_for(tenant, Role.VIEWER)
    for row in (loop.source, loop.data, loop.job, loop.version, loop.deployment):
        page = viewer.get(page_url(row)).content.decode()
        picture = page[page.index('class="p-flow"') :]
        for other in (loop.source, loop.data, loop.job, loop.version, loop.deployment):
            assert f'href="{page_url(other)}"' in picture
        assert f'href="{list_url("registry.prediction", version__id__exact=loop.version.pk)}"' in picture
    filtered = viewer.get(list_url("registry.prediction", version__id__exact=loop.version.pk))
    assert filtered.context["cl"].result_count == 30


def shown(*arguments: str) -> str:
    out = io.StringIO()
    call_command("lineage", "--tenant", "clinic", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_draws_a_tree(loop: Loop) -> None:
    told = shown("--model", "cancer", "--number", "1", "--depth", "20")
    assert told.startswith("cancer v1\n\ncame from:\n└─ Job ")
    assert "Source Rows" in told
    assert "30 outcomes, of cancer v1" in told
    assert "came from" not in shown("--dataset", str(loop.data.pk), "--direction", "down")
    assert json.loads(shown("--job", str(loop.job.pk), "--json"))["start"] == f"job:{loop.job.pk}"
    assert "Promoted: champion" in shown("--model", "cancer", "--deployment", str(loop.deployment.pk))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model", "cancer"],
        ["--number", "1"],
        ["--job", "1", "--dataset", "1"],
        ["--source", "1", "--model", "x"],
    ],
)
def test_the_command_asks_for_one_start(loop: Loop, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="Name one start"):
        shown(*arguments)
