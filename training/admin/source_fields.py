"""Fields that the forms of data sources are made of: pairs, JSON objects, credentials."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms


class PairsField(forms.CharField):
    """Names and values, one pair to a line; ``sign`` stands between them."""

    def __init__(self, *, sign: str, plain: bool = False, **kwargs: Any) -> None:
        self.sign, self.plain = sign, plain
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return the pairs as lines."""
        if isinstance(value, Mapping):
            return "\n".join(f"{name}{self.sign} {_written(one)}" for name, one in value.items())
        return value

    def clean(self, value: Any) -> dict[str, Any]:
        """Return the pairs; numbers and truths are such unless ``plain``."""
        pairs: dict[str, Any] = {}
        for line in filter(None, map(str.strip, super().clean(value).splitlines())):
            name, found, text = line.partition(self.sign)
            if not found:
                raise forms.ValidationError(f"{line[:60]!r}: write name{self.sign} value, one to a line.")
            pairs[name.strip()] = text.strip() if self.plain else _read(text.strip())
        return pairs


class ObjectField(forms.CharField):
    """A JSON object."""

    def prepare_value(self, value: Any) -> Any:
        """Return the object as JSON."""
        return json.dumps(value, indent=2) if isinstance(value, Mapping) else value

    def clean(self, value: Any) -> dict[str, Any] | None:
        """Return the object, None where nothing is written."""
        text = super().clean(value).strip()
        if not text:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError("This is no JSON.") from error
        if not isinstance(found, dict):
            raise forms.ValidationError('Write a JSON object such as {"since": "2026-01-01"}.')
        return found


def secret_field(label: str) -> forms.CharField:
    """Return the field of a credential: what was just typed stays in the page that tries it."""
    widget = forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=label,
        required=False,
        strip=False,
        max_length=5_000,
        widget=widget,
        help_text="Encrypted when it is stored, and never shown again.",
    )


def _read(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict | list | str) else value


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
