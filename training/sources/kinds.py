"""The table of source kinds: a new kind is a file and a line here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import msgspec
import pandas as pd

from training.errors import InvalidSource
from training.sources import predictions, rest, s3, sql

LONGEST_SECRET = 5_000


@dataclass(frozen=True)
class Kind:
    """How sources of one kind are set, and read.

    ``fetch(settings, secret, budget, model)`` returns a table; it raises platform errors alone. ``parts``,
    where the kind has it, takes the same and opens the rows in parts of bounded size, for what need not fit
    into memory; ``pour(settings, secret, budget, gathering)`` hands them on batch by batch as they come, each
    with the types of its own values. ``secret_is`` names the credential for people, empty where the kind has
    none.
    """

    key: str
    title: str
    settings: type[Any]
    fetch: Callable[..., Any]
    secret_is: str = ""
    of_a_model: bool = False
    parts: Callable[..., AbstractContextManager[Iterator[pd.DataFrame]]] | None = None
    pour: Callable[..., None] | None = None


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("sql", "Database (SQL)", sql.SqlSettings, sql.fetch, "Password", pour=sql.pour),
        Kind("rest", "Web service (REST)", rest.RestSettings, rest.fetch, "Token or password"),
        Kind("s3", "Object in an S3 store", s3.S3Settings, s3.fetch, "Secret key", parts=s3.parts),
        Kind(
            "predictions",
            "Predictions with outcomes",
            predictions.PredictionsSettings,
            predictions.fetch,
            of_a_model=True,
        ),
    )
}


def get_kind(key: str) -> Kind:
    """Return the kind; raises InvalidSource."""
    if key not in KINDS:
        raise InvalidSource(
            f"{key[:40]!r} is no kind of source. Choose from {', '.join(KINDS)}.",
            fields={"kind": ["Unknown kind."]},
        )
    return KINDS[key]


def parsed(kind: Kind, raw: Mapping[str, Any]) -> Any:
    """Return the settings, checked as far as that goes without asking anybody.

    Raises InvalidSource, which names the wrong field, or AddressRefused.
    """
    try:
        settings = msgspec.convert(dict(raw), kind.settings)
    except msgspec.ValidationError as error:
        text = str(error)
        field = text.rpartition("$.")[2].rstrip("`").partition(".")[0] if "$." in text else "settings"
        raise InvalidSource(f"The settings are wrong: {text}.", fields={field: [text]}) from error
    settings.check()
    return settings


def checked_secret(kind: Kind, secret: str) -> str:
    """Return the credential; raises InvalidSource where the kind has none, or it is too long."""
    if secret and not kind.secret_is:
        raise InvalidSource(
            f"{kind.title}: there is no credential to give.", fields={"secret": ["Leave it out."]}
        )
    if len(secret) > LONGEST_SECRET or "\x00" in secret:
        raise InvalidSource("The credential is too long.", fields={"secret": ["Too long."]})
    return secret


def as_stored(settings: Any) -> dict[str, Any]:
    """Return the settings as they are kept and shown: everything but the credential."""
    stored: dict[str, Any] = msgspec.to_builtins(settings)
    return stored
