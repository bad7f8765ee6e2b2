"""The version has answered in shadow of the champion, on real rows, and did well."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.gates.figures import ShadowFigures
from registry.problems import ProblemType

Judge = Literal["agreement", "outcomes", "both"]


class ShadowParameters(Parameters, frozen=True):
    """How many rows, and what they must show."""

    judge: Annotated[
        Judge,
        Meta(
            description="agreement: it says what the champion says; outcomes: on rows whose outcome is known "
            "it is not worse, by the paired test of the kind of problem; both."
        ),
    ] = "agreement"
    min_rows: Annotated[
        int, Meta(ge=1, le=10_000, description="Fewest real rows that both must have been asked.")
    ] = 200
    agreement: Annotated[
        float,
        Meta(ge=0, le=1, description="Least share of rows with the same answer; failures count against it."),
    ] = 0.9
    min_outcomes: Annotated[
        int, Meta(ge=2, le=10_000, description="Fewest rows with a known outcome on which to compare.")
    ] = 50
    margin: (
        Annotated[
            float,
            Meta(ge=0, le=1e12, description="How much may be lost; left out: as on the hold-out."),
        ]
        | None
    ) = None
    failures: Annotated[
        float, Meta(ge=0, le=1, description="Largest share of rows for which it may have no answer.")
    ] = 0.0
    milliseconds: (
        Annotated[
            float,
            Meta(gt=0, le=60_000, description="95 of 100 single rows take no longer. Left out: not judged."),
        ]
        | None
    ) = None


Finding = tuple[bool, str, dict[str, Any]]


def check(evidence: Evidence, parameters: ShadowParameters) -> Verdict:
    """Judge the rows that both were asked since the champion has answered, seven days at most."""
    if evidence.champion is None:
        return True, "There is no champion yet in whose shadow to answer.", {}
    found = evidence.shadow()
    numbers: dict[str, Any] = {"rows": found.rows, "failed": found.failed, "dropped": found.dropped}
    if found.rows < parameters.min_rows:
        detail = (
            f"It was asked {found.rows:,} rows in shadow of v{found.heard.number} of {parameters.min_rows:,} "
            "that are needed. Edit the model so that it answers in shadow, or override with a reason."
        )
        return False, detail, numbers
    findings = list(_findings(found, parameters))
    for _, _, more in findings:
        numbers |= more
    passed = all(one for one, _, _ in findings)
    return passed, " ".join(sentence for _, sentence, _ in findings), numbers


def _findings(found: ShadowFigures, parameters: ShadowParameters) -> Iterator[Finding]:
    if found.failed:
        share = found.failed / found.rows
        sentence = f"For {found.failed:,} of {found.rows:,} rows it had no answer ({found.failure})."
        yield share <= parameters.failures, sentence, {"failed_share": round(share, 6)}
    if parameters.judge != "outcomes":
        yield _agreement(found, parameters.agreement)
    if parameters.judge != "agreement":
        yield _outcomes(found, parameters)
    if parameters.milliseconds is not None:
        yield _times(found, parameters.milliseconds)


def _agreement(found: ShadowFigures, asked: float) -> Finding:
    seen = found.agreement
    if seen is None:
        return False, "No row has been compared.", {}
    sentence = (
        f"On {seen.rows:,} real rows it says what v{found.heard.number} says in {seen.share:.1%} (at least "
        f"{seen.low:.1%} with 95 %); asked for are {asked:.1%}."
    )
    numbers = {"agreement": seen.share, "agreement_low": seen.low, "agreement_asked": asked}
    return seen.share >= asked, sentence, {name: round(value, 6) for name, value in numbers.items()}


def _outcomes(found: ShadowFigures, parameters: ShadowParameters) -> Finding:
    numbers: dict[str, Any] = {"outcomes": found.outcomes}
    if found.outcomes < parameters.min_outcomes or found.comparison is None:
        sentence = (
            f"{found.outcomes:,} outcomes of rows in shadow are known; {parameters.min_outcomes:,} are "
        )
        return False, f"{sentence}asked for.", numbers
    judged = found.comparison
    judged = judged if parameters.margin is None else replace(judged, margin=parameters.margin)
    verdict = "not worse than" if judged.passed else "not shown to be as good as"
    sentence = (
        f"On {judged.rows:,} rows whose outcome is known the {judged.what} is {judged.candidate:.4g} against "
        f"the champion's {judged.champion:.4g}: {verdict} the champion (95 % bound {judged.low:+.3g}, "
        f"allowed {-judged.margin:+.3g})."
    )
    told = {
        "candidate": judged.candidate,
        "champion": judged.champion,
        "difference": judged.difference,
        "low": judged.low,
        "high": judged.high,
        "margin": judged.margin,
    }
    return judged.passed, sentence, numbers | {name: round(value, 6) for name, value in told.items()}


def _times(found: ShadowFigures, allowed: float) -> Finding:
    if found.times is None:
        return False, "How long it takes has not been measured in shadow yet.", {"allowed_ms": allowed}
    times = found.times
    sentence = (
        f"95 of 100 single rows took it {times.p95_ms:.3g} ms, the champion {times.champion_p95_ms:.3g} ms "
        f"(of {times.rows:,} taken); allowed are {allowed:g} ms."
    )
    numbers = {"p95_ms": times.p95_ms, "champion_p95_ms": times.champion_p95_ms, "allowed_ms": allowed}
    return times.p95_ms <= allowed, sentence, {name: round(value, 3) for name, value in numbers.items()}


def unfit(problem: ProblemType, parameters: ShadowParameters) -> str:
    """Return why the parameters do not suit the problem, or an empty text."""
    if problem.outcome is None and parameters.judge != "agreement":
        return "Nothing tells afterwards whether an answer was right. Judge by agreement."
    return ""


SHADOW_EVIDENCE = Gate(
    "shadow_evidence",
    "Proven in shadow",
    "It has answered real rows beside the champion, unseen by clients: as often the same, as well, as fast.",
    check,
    ShadowParameters,
    unfit=unfit,
)
