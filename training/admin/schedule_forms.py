"""The forms of a retraining schedule: times as people say them, or as an engineer writes them."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import QuerySet

from registry.models import RegisteredModel
from training.admin.source_choice import SourceChoiceForm
from training.models import RetrainingSchedule
from training.models.schedule import IntervalUnit, ScheduleKind
from training.services.plain_times import WEEKDAYS, Often, PlainTimes, plain_times
from training.services.schedules import EDITABLE

KINDS = [
    (Often.daily, "Every day"),
    (Often.weekly, "Every week"),
    (Often.monthly, "Every month"),
    (ScheduleKind.INTERVAL, "Every so many minutes, hours or days"),
    (ScheduleKind.CRON, "At other times, written as a cron line"),
]
# Which fields a kind reads. The page shows the chosen kind's alone (console.css), by the mark ``data-times``.
FIELDS: dict[str, tuple[str, ...]] = {
    Often.daily: ("at", "timezone"),
    Often.weekly: ("weekday", "at", "timezone"),
    Often.monthly: ("day", "at", "timezone"),
    ScheduleKind.INTERVAL: ("every", "unit"),
    ScheduleKind.CRON: ("cron", "timezone"),
}
OF_A_KIND = tuple(dict.fromkeys(name for names in FIELDS.values() for name in names))


def _zones() -> list[tuple[str, str]]:
    return [(name, name) for name in ["UTC", *sorted(available_timezones() - {"UTC", "localtime"})]]


class TimingForm(SourceChoiceForm):
    """When to retrain; what is cleaned are arguments of ``create_schedule``."""

    name = forms.CharField(max_length=100)
    kind = forms.ChoiceField(choices=KINDS, initial=Often.weekly, label="How often")
    weekday = forms.ChoiceField(choices=list(WEEKDAYS.items()), initial="1", required=False, label="On")
    day = forms.IntegerField(
        min_value=1,
        max_value=31,
        initial=1,
        required=False,
        label="On day of the month",
        help_text="1 to 31. A month without that day is left out.",
    )
    at = forms.TimeField(
        initial="03:00",
        required=False,
        label="At",
        help_text="Hour and minute, for example 03:00: at night there is more room for it.",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    every = forms.IntegerField(
        min_value=1, required=False, label="Every", help_text="How many, for example 12 with hours."
    )
    unit = forms.ChoiceField(choices=IntervalUnit.choices, initial=IntervalUnit.DAYS, required=False)
    cron = forms.CharField(
        max_length=100,
        required=False,
        label="Cron line",
        help_text="Five fields: minute, hour, day of the month, month, day of the week. "
        "0 9 * * mon-fri is 9:00 on each working day.",
    )
    timezone = forms.ChoiceField(
        choices=_zones,
        initial="UTC",
        required=False,
        label="Time zone",
        help_text="Of the place that the time is meant for.",
    )
    field_order: tuple[str, ...] = (
        "name",
        "kind",
        "weekday",
        "day",
        "at",
        "every",
        "unit",
        "cron",
        "timezone",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in OF_A_KIND:
            kinds = [str(kind) for kind, names in FIELDS.items() if name in names]
            self.fields[name].widget.attrs["data-times"] = " ".join(kinds)

    def clean(self) -> dict[str, Any]:
        """Return what the service takes; what was typed for another kind of times counts for nothing."""
        data = super().clean() or self.cleaned_data
        kind = data.get("kind")
        if kind is None:
            return data
        for name in set(OF_A_KIND) - set(FIELDS[kind]):
            self.errors.pop(name, None)
        times: dict[str, Any] = {
            "kind": kind,
            "cron": "",
            "every": None,
            "unit": "",
            "timezone": data.get("timezone") or "UTC",
        }
        if kind in list(Often):
            times |= {"kind": str(ScheduleKind.CRON), "cron": self._plain(Often(kind), data)}
        else:
            times |= {name: data[name] for name in FIELDS[kind] if data.get(name)}
        others = {name: value for name, value in data.items() if name not in {*OF_A_KIND, "kind"}}
        return others | times

    def _plain(self, often: Often, data: dict[str, Any]) -> str:
        """Return the cron line, empty where something is missing, which is then told."""
        said = {name: data.get(name) for name in FIELDS[often] if name != "timezone"}
        missing = [name for name, value in said.items() if value in (None, "")]
        for name in missing:
            if name not in self.errors:
                self.add_error(name, "Say when, or choose another answer to how often.")
        return "" if missing else PlainTimes(often, **said).cron()  # type: ignore[arg-type]  # none is missing


class ScheduleForm(TimingForm):
    """A new schedule."""

    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(queryset=None)
    field_order = ("model", *TimingForm.field_order)

    def __init__(self, *args: Any, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = models  # type: ignore[attr-defined]  # a model choice


def initial_of(schedule: RetrainingSchedule) -> dict[str, Any]:
    """Return what the form shows of a schedule, its times as people say them where they can be said so."""
    initial = {name: getattr(schedule, name) for name in EDITABLE}
    if not schedule.cron:
        return {name: value for name, value in initial.items() if name != "timezone"}
    initial = {name: value for name, value in initial.items() if name not in {"every", "unit"}}
    plain = plain_times(schedule.cron)
    if plain is None:
        return initial
    return initial | {"kind": str(plain.often), "at": plain.at, "weekday": plain.weekday, "day": plain.day}
