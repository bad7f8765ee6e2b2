"""The console as an application of Django."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class ConsoleConfig(SimpleAdminConfig):
    """Has no page by itself: the pages are loaded with the addresses (``mlplatform.urls``).

    Django's own loads them in every process. Workers and most commands show none, and are smaller without.
    """

    def ready(self) -> None:
        """Let the checks look at all pages, whether or not the addresses were loaded before."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Return what is wrong with the console's pages."""
    autodiscover()
    return check_admin_app(app_configs, **kwargs)
