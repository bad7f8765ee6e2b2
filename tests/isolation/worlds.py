"""Two tenants side by side: one whose walls are attacked, full of canaries, and the one that attacks."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from allauth.mfa.models import Authenticator

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Tenant, TenantModel, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.tenants import create_tenant
from mlplatform.tenancy.walls import tenant_models
from registry.models import Prediction, RegisteredModel
from registry.services.promotion import promote
from registry.services.serving import predict
from tests.factories import make_dataset, make_version, rows_of, table
from tests.isolation.canaries import Canaries, Secrets, everything_of
from tests.isolation.rows import complete, fingerprint, newest, number_from
from tests.world import populate
from training.models import RetrainingSchedule
from training.services.jobs import create_job

OURS, THEIRS = 10**9, 10**12


@dataclass(frozen=True)
class World:
    """Our tenant, which attacks, and theirs; what is theirs alone; the state that theirs must keep."""

    ours: Tenant
    theirs: Tenant
    secrets: Secrets
    their_state: dict[str, list[Any]]
    their_key: str
    rows: dict[tuple[int, str], Any]

    def row(self, model: type[TenantModel], *, theirs: bool = False) -> Any:
        """Return our newest row of the table, or theirs."""
        tenant = self.theirs if theirs else self.ours
        return self.rows[tenant.pk, model._meta.label]

    def of_the_installation(self) -> str:
        """Return what the platform's administrators may see of theirs: the tenant's name and its people."""
        person = User.objects.get(pk=self.row(Membership, theirs=True).user_id)
        return f"{self.theirs.pk} {self.theirs.slug} {person.pk} {person.email} {person.password}"

    def changed(self) -> list[str]:
        """Return the tables in which their rows are no longer what they were."""
        with tenant_scope(self.theirs), tenant_transaction():
            now = fingerprint()
        return [label for label, rows in now.items() if rows != self.their_state[label]]


def build() -> World:
    """Make both tenants, with a row in every table; what is in theirs is nowhere in ours."""
    canaries = Canaries()
    number_from(OURS)
    ours = furnished(create_tenant(slug="attacker", name="Attacker", by=SYSTEM), "attackers")
    number_from(THEIRS)
    their_name = canaries.new("the tenant's name")
    theirs = create_tenant(slug=their_name, name=their_name, by=SYSTEM)
    furnished(theirs, canaries.new("the names of what is not planted"), canaries)
    with tenant_scope(ours), tenant_transaction():
        known = everything_of(ours)
    with tenant_scope(theirs), tenant_transaction():
        their_key = create_api_key(name=canaries.new("key"), scopes=["read"], by=SYSTEM).secret
        canaries.plant()
        person = newest(Membership).user
        name = canaries.new("the person")
        User.objects.filter(pk=person.pk).update(email=f"{name}@example.com", name=name)
        state = fingerprint()
        secrets = Secrets(canaries, everything_of(theirs), known)
    return World(ours, theirs, secrets, state, their_key, newest_rows(ours) | newest_rows(theirs))


def newest_rows(tenant: Tenant) -> dict[tuple[int, str], Any]:
    """Return the tenant's newest row of each table."""
    with tenant_scope(tenant), tenant_transaction():
        return {(tenant.pk, model._meta.label): newest(model) for model in tenant_models()}


def furnished(tenant: Tenant, name: str, canaries: Canaries | None = None) -> Tenant:
    """Fill the tenant; each state is there that some command needs."""
    rows = populate(tenant, name, labelled(canaries) if canaries else table())
    with tenant_scope(tenant), tenant_transaction():
        model: RegisteredModel = rows["models"]
        champion, dataset = rows["versions"], rows["datasets"]
        candidate = make_version(model, dataset=dataset)
        promote(model=model, version=candidate, by=SYSTEM, reason=name, override=True)
        make_version(model, dataset=make_dataset(f"{name}-2", frame=table().tail(200)))
        predict(model=model, rows=rows_of(champion, 2, start=3), entity_keys=[name, name], by=SYSTEM)
        create_job(model=model, dataset=dataset, by=SYSTEM)
        RetrainingSchedule.objects.create(model=model, name=f"{name} again", cron="0 4 * * *")
        record(by=SYSTEM, action="note", target=model, before={name: name}, details={"note": name})
        assert Prediction.objects.filter(outcomes=None).exists()
        complete()
        # What a person has to sign in with is the person's own, like everything in the account.
        kind, person = Authenticator.Type.WEBAUTHN, newest(Membership).user
        Authenticator.objects.create(user=person, type=kind, data={"name": name, "credential": {}})
    return tenant


def labelled(canaries: Canaries) -> pd.DataFrame:
    """Return the table with canaries for the classes, in a category, and as a column's name."""
    classes = {label: canaries.new(f"the class {label}") for label in ("malignant", "benign")}
    frame = table().iloc[:300]
    category = [canaries.new("a category"), canaries.new("another category")]
    values = [category[place % 2] for place in range(len(frame))]
    column = pd.Series(values, index=frame.index, dtype="str")
    return frame.assign(diagnosis=frame["diagnosis"].map(classes), **{canaries.new("a column"): column})
