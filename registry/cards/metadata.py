"""The front matter of a card, as the hub of Hugging Face specifies it, and its model index."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Identifiers that the hub knows (https://huggingface.co/docs/hub/repositories-licenses), the usual ones.
KNOWN_LICENCES = """
apache-2.0 mit openrail afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-
clear cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-
by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0
epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc
lppl-1.3c ms-pl mpl-2.0 odc-by odbl osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl unknown
other
"""
LICENCES = frozenset(KNOWN_LICENCES.split())
# Kinds of problems that the hub has a page for; the others have a type in the model index alone.
PIPELINES = {"classification": "tabular-classification", "regression": "tabular-regression"}


@dataclass(frozen=True)
class Result:
    """One metric on the rows held out, with the ends of its interval where it has one."""

    name: str
    title: str
    value: float
    interval: Sequence[float] | None = None


@dataclass(frozen=True)
class Indexed:
    """What the front matter tells of a version."""

    model: str
    problem: str
    problem_title: str
    algorithm: str
    licence: str
    data: str
    data_hash: str
    results: Sequence[Result]


def metadata_of(one: Indexed) -> dict[str, Any]:
    """The front matter; what is not known is left out, for the hub takes no empty values."""
    task = PIPELINES.get(one.problem, one.problem.replace("_", "-"))
    pipeline = {"pipeline_tag": task} if one.problem in PIPELINES else {}
    told = [result for result in one.results if math.isfinite(result.value)]
    found = {
        "task": {"type": task, "name": _line(one.problem_title)},
        "dataset": {
            "type": slug(one.data, "tabular"),
            "name": _line(one.data) or "tabular data",
            "split": "test",
            "revision": one.data_hash,
        },
        "metrics": [_metric(result) for result in told],
    }
    return {
        **_licence(one.licence),
        "library_name": "sklearn",
        **pipeline,
        "tags": list(dict.fromkeys(["tabular", task, slug(one.algorithm, "model")])),
        "metrics": [result.name for result in told],
        "model-index": [{"name": _line(one.model), "results": [found] if told else []}],
    }


def slug(text: str, otherwise: str) -> str:
    """The text as an identifier of letters, digits, dots and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:50] or otherwise


def _metric(result: Result) -> Mapping[str, Any]:
    low_high = result.interval
    between = f" (95 % interval {low_high[0]:.3g} to {low_high[1]:.3g})" if low_high else ""
    return {"type": result.name, "value": round(result.value, 6), "name": f"{result.title}{between}"}


def _licence(words: str) -> dict[str, str]:
    first = _line(words.strip().split("\n")[0])
    if not first:
        return {}
    if first.lower() in LICENCES:
        return {"license": first.lower()}
    return {"license": "other", "license_name": slug(first, "custom")}


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
