"""How the requests for a model's answers ended over any period: answered, refused, or not answered."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.services.periods import Period
from registry.models import RegisteredModel, RequestTally
from registry.models.request_tally import NOT_ANSWERED, REFUSED, SERVED

Row = tuple[int, datetime, str, int]


@dataclass(frozen=True)
class VersionRequests:
    """The requests for one version by how they ended; number 0: refused before a version was chosen."""

    number: int
    requests: int
    outcomes: dict[str, int]


@dataclass(frozen=True)
class RequestStep:
    """One step of the course."""

    begins: datetime
    requests: int
    error_rate: float | None
    refusal_rate: float | None


@dataclass(frozen=True)
class RequestReport:
    """All requests, by how they ended; rates are None without a request that they are a share of.

    ``error_rate`` is the share of requests that nothing was wrong with and that were not answered, or not by
    the version they asked; ``refusal_rate`` the share of all requests that was refused.
    """

    requests: int
    outcomes: dict[str, int]
    error_rate: float | None
    refusal_rate: float | None
    versions: list[VersionRequests]
    steps: list[RequestStep]


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.count / self.of if self.of else None


def request_report(*, model: RegisteredModel, period: Period) -> RequestReport:
    """Return what is known of the period's requests; the last few seconds may still be missing."""
    rows = requests_between(model, period.since, period.until)
    total = outcomes_of(rows)
    numbers = sorted({number for number, *_ in rows}, reverse=True)
    by_number = {number: outcomes_of(row for row in rows if row[0] == number) for number in numbers}
    return RequestReport(
        sum(total.values()),
        total,
        errors_in(total).value,
        refusals_in(total).value,
        [VersionRequests(number, sum(found.values()), found) for number, found in by_number.items()],
        _steps(rows, period),
    )


def requests_between(
    model: RegisteredModel, since: datetime, until: datetime, number: int | None = None
) -> list[Row]:
    """Return version, hour, outcome and count of what began in [since, until), of one version where named."""
    rows = RequestTally.objects.filter(model=model, begins__gte=since, begins__lt=until)
    if number is not None:
        rows = rows.filter(number=number)
    with tenant_transaction():
        return list(rows.order_by("begins", "pk").values_list("number", "begins", "outcome", "count"))


def errors_in(outcomes: Mapping[str, int]) -> Share:
    """Return how many were not answered as asked, of those that nothing was wrong with."""
    wrong = sum(outcomes.get(one, 0) for one in (*NOT_ANSWERED, "stood_in"))
    return Share(wrong, sum(outcomes.get(one, 0) for one in (*SERVED, *NOT_ANSWERED)))


def refusals_in(outcomes: Mapping[str, int]) -> Share:
    """Return how many of all were refused."""
    return Share(sum(outcomes.get(one, 0) for one in REFUSED), sum(outcomes.values()))


def outcomes_of(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many requests ended how."""
    found: Counter[str] = Counter()
    for _, _, outcome, count in rows:
        found[outcome] += count
    return dict(found)


def _steps(rows: Iterable[Row], period: Period) -> list[RequestStep]:
    places: dict[int, list[Row]] = {}
    for row in rows:
        places.setdefault(period.place(row[1]), []).append(row)
    found = []
    for place, inside in sorted(places.items()):
        outcomes = outcomes_of(inside)
        rates = errors_in(outcomes).value, refusals_in(outcomes).value
        found.append(RequestStep(period.begins(place), sum(outcomes.values()), *rates))
    return found
