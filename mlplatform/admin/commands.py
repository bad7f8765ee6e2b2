"""What can be done with an object, or a list, beside looking at it: declared, so that it can be walked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse

from mlplatform.admin.parts import Menu, Section
from mlplatform.tenancy.permissions import Capability


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True)
class Command:
    """One thing to do, at ``<object>/<slug>/`` or ``<list>/<slug>/``.

    The admin class answers it with the method of the slug's name. ``post`` ones act at once and accept POST
    only; the others show a page first. ``available`` says for which objects the button is shown. ``view``
    answers instead where another part of the platform adds the command. ``reauthenticate`` is for what cannot
    easily be taken back: whoever signed in too long ago confirms who they are before the page opens.
    ``keeps_filters`` hands the list's filters on to a list's command. ``menu``: where its button folds away.
    """

    slug: str
    title: str
    capability: Capability
    icon: str
    variant: Literal["primary", "plain", "danger"] = "plain"
    post: bool = False
    available: Callable[[Any], bool] = _always
    view: Callable[[HttpRequest, Any], HttpResponse] | None = None
    reauthenticate: bool = False
    keeps_filters: bool = False
    menu: Menu = Menu.NONE

    @property
    def method(self) -> str:
        """The name of the method that answers."""
        return self.slug.replace("-", "_")


@dataclass(frozen=True)
class FormPage:
    """The words around a form; ``sections`` stand above it."""

    title: str
    submit: str
    intro: str = ""
    danger: bool = False
    sections: Sequence[Section] = ()
    cancel: str = ""
    second: tuple[str, str] | None = None  # another button of the form: the name that it sends, its title
