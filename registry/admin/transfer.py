"""The pages on which models and versions leave as files, and arrive."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, FieldGroup, bound
from mlplatform.admin.parts import Facts
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability, demand
from mlplatform.tenancy.services.audit_export import Export
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.services.foreign_versions import TAKEN, ForeignModel, import_version
from registry.services.model_export import archive_download
from registry.services.model_import import import_model, trusted_installations
from registry.services.version_export import FORMAT_WORDS, ExportFormat, export_version
from registry.tabular.schema import UNUSED_TYPES, ColumnType

KINDS = [kind.value for kind in ColumnType if kind not in UNUSED_TYPES]


class ExportModelForm(ConsoleForm):
    """Whether the rows go along."""

    rows = forms.BooleanField(
        required=False,
        label="Take the rows along that the versions were trained on",
        help_text="For admins alone. With them the gates can be run and versions rebuilt where the model "
        "arrives; without them it answers all the same.",
    )


class ExportVersionForm(ConsoleForm):
    """Which format."""

    form = forms.ChoiceField(
        label="Format",
        choices=[(one.value, FORMAT_WORDS[one]) for one in ExportFormat],
        widget=forms.RadioSelect,
    )


class ImportModelForm(ConsoleForm):
    """An archive, a name, and whether it runs at once."""

    file = forms.FileField(label="Archive", help_text="The file that 'Export' of a model wrote.")
    name = forms.CharField(
        max_length=100, required=False, help_text="The new model's name; its own name where left empty."
    )
    champion = forms.BooleanField(
        required=False,
        label="Let what was champion there answer here at once",
        help_text="For approvers. Gates that fail are passed over and stay in the history. Without it "
        "nothing answers until somebody promotes a version.",
    )


class ImportVersionForm(ConsoleForm):
    """A file, and what it takes and answers."""

    file = forms.FileField(
        label="Model file",
        help_text="skops (skops.io.dump of a scikit-learn model) or ONNX. Pickles, joblib files and .pt are "
        "refused: reading one runs whatever stands in it.",
    )
    dataset = forms.ModelChoiceField(
        queryset=Dataset.all_tenants.none(),
        required=False,
        empty_label="None: I describe the columns below",
        help_text="Data with the columns that the model was trained on. Its rows also measure the version.",
    )
    columns = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=f"One a line, name: type, in the file's order; types are {', '.join(KINDS)}. For example: "
        "age: numeric. May be left empty with a dataset.",
    )
    classes = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, in the order of the file's probabilities. Needed for ONNX; skops files say so "
        "themselves.",
    )
    origin = forms.CharField(
        max_length=500,
        required=False,
        label="Where it comes from",
        help_text="Who made it, from which data; shown on the version's page.",
    )
    groups = (
        FieldGroup("The file", ("file", "origin")),
        FieldGroup("What it takes", ("dataset", "columns")),
        FieldGroup("What it answers", ("classes",)),
    )

    def __init__(self, *args: Any, model: RegisteredModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        datasets = Dataset.objects.defer("profile")
        self.fields["dataset"].queryset = datasets  # type: ignore[attr-defined]  # a model choice field
        if model.problem_type != "classification":
            del self.fields["classes"]

    def clean_columns(self) -> list[dict[str, str]]:
        """Return names and types."""
        lines = [line for line in self.cleaned_data["columns"].splitlines() if line.strip()]
        pairs = [line.rpartition(":") for line in lines]
        for name, _, kind in pairs:
            if not name.strip() or kind.strip() not in KINDS:
                raise forms.ValidationError(
                    f"{(name or kind)[:60]!r} has no known type. Write name: type, "
                    f"with one of {', '.join(KINDS)}."
                )
        return [{"name": name.strip(), "type": kind.strip()} for name, _, kind in pairs]

    def clean_classes(self) -> list[str]:
        """Return the labels."""
        return [line.strip() for line in self.cleaned_data["classes"].splitlines() if line.strip()]


def takes_files(model: RegisteredModel) -> bool:
    """Tell whether a version can be imported into the model."""
    return model.problem_type in TAKEN


def export_model_page(
    page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel
) -> HttpResponse:
    """Ask whether the rows go along, then send the archive."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        if data["rows"]:
            demand(request.user, Capability.ADMIN, "Only admins take out the rows of a model.", model)
        export = archive_download(model=model, by=by, data=data["rows"])
        return cast(HttpResponse, as_download(export))  # streamed, which a view may answer as well

    intro = (
        "One file with all versions, numbers, dates, tags, metrics, the history of what ran, and the models "
        "themselves, signed by this installation. Import it here under another name, or at an installation "
        "that trusts this one. The file is not encrypted: keep it well."
    )
    page = FormPage(f"Export {model}", "Download", intro=intro)
    return page_admin.form_page(
        request, page=page, form=bound(ExportModelForm, request), submit=submit, row=model
    )


def export_version_page(
    page_admin: PlatformModelAdmin, request: HttpRequest, version: ModelVersion
) -> HttpResponse:
    """Ask for the format, then send the file."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        done = export_version(version=version, form=data["form"], by=by)
        export = Export(done.name, done.media_type, iter([done.data]), binary=True)
        return cast(HttpResponse, as_download(export))

    intro = "This version alone, for other programs. Hash and signature are checked before it leaves."
    page = FormPage(f"Export {version}", "Download", intro=intro)
    form = bound(ExportVersionForm, request, initial={"form": ExportFormat.SKOPS.value})
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=version)


def import_model_page(page_admin: PlatformModelAdmin, request: HttpRequest) -> HttpResponse:
    """Take an archive and make a model of it."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        if data["champion"]:
            demand(request.user, Capability.APPROVE, "What is imported as champion answers at once.")
        done = import_model(source=data["file"], by=by, name=data["name"] or None, champion=data["champion"])
        model = RegisteredModel.objects.get(name=done.model)
        told = f"{model} is here with {done.versions} versions, signed by {done.signed_by}. {done.note}"
        return page_admin.done(request, told.strip(), model)

    intro = (
        "A model that was exported here or elsewhere becomes a new model with all its versions. Models are "
        "programs: only archives that this installation signed, or one that its operators trust, are taken."
    )
    trusted = sorted(set(trusted_installations().values()))
    sections = [Facts("Whose archives are taken", [("Trusted", trusted)])]
    page = FormPage("Import a model", "Import", intro=intro, sections=sections)
    return page_admin.form_page(request, page=page, form=bound(ImportModelForm, request), submit=submit)


def import_version_page(
    page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel
) -> HttpResponse:
    """Take a file from outside and make it the model's next version."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        about = ForeignModel(
            columns=data["columns"],
            classes=data.get("classes", ()),
            dataset=data["dataset"],
            origin=data["origin"],
        )
        upload = data["file"]
        made = import_version(model=model, file=upload, filename=upload.name, about=about, by=by)
        return page_admin.done(request, f"{made} is imported: {made.get_status_display().lower()}.", made)

    intro = (
        "A model that another program made becomes the next version, marked as imported. The file is opened "
        "in a process of its own that can do little else; then it is tried, signed and served like others."
    )
    page = FormPage(f"Import a version of {model}", "Import", intro=intro)
    form = bound(ImportVersionForm, request, model=model)
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=model)


def origin_facts(origin: Mapping[str, Any]) -> Facts | None:
    """Return where something imported came from, None for what was made here."""
    if not origin:
        return None
    kinds = {"archive": "Archive of a model", "skops": "skops file", "onnx": "ONNX file"}
    return Facts(
        "Imported",
        [
            ("As", kinds.get(str(origin.get("kind")), origin.get("kind"))),
            ("File", origin.get("file")),
            ("From", origin.get("from") or "not said"),
            ("Its name there", origin.get("model")),
            ("Exported", origin.get("exported_at")),
            ("SHA-256 of the file", origin.get("sha256")),
            ("Note", origin.get("note")),
            ("By", origin.get("by")),
            ("When", origin.get("at")),
        ],
        "It was not trained here: nobody can rebuild it from its data.",
    )
