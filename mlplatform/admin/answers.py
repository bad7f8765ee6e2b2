"""How a table's pages answer: inside the console's frame, with a form, with a message and a way on."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.lists import AskedLists
from mlplatform.admin.rights import CapabilityRights
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from mlplatform.tenancy.refusals import mark_refused

Submit = Callable[[Mapping[str, Any], Actor], HttpResponse]


class Answers(CapabilityRights, AskedLists):
    """What every page of a table may answer with."""

    def render(
        self, request: HttpRequest, template: str, row: Any = None, **context: Any
    ) -> TemplateResponse:
        """Render a template inside the console's frame."""
        request.current_app = self.admin_site.name
        frame = {"opts": self.opts, "original": row, "title": str(row or self.opts.verbose_name_plural)}
        return TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), **frame, "is_fullwidth": "1", **context},
        )

    def form_page(
        self, request: HttpRequest, *, page: FormPage, form: ConsoleForm, submit: Submit, row: Any = None
    ) -> HttpResponse:
        """Show the form; once it is valid, call ``submit``; a service's error appears in the form."""
        if request.method == "POST" and form.is_valid():
            try:
                return submit(form.cleaned_data, Actor.of(request.user))  # type: ignore[arg-type]  # signed in
            except PlatformError as error:
                form.refuse(error)
            except ValidationError as error:
                form.refuse_invalid(error)
        return self.show_form(request, page=page, form=form, row=row)

    def show_form(
        self, request: HttpRequest, *, page: FormPage, form: ConsoleForm, row: Any = None
    ) -> HttpResponse:
        """Show the form as it is, with what was wrong."""
        if form.names_a_missing_row:
            mark_refused(request)
        cancel = page.cancel or (page_url(row) if row is not None else list_url(self.opts.label_lower))
        return self.render(request, "admin/pages/form.html", row, page=page, form=form, cancel=cancel)

    def done(self, request: HttpRequest, message: str, target: Model | str | None = None) -> HttpResponse:
        """Say what was done and go to the object's page, an address, or the list."""
        messages.success(request, message)
        if isinstance(target, Model):
            return HttpResponseRedirect(page_url(target))
        return HttpResponseRedirect(target or list_url(self.opts.label_lower))

    def for_each(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        capability: Capability,
        act: Callable[[Any, Actor], object],
        done: str,
    ) -> None:
        """Call a service for each selected row, and report how many it accepted and why it refused others.

        Rows on whose model the person lacks the capability are refused.
        """
        accepted = 0
        for row in rows:
            try:
                demand(request.user, capability, "You may not do this here.", row)
                act(row, Actor.of(request.user))  # type: ignore[arg-type]  # signed in
                accepted += 1
            except PlatformError as error:
                messages.error(request, f"{row}: {error.detail}")
        if accepted:
            messages.success(request, f"{accepted} {done}.")
