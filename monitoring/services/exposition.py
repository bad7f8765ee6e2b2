"""The text format that Prometheus reads (version 0.0.4): families of samples with labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isinf

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Sample:
    """One value; ``suffix`` as in ``_bucket``."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """All samples of one name; ``kind`` is counter, gauge or histogram."""

    name: str
    kind: str
    told: str
    samples: Sequence[Sample] = ()


def exposed(families: Iterable[Family]) -> str:
    """Return the families as text."""
    lines = []
    for family in families:
        lines += [f"# HELP {family.name} {family.told}", f"# TYPE {family.name} {family.kind}"]
        lines += [_line(family.name, one) for one in family.samples]
    return "\n".join(lines) + "\n"


def histogram(
    labels: Mapping[str, str], bounds: Sequence[float], counts: Sequence[int], total: float
) -> list[Sample]:
    """Return a histogram's samples; ``counts`` has a place for each bound and one for what is beyond."""
    samples, below = [], 0
    for bound, count in zip((*bounds, float("inf")), counts, strict=True):
        below += count
        samples.append(Sample(below, {**labels, "le": _number(bound)}, "_bucket"))
    return [*samples, Sample(total, labels, "_sum"), Sample(below, labels, "_count")]


def _line(name: str, sample: Sample) -> str:
    told = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
    return f"{name}{sample.suffix}{f'{{{told}}}' if told else ''} {_number(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
