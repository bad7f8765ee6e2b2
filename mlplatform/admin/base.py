"""The base of every model's pages in the console: lists, read-only pages, and commands that call services."""

from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from mlplatform.admin.answers import Answers
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import page_sections
from mlplatform.admin.history import history_of, name_when_last_seen
from mlplatform.admin.links import command_url, history_url, list_command_url, list_url, page_url
from mlplatform.admin.parts import Button, Menu, Section
from mlplatform.admin.render import show
from mlplatform.errors import PlatformError
from mlplatform.identity.proofs import demand_recent_proof
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.refusals import mark_refused
from mlplatform.tenancy.scope import active_tenant

BUTTON_ORDER = {"primary": 0, "plain": 1, "danger": 2}


def cell(attribute: str, description: str, ordering: str = "") -> Callable[[Any], SafeString]:
    """Return a list column that shows the attribute as pages do, sortable by it or by another column."""

    @admin.display(description=description, ordering=ordering or attribute.replace(".", "__"))
    def shown(row: Any) -> SafeString:
        value = row
        for name in attribute.split("."):
            value = getattr(value, name, None)
        return show(value)

    shown.__name__ = attribute.replace(".", "_")
    return shown


class PlatformModelAdmin(Answers):
    """Lists and pages of one table. Rows are changed by commands alone, each of which calls a service."""

    commands: Sequence[Command] = ()
    list_commands: Sequence[Command] = ()
    empty_title = "Nothing here yet"
    empty_hint = ""
    list_per_page = 50
    list_fullwidth = True
    actions_on_top = True
    full_width_page = False
    add_reauthenticates = False  # as ``Command.reauthenticate``, for the page that adds a row
    has_history = True

    # --- What subclasses say ------------------------------------------------------------------
    def sections(self, request: HttpRequest, row: Any) -> Iterable[Section | None]:
        """Return the parts of the object's page, None for one that does not apply."""
        raise NotImplementedError

    def buttons(self, request: HttpRequest, row: Any) -> Iterable[Button]:
        """Return ways on from the object's page beside its own commands."""
        return ()

    def all_commands(self) -> Sequence[Command]:
        """Return the commands on an object, with those that other parts of the platform add."""
        return self.commands

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Answer the page that adds a row; only called where ``can_add`` says so."""
        raise NotImplementedError

    # --- Pages --------------------------------------------------------------------------------
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form that adds a row."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.add_reauthenticates:
            demand_recent_proof(request)
        return self.add_page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the object's page."""
        self._demand_sight(request)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            mark_refused(request)
            redirect: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return redirect
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self.object_page(request, row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the audit events of the object, also of one that was deleted since."""
        self._demand_sight(request)
        if active_tenant() is None:
            raise PermissionDenied  # a trail is a tenant's
        key = unquote(object_id)
        row, kind = self.get_object(request, key), self.opts.label_lower
        if not (self.has_view_permission(request, row) and self.may(request, Capability.ADMIN)):
            raise PermissionDenied if row is not None else Http404
        name = str(row) if row is not None else name_when_last_seen(kind, key)
        if name is None:
            raise Http404
        back = [Button("Back", list_url(kind) if row is None else page_url(row), "arrow_back")]
        sections = [history_of(kind, key)]
        title = name if row is not None else f"{name} (deleted)"
        return self.render(
            request, "admin/pages/object.html", row, title=title, sections=sections, buttons=back
        )

    def _demand_sight(self, request: HttpRequest) -> None:
        """Refuse who may see no row of this table, whether there is such a row or not."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def object_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Render the object's sections and what may be done with it."""
        added = [make(row) for make in page_sections[self.opts.label_lower]]
        sections = [section for section in (*self.sections(request, row), *added) if section is not None]
        return self.render(
            request,
            "admin/pages/object.html",
            row,
            sections=sections,
            buttons=self._all_buttons(request, row),
        )

    # --- Commands -----------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        """Add the commands' addresses."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        mine = [
            *(
                path(f"{one.slug}/", self._guard_list(one), name=f"{name}_{one.slug}")
                for one in self.list_commands
            ),
            *(
                path(f"<path:object_id>/{one.slug}/", self._guard(one), name=f"{name}_{one.slug}")
                for one in self.all_commands()
            ),
        ]
        return [*mine, *super().get_urls()]

    def _guard(self, command: Command) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if not self.may(request, command.capability, row):
                raise PermissionDenied
            if row is None:
                raise Http404
            return self._run(request, command, row, page_url(row))

        return self._wrap(view)

    def _guard_list(self, command: Command) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            if not self.may_begin(request, command.capability):
                raise PermissionDenied
            return self._run(request, command, None, list_url(self.opts.label_lower))

        return self._wrap(view)

    def _wrap(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def wrapper(*args: Any, **kwargs: Any) -> HttpResponse:
            answer: HttpResponse = self.admin_site.admin_view(view)(*args, **kwargs)
            return answer

        wrapper.model_admin = self  # type: ignore[attr-defined]  # as Django's own wrapper does
        return update_wrapper(wrapper, view)

    def _run(self, request: HttpRequest, command: Command, row: Any, back: str) -> HttpResponse:
        if command.post and request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if command.reauthenticate:
            demand_recent_proof(request)
        answer: Callable[..., HttpResponse] = command.view or getattr(self, command.method)
        try:
            return answer(request) if row is None else answer(request, row)
        except PlatformError as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(back)

    def _all_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        own = [
            Button(
                one.title,
                command_url(row, one.slug),
                one.icon,
                one.capability,
                one.variant,
                one.post,
                menu=one.menu,
            )
            for one in self.all_commands()
            if one.available(row)
        ]
        buttons = [*own, *self.buttons(request, row)]
        if self.has_history and can(request.user, Capability.ADMIN):
            address = history_url(self.opts.label_lower, str(row.pk))
            menu = Menu.LOOK if any(button.menu == Menu.LOOK for button in buttons) else Menu.NONE
            buttons.append(Button("History", address, "history", Capability.ADMIN, menu=menu))
        allowed = [button for button in buttons if self.may(request, button.capability, row)]
        return sorted(
            allowed, key=lambda button: (list(Menu).index(button.menu), BUTTON_ORDER[button.variant])
        )

    # --- Lists --------------------------------------------------------------------------------
    def _list_command(self, request: HttpRequest, command: Command) -> str:
        address = list_command_url(self.opts.label_lower, command.slug)
        chosen = request.GET.urlencode() if command.keeps_filters else ""
        return f"{address}?{chosen}" if chosen else address

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list with the list's own commands at its top."""
        offered = [
            Button(one.title, self._list_command(request, one), one.icon, variant=one.variant)
            for one in self.list_commands
            if self.may_begin(request, one.capability) and not one.post
        ]
        answer: HttpResponse = super().changelist_view(
            request, {"list_buttons": offered, **(extra_context or {})}
        )
        return answer
