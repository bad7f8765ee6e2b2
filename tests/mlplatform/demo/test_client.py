"""The demonstration's client: what the platform refuses ends the demonstration with the platform's words."""

from contextlib import closing

import pytest
from pytest_django.live_server_helper import LiveServer

from mlplatform.demo.client import Api, DemoFailed
from mlplatform.demo.tenants import Cast, set_up
from mlplatform.errors import Conflict
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, User
from tests.plugins.application_role import whole_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast() -> Cast:
    return set_up(SYSTEM)


def test_each_key_leads_to_its_tenant(live_server: LiveServer, cast: Cast) -> None:
    for key, slug in ((cast.clinic_key, "clinic"), (cast.winery_key, "winery")):
        with closing(Api(live_server.url, key)) as api:
            assert api.get("/whoami")["tenant"] == slug


def test_person_signs_in_to_both_tenants_with_the_password_shown(cast: Cast) -> None:
    person = User.objects.get(email=cast.email)
    assert person.check_password(cast.password)
    assert not person.is_superuser
    with whole_database():
        assert Membership.all_tenants.filter(user=person).count() == 2


def test_demonstration_never_plays_twice_on_the_same_data(cast: Cast) -> None:
    with pytest.raises(Conflict, match="exist here already"):
        set_up(SYSTEM)


def test_refusal_ends_the_demonstration(live_server: LiveServer, cast: Cast) -> None:
    refused = r"GET /models/none was answered 404.*model_not_found"
    with closing(Api(live_server.url, cast.clinic_key)) as api, pytest.raises(DemoFailed, match=refused):
        api.get("/models/none")


def test_silence_ends_the_demonstration(cast: Cast) -> None:
    with closing(Api("http://127.0.0.1:9", cast.clinic_key)) as api, pytest.raises(DemoFailed, match="GET"):
        api.get("/whoami")


def test_waiting_in_vain_says_for_what(live_server: LiveServer, cast: Cast) -> None:
    in_vain = pytest.raises(DemoFailed, match="in vain for the moon")
    with closing(Api(live_server.url, cast.clinic_key)) as api, in_vain:
        api.wait("/whoami", lambda _: False, seconds=0, what="the moon")
