"""How many jobs a tenant may have and run at once, and whose turn it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from mlplatform.errors import Conflict, TooMany
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from tests.conftest import ApiFor
from tests.factories import make_dataset, make_model, table
from tests.registry.services.test_race import together
from tests.training.conftest import QUICK
from training.models import JobState, TrainingJob
from training.services.claims import Claim, claim, finish
from training.services.jobs import create_job, request_cancel
from training.services.turns import next_turn
from training.tasks import run_job


def queue(tenant: Tenant, number: int = 1) -> list[TrainingJob]:
    """Queue jobs for the tenant, each of a model of its own."""
    with tenant_scope(tenant), tenant_transaction():
        dataset, before = make_dataset(), TrainingJob.objects.count()
        names = [f"model-{before + place}" for place in range(number)]
        return [
            create_job(model=make_model(name), dataset=dataset, by=SYSTEM, config=QUICK) for name in names
        ]


def start(tenant: Tenant, job: TrainingJob) -> Claim | None:
    with tenant_scope(tenant), tenant_transaction():
        return claim(job_id=job.pk)


def turn() -> tuple[str, int] | None:
    found = next_turn()
    return None if found is None else (found[0].slug, found[1])


class TestJobsThatWaitOrRun:
    """A tenant may have so many; more are refused until one ends."""

    def test_one_too_many_is_refused_until_one_ends(self, tenant: Tenant) -> None:
        tenant.active_jobs = 2
        tenant.save()
        first, _ = queue(tenant, 2)
        with pytest.raises(TooMany, match=r"Training jobs, waiting and running: 2 of 2") as refused:
            queue(tenant)
        assert refused.value.wait == 60
        with tenant_scope(tenant), tenant_transaction():
            request_cancel(job=first, by=SYSTEM)
        queue(tenant)

    def test_a_running_job_counts(self, tenant: Tenant) -> None:
        tenant.active_jobs = 1
        tenant.save()
        [job] = queue(tenant)
        assert start(tenant, job)
        with pytest.raises(TooMany):
            queue(tenant)

    def test_another_tenants_jobs_do_not_count(self, tenant: Tenant, other_tenant: Tenant) -> None:
        tenant.active_jobs = other_tenant.active_jobs = 1
        tenant.save()
        other_tenant.save()
        queue(tenant)
        queue(other_tenant)

    def test_the_api_answers_429_with_retry_after(self, tenant: Tenant, api_for: ApiFor) -> None:
        tenant.active_jobs = 1
        tenant.save()
        [job] = queue(tenant)
        with tenant_scope(tenant), tenant_transaction():
            make_model("another")
        client: APIClient = api_for(tenant)
        answer = client.post("/api/v1/jobs", {"model": "another", "dataset": job.dataset_id})
        assert (answer.status_code, answer.json()["code"]) == (429, "limit_reached")
        assert answer["Retry-After"] == "60"
        with tenant_scope(tenant), tenant_transaction():
            assert TrainingJob.objects.count() == 1
            [event] = AuditEvent.objects.filter(action="limit.reached")
            assert event.object_label == "Training jobs, waiting and running"


class TestJobsAtOnce:
    """A tenant may run so many; more wait."""

    def test_a_job_over_the_limit_stays_in_the_queue(self, tenant: Tenant) -> None:
        tenant.running_jobs = 1
        tenant.save()
        first, second = queue(tenant, 2)
        taken = start(tenant, first)
        assert taken is not None
        assert start(tenant, second) is None
        with tenant_scope(tenant), tenant_transaction():
            assert TrainingJob.objects.get(pk=second.pk).state == JobState.QUEUED
            finish(claim=taken, state=JobState.FAILED)
        assert start(tenant, second)

    def test_nobodys_turn_comes_while_everybody_is_at_the_limit(self, tenant: Tenant) -> None:
        tenant.running_jobs = 1
        tenant.save()
        first, _ = queue(tenant, 2)
        assert start(tenant, first)
        assert turn() is None

    @pytest.mark.usefixtures("worker_at_once")
    def test_the_end_of_a_job_wakes_one_that_had_to_wait(
        self, tenant: Tenant, django_capture_on_commit_callbacks: Callable[..., object]
    ) -> None:
        first, second = queue(tenant, 2)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
            run_job(first.pk, tenant_id=tenant.pk)
        with tenant_scope(tenant), tenant_transaction():
            states = TrainingJob.objects.values_list("state", flat=True)
            assert set(states) == {JobState.SUCCEEDED}, second


class TestTurns:
    """Tenants take turns, whoever asked first and most."""

    def test_nobody_waits(self, tenant: Tenant) -> None:
        assert turn() is None

    def test_a_tenants_own_jobs_run_in_their_order(self, tenant: Tenant) -> None:
        first, _ = queue(tenant, 2)
        assert turn() == ("clinic", first.pk)

    def test_who_runs_less_comes_first(self, tenant: Tenant, other_tenant: Tenant) -> None:
        many = queue(tenant, 3)
        assert start(tenant, many[0])
        [one] = queue(other_tenant)
        assert turn() == ("winery", one.pk)

    def test_of_equals_the_one_whose_last_start_is_older_comes_first(
        self, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        jobs = {"clinic": queue(tenant, 2), "winery": queue(other_tenant, 2)}
        for owner, minutes in ((tenant, 1), (other_tenant, 9)):
            taken = start(owner, jobs[owner.slug][0])
            assert taken is not None
            with tenant_scope(owner), tenant_transaction():
                finish(claim=taken, state=JobState.FAILED)
                started = timezone.now() - timedelta(minutes=minutes)
                TrainingJob.objects.filter(pk=taken.job_id).update(started_at=started)
        assert turn() == ("winery", jobs["winery"][1].pk)

    def test_two_tenants_alternate_though_one_asked_ten_times_first(
        self, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        tenant.running_jobs = other_tenant.running_jobs = 1
        tenant.save()
        other_tenant.save()
        queue(tenant, 4)
        queue(other_tenant, 2)
        order = []
        owners = {"clinic": tenant, "winery": other_tenant}
        while found := turn():
            slug, pk = found
            order.append(slug)
            with tenant_scope(owners[slug]), tenant_transaction():
                taken = claim(job_id=pk)
                assert taken is not None
                finish(claim=taken, state=JobState.FAILED)
        assert order == ["clinic", "winery", "clinic", "winery", "clinic", "clinic"]

    def test_a_tenant_that_is_switched_off_has_no_turn(self, tenant: Tenant) -> None:
        queue(tenant)
        tenant.is_active = False
        tenant.save()
        assert turn() is None

    @pytest.mark.usefixtures("worker_at_once")
    def test_a_message_of_one_tenant_runs_the_job_whose_turn_it_is(
        self, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        many, [one] = queue(tenant, 2), queue(other_tenant)
        assert start(tenant, many[0])
        run_job(many[1].pk, tenant_id=tenant.pk)
        with tenant_scope(other_tenant), tenant_transaction():
            assert TrainingJob.objects.get(pk=one.pk).state == JobState.SUCCEEDED


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """On a database that really commits."""

    def test_workers_that_free_up_at_once_take_no_more_than_the_limit(self) -> None:
        tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
        tenant.running_jobs = 2
        tenant.save()
        jobs = queue(tenant, 5)
        taken = together([lambda job=job: start(tenant, job) for job in jobs])  # type: ignore[misc]
        assert sum(one is not None for one in taken) == 2

    def test_of_submissions_at_once_no_more_than_the_limit_pass(self) -> None:
        tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
        tenant.active_jobs = 2
        tenant.save()
        with tenant_scope(tenant):
            datasets = [make_dataset(frame=table().assign(part=place)) for place in range(5)]
            model = make_model()

        def submitting(place: int) -> Callable[[], object]:
            def run() -> object:
                with tenant_scope(tenant):
                    try:
                        return create_job(model=model, dataset=datasets[place], by=SYSTEM, config=QUICK)
                    except TooMany as error:
                        return Conflict(error.detail)

            return run

        results = together([submitting(place) for place in range(5)])
        assert sum(isinstance(result, TrainingJob) for result in results) == 2
