"""Tags of models and versions: names with values, to find them by."""

import re
from collections.abc import Mapping

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import InvalidTags
from registry.models import ModelVersion, RegisteredModel

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,49}")
LONGEST_VALUE, MOST_TAGS = 200, 50


def change_tags(
    *, target: RegisteredModel | ModelVersion, changes: Mapping[str, str | None], by: Actor
) -> dict[str, str]:
    """Set the tags named; None takes one off; the others stay. Returns all tags. Raises InvalidTags.

    A tag tells people and programs about a version and changes nothing of it, so that deployed ones,
    which are locked, take tags as well.
    """
    problems = {name[:60]: sentence for name, value in changes.items() if (sentence := _problem(name, value))}
    if problems:
        raise InvalidTags("Some tags cannot be kept.", fields=problems)
    with tenant_transaction():
        row = type(target).objects.select_for_update().get(pk=target.pk)  # of two changes none is lost
        before = dict(row.tags)
        after = {name: value for name, value in {**before, **changes}.items() if value is not None}
        if len(after) > MOST_TAGS:
            raise InvalidTags(f"At most {MOST_TAGS} tags fit; these would be {len(after)}. Take some off.")
        type(target).objects.filter(pk=target.pk).update(tags=after)
        kind = "model" if isinstance(target, RegisteredModel) else "version"
        record(by=by, action=f"{kind}.tagged", target=target, before={"tags": before}, after={"tags": after})
    target.tags = after
    return after


def _problem(name: str, value: str | None) -> list[str]:
    if not NAME.fullmatch(name):
        return ["A tag's name is made of letters, digits, _ and -, and begins with a letter or _."]
    if value is not None and (len(value) > LONGEST_VALUE or not value.isprintable()):
        return [f"A tag's value is one line of at most {LONGEST_VALUE} characters."]
    return []
