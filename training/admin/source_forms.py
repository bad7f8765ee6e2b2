"""The forms of data sources, one for each kind, and how they become settings."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from mlplatform.admin.forms import ConsoleForm
from registry.models import RegisteredModel
from registry.services.personal import personal_columns
from registry.tabular.schema import Treatment
from training.admin.imports import NamesField
from training.admin.source_fields import ObjectField, PairsField, secret_field
from training.models import DataSource
from training.sources.certificates import LONGEST
from training.sources.kinds import KINDS
from training.sources.sql import TITLES

COMMON = ("name", "secret", "pseudonymise", "drop", "model")
TLS = [
    ("verify", "Encrypted, certificate checked"),
    ("require", "Encrypted, certificate not checked (hosts that the operator named)"),
    ("off", "Not encrypted (hosts that the operator named)"),
]
AUTH = [
    ("none", "None"),
    ("bearer", "Bearer token"),
    ("basic", "User name and password"),
    ("header", "A header of its own"),
    ("query", "A parameter of the address"),
]
PAGING = [
    ("none", "One answer holds all"),
    ("page", "By page number"),
    ("offset", "By number of rows so far"),
    ("cursor", "By a cursor in the answer"),
    ("link", "By the Link header"),
]


class SourceForm(ConsoleForm):
    """What every kind has."""

    name = forms.CharField(max_length=100, help_text="What the rows are, for example Biopsies of the clinic.")
    pseudonymise = NamesField(
        label="Personal columns: keep pseudonyms",
        help_text="One name to a line. Models learn from them; all else keeps a pseudonym of each value.",
    )
    drop = NamesField(
        label="Personal columns: leave out",
        help_text="One name to a line. Models learn from them; nothing of them is kept anywhere else.",
    )
    field_order = ("name",)

    def __init__(self, *args: Any, source: DataSource | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = ("pseudonymise", "drop")
        self.order_fields([*(name for name in self.fields if name not in last), *last])
        if "secret" in self.fields and source is not None and source.credential:
            self.fields["secret"].help_text = "Kept, and not shown. Leave it empty to keep it."

    def settings(self) -> dict[str, Any]:
        """Return the settings of the kind."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in COMMON}
        return {name: value for name, value in given.items() if value is not None}

    def personal(self) -> dict[str, str]:
        """Return the personal columns with their treatment."""
        data = self.cleaned_data
        return personal_columns(pseudonymise=data["pseudonymise"], drop=data["drop"])


class SqlForm(SourceForm):
    """A database."""

    engine = forms.ChoiceField(choices=list(TITLES.items()), label="Database system")
    host = forms.CharField(max_length=200, required=False, help_text="Not for SQLite.")
    port = forms.IntegerField(
        min_value=1, max_value=65_535, required=False, help_text="Empty for the usual one."
    )
    database = forms.CharField(
        max_length=200, help_text="Its name; for SQLite the file's name in the operator's folder."
    )
    username = forms.CharField(
        max_length=200, required=False, label="Account", help_text="Best one that may only read."
    )
    secret = secret_field("Password")
    tls = forms.ChoiceField(choices=TLS, label="Connection", initial="verify")
    ca_certificate = forms.CharField(
        max_length=LONGEST,
        required=False,
        label="Certificate of the authority",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="PEM, only where an authority of your own signed the server's certificate.",
    )
    query = forms.CharField(
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One SELECT. :tenant_slug and :tenant_id stand for this tenant.",
    )
    params = PairsField(
        sign="=", label="Parameters", help_text="One to a line, for example since = 2026-01-01 for :since."
    )


class RestForm(SourceForm):
    """A web service."""

    url = forms.CharField(max_length=2_000, label="Address", help_text="Begins with https://.")
    method = forms.ChoiceField(choices=[("GET", "GET"), ("POST", "POST")])
    body = ObjectField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="With POST: a JSON object that is sent.",
    )
    headers = PairsField(
        sign=":", plain=True, help_text="One to a line; everybody who sees the source sees them."
    )
    auth = forms.ChoiceField(choices=AUTH, label="Credential")
    username = forms.CharField(max_length=200, required=False, label="User name")
    auth_header = forms.CharField(
        max_length=200, required=False, initial="X-API-Key", label="Name of the header"
    )
    auth_param = forms.CharField(
        max_length=200, required=False, initial="api_key", label="Name of the parameter"
    )
    secret = secret_field("Token or password")
    rows = forms.CharField(
        max_length=200,
        required=False,
        label="Path to the rows",
        help_text="For example data.items; empty where the answer is the list itself.",
    )
    paging = forms.ChoiceField(choices=PAGING, label="Pages")
    page_param = forms.CharField(max_length=200, required=False, initial="page", label="Page: parameter")
    first_page = forms.IntegerField(min_value=0, max_value=1, initial=1, label="Page: number of the first")
    offset_param = forms.CharField(
        max_length=200, required=False, initial="offset", label="Rows so far: parameter"
    )
    size_param = forms.CharField(
        max_length=200, required=False, label="Rows per page: parameter", help_text="Empty: not sent."
    )
    size = forms.IntegerField(min_value=1, max_value=100_000, initial=100, label="Rows per page")
    cursor_param = forms.CharField(
        max_length=200, required=False, initial="cursor", label="Cursor: parameter"
    )
    cursor_path = forms.CharField(
        max_length=200, required=False, initial="next", label="Cursor: path in the answer"
    )
    max_pages = forms.IntegerField(
        min_value=1, max_value=100_000, initial=1_000, label="At most so many pages"
    )

    def settings(self) -> dict[str, Any]:
        """Return the settings; a name that was emptied is the usual one."""
        plain = {name: value for name, value in super().settings().items() if value != ""}
        return {**plain, "rows": self.cleaned_data["rows"], "size_param": self.cleaned_data["size_param"]}


class S3Form(SourceForm):
    """An object in a store."""

    endpoint = forms.CharField(
        max_length=500, required=False, label="Address of the store", help_text="Empty for Amazon S3."
    )
    region = forms.CharField(max_length=40, initial="us-east-1")
    bucket = forms.CharField(max_length=200)
    key = forms.CharField(
        max_length=1_000, label="Object", help_text="CSV, Parquet: its content decides how it is read."
    )
    access_key_id = forms.CharField(
        max_length=200, required=False, label="Access key", help_text="Empty for a public object."
    )
    secret = secret_field("Secret key")


class PredictionsForm(SourceForm):
    """A model's own predictions with outcomes."""

    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(queryset=None)
    days = forms.IntegerField(
        min_value=1, max_value=36_500, required=False, help_text="Outcomes of the last days; empty for all."
    )
    training_data = forms.BooleanField(
        required=False, label="With the data it first learnt from", help_text="These rows come first."
    )

    def __init__(self, *args: Any, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = models  # type: ignore[attr-defined]  # a model choice
        if kwargs.get("source") is not None:
            del self.fields["model"]


class KindForm(ConsoleForm):
    """The first step: where the rows are."""

    kind = forms.ChoiceField(
        choices=[(kind.key, kind.title) for kind in KINDS.values()], label="Where are the rows?"
    )


FORMS: dict[str, type[SourceForm]] = {
    "sql": SqlForm,
    "rest": RestForm,
    "s3": S3Form,
    "predictions": PredictionsForm,
}


def initial_of(source: DataSource) -> dict[str, Any]:
    """Return what the form of a written source shows at first."""
    marks = {str(kind): [name for name, one in source.personal.items() if one == kind] for kind in Treatment}
    named = {name: "\n".join(columns) for name, columns in marks.items()}
    return {"name": source.name, **source.settings, **named}
