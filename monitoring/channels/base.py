"""What every kind of channel is given, and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """One message as channels get it.

    ``key`` is the same in every attempt, so that a receiver can leave out what it has; ``payload`` holds
    ``event``, ``subject``, ``at``, ``tenant``, ``model`` and ``alerts`` or ``lines``. ``recipients`` are the
    addresses that have not got it yet, for a channel that writes to people.
    """

    key: str
    payload: Mapping[str, Any]
    settings: Mapping[str, Any]
    secret: str = field(repr=False)
    recipients: Sequence[str] = ()


class SendingFailed(Exception):
    """The message did not arrive; ``final`` where no later attempt can help. ``reached`` have got it."""

    def __init__(self, words: str, *, final: bool = False, reached: Sequence[str] = ()) -> None:
        super().__init__(words)
        self.words, self.final, self.reached = words, final, list(reached)


@dataclass(frozen=True)
class Kind:
    """A kind of channel.

    ``check`` returns the settings as they are stored, and raises ValueError or AddressRefused with a name of
    the field: it gets the settings and the secret. ``send`` returns when the message has arrived, and raises
    SendingFailed. ``secret`` says what the secret is, empty where there is none.
    """

    title: str
    check: Callable[[Mapping[str, Any], str], dict[str, Any]]
    send: Callable[[Message], None]
    place: Callable[[Mapping[str, Any], str], str]
    secret: str = ""


class BadSetting(ValueError):
    """A setting that cannot work, by its name."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name, self.words = name, words
