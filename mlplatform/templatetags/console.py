"""Filters of the console's templates."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from mlplatform.admin.render import show as rendered

register = template.Library()


@register.filter
def show(value: Any) -> SafeString:
    """Render any value for people."""
    return rendered(value)
