"""Where the parts of the loop add to shared pages, so that a lower part never imports a higher one.

A model's page lives in the registry, yet shows jobs, outcomes and alerts: those parts hang themselves in here
from their own ``admin`` packages.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, HttpResponse

from mlplatform.admin.commands import Command
from mlplatform.admin.parts import Button, FirstStep, Notice, Section, Step

F = TypeVar("F", bound=Callable[..., Any])


class ExtensionPoint(Generic[F]):
    """An ordered list of functions that parts of the platform contribute."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, F]] = []

    def at(self, order: int) -> Callable[[F], F]:
        """Return a decorator that adds a function at this place."""

        def add(function: F) -> F:
            self._entries.append((order, function))
            self._entries.sort(key=lambda entry: entry[0])
            return function

        return add

    def __iter__(self) -> Iterator[F]:
        return iter([function for _, function in self._entries])


class Columns:
    """Columns of the dashboard's table of models, each computed for all models at once."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, str, Callable[[Sequence[Any]], Mapping[int, Any]]]] = []

    def at(
        self, order: int, title: str
    ) -> Callable[
        [Callable[[Sequence[Any]], Mapping[int, Any]]], Callable[[Sequence[Any]], Mapping[int, Any]]
    ]:
        """Return a decorator for a function that maps the models to cells by primary key."""

        def add(
            function: Callable[[Sequence[Any]], Mapping[int, Any]],
        ) -> Callable[[Sequence[Any]], Mapping[int, Any]]:
            self._entries.append((order, title, function))
            self._entries.sort(key=lambda entry: entry[0])
            return function

        return add

    def titles(self) -> list[str]:
        """Return the columns' headings in order."""
        return [title for _, title, _ in self._entries]

    def rows(self, models: Sequence[Any]) -> list[list[Any]]:
        """Return one row of cells for each model."""
        columns = [function(models) for _, _, function in self._entries]
        return [[column.get(model.pk) for column in columns] for model in models]


attention: ExtensionPoint[Callable[[], Iterable[Notice]]] = ExtensionPoint()
first_steps: ExtensionPoint[Callable[[], FirstStep]] = ExtensionPoint()
# Pages that show no table, by the word that is their address and their name.
console_pages: dict[str, Callable[[HttpRequest], HttpResponse]] = {}
settings_sections: ExtensionPoint[Callable[[HttpRequest], Section | None]] = ExtensionPoint()
dashboard_sections: ExtensionPoint[Callable[[HttpRequest], Section | None]] = ExtensionPoint()
model_steps: ExtensionPoint[Callable[[Any], Step]] = ExtensionPoint()
model_sections: ExtensionPoint[Callable[[Any], Section | None]] = ExtensionPoint()
model_buttons: ExtensionPoint[Callable[[Any], Button]] = ExtensionPoint()
# Sections at the end of the pages of a table, by its label such as ``registry.dataset``.
page_sections: defaultdict[str, ExtensionPoint[Callable[[Any], Section | None]]] = defaultdict(ExtensionPoint)
version_sections: ExtensionPoint[Callable[[Any], Iterable[Section]]] = ExtensionPoint()
version_commands: list[Command] = []
# Actions on the versions selected in their list, as ``model_actions``.
version_actions: dict[str, Callable[[Any, HttpRequest, Any], Any]] = {}
prediction_commands: list[Command] = []
prediction_sections: ExtensionPoint[Callable[[Any], Section | None]] = ExtensionPoint()
prediction_buttons: ExtensionPoint[Callable[[Any], Button]] = ExtensionPoint()
dataset_commands: list[Command] = []
dataset_import: ExtensionPoint[Callable[[Any, HttpRequest], HttpResponse]] = ExtensionPoint()
# What a list's entry in the sidebar says beside its name: a number, or nothing.
navigation_badges: dict[str, Callable[[], str]] = {}
model_commands: list[Command] = []
# Actions on the models selected in their list, by name: functions of admin class, request and rows.
model_actions: dict[str, Callable[[Any, HttpRequest, Any], Any]] = {}
model_columns = Columns()
