"""The options of a training on the command line, and the configuration that they make."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from training.automl.scoring import OBJECTIVES
from training.automl.study import SAMPLERS
from training.models import OnSourceFailure
from training.models.job import Priority

AIMS = {name for names in OBJECTIVES.values() for name in names}


def add_training_options(parser: ArgumentParser) -> None:
    """Add every option of a training."""
    for add in (_data, _search, _answers, _measure, _limits):
        add(parser)


def _data(parser: ArgumentParser) -> None:
    """What to train, and on what."""
    parser.add_argument("--model", required=True, help="The model's name.")
    parser.add_argument("--dataset", type=int, help="The dataset's number; either this or --source.")
    parser.add_argument("--source", type=int, help="The data source's number: read anew by the job.")
    parser.add_argument(
        "--on-source-failure",
        choices=OnSourceFailure.values,
        default=OnSourceFailure.FAIL,
        help="What happens where the source does not answer (fail).",
    )


def _search(parser: ArgumentParser) -> None:
    """What is tried."""
    parser.add_argument(
        "--algorithm", action="append", metavar="KEY", help="An algorithm to try; may be given several times."
    )
    parser.add_argument("--folds", type=int, help="Folds of the cross-validation, 2 to 20 (5).")
    parser.add_argument("--seed", type=int, help="Seed of all that is random (42).")
    parser.add_argument(
        "--search", choices=sorted(SAMPLERS), help="Vary the parameters: by this method, within the budget."
    )
    parser.add_argument(
        "--automl",
        action="store_true",
        help="Find the best model by itself, within --seconds (60): algorithms, parameters and "
        "preparations of the inputs together, at the end an ensemble where that is better.",
    )
    parser.add_argument(
        "--metric", choices=sorted(AIMS), help="What --automl aims at; the leaderboard's where left out."
    )
    parser.add_argument(
        "--per-millisecond",
        type=float,
        metavar="WORTH",
        help="How much of the metric a millisecond of an answer's time must bring for --automl to spend it.",
    )
    parser.add_argument("--one-model", action="store_true", help="--automl joins no ensemble.")
    parser.add_argument(
        "--prepare",
        action="append",
        metavar="OPTION=VALUE",
        help="How inputs are prepared, such as encode=target; may be given several times.",
    )
    parser.add_argument("--trials", type=int, help="Budget of the search: most trials (40).")
    parser.add_argument("--seconds", type=int, help="Budget of the search: no trial begins after so long.")
    parser.add_argument("--patience", type=int, help="Stop after so many trials without a better one.")


def _answers(parser: ArgumentParser) -> None:
    """How answers are made."""
    parser.add_argument(
        "--calibrate",
        choices=["none", "isotonic", "sigmoid", "auto"],
        help="Correct probabilities; auto: as proves best.",
    )
    parser.add_argument(
        "--threshold", metavar="METRIC", help="Answer yes from the probability on that makes this best."
    )
    parser.add_argument(
        "--costs",
        metavar="positive=CLASS,false_positive=N,false_negative=N",
        help="Answer yes from the probability on that costs the least.",
    )


def _measure(parser: ArgumentParser) -> None:
    """How the result is measured."""
    apart = parser.add_mutually_exclusive_group()
    apart.add_argument(
        "--hold-out-groups", metavar="COLUMN", help="Keep rows with the same value on one side."
    )
    apart.add_argument(
        "--hold-out-newest", metavar="COLUMN", help="Hold out the newest rows by this column of dates."
    )
    parser.add_argument(
        "--hold-out-share", type=float, metavar="SHARE", help="How much of the rows, 0.05 to 0.5 (0.2)."
    )
    parser.add_argument(
        "--compare-groups",
        action="append",
        metavar="COLUMN",
        help="Report how groups of this column fare; may be given several times.",
    )
    parser.add_argument(
        "--favourable", metavar="CLASS", help="The answer that people hope for, for --compare-groups."
    )


def _limits(parser: ArgumentParser) -> None:
    """What the job may use."""
    parser.add_argument(
        "--priority", choices=Priority.values, default=Priority.NORMAL, help="Among your waiting jobs."
    )
    parser.add_argument(
        "--workers", type=int, help="How many workers may share the search (1); idle ones join its own."
    )
    parser.add_argument("--minutes", type=int, help="Stop the job after so long, whatever it does.")
    parser.add_argument("--memory-mb", type=int, help="Memory that the job may use.")
    parser.add_argument("--cpus", type=int, help="Processors that the job may use.")


def config_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the job's configuration; raises CommandError where options contradict each other."""
    config: dict[str, Any] = {
        name: options[name] for name in ("folds", "seed", "workers") if options[name] is not None
    }
    if options["algorithm"]:
        config["algorithms"] = [{"key": key} for key in options["algorithm"]]
    config |= searched(options) | answered(options) | measured(options)
    if options["prepare"]:
        config["preprocessing"] = dict(pair(text) for text in options["prepare"])
    limits = {name: options[name] for name in ("minutes", "memory_mb", "cpus") if options[name]}
    return config | ({"limits": limits} if limits else {})


def searched(options: dict[str, Any]) -> dict[str, Any]:
    """Return how the options say to search; raises CommandError where they contradict each other."""
    budget = {name: options[name] for name in ("trials", "seconds", "patience") if options[name] is not None}
    if options["automl"]:
        if options["search"]:
            raise CommandError("--automl searches by itself, within --seconds: leave --search out.")
        aim = {name: options[name] for name in ("metric", "per_millisecond") if options[name]}
        alone = {"ensemble": False} if options["one_model"] else {}
        return {"automl": {**budget, **aim, **alone}}
    for name in ("metric", "per_millisecond", "one_model"):
        if options[name]:
            raise CommandError(f"--{name.replace('_', '-')} is for --automl: add it.")
    if options["search"]:
        return {"search": {"method": options["search"], **budget}}
    if budget:
        raise CommandError(f"--{next(iter(budget))} is a budget of a search: name one with --search tpe.")
    return {}


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Return how the options say to measure; raises CommandError where they contradict each other."""
    config: dict[str, Any] = {}
    for name, kind in (("hold_out_groups", "group"), ("hold_out_newest", "time")):
        if options[name]:
            config["split"] = {"kind": kind, "column": options[name]}
    if options["hold_out_share"] is not None:
        config["holdout"] = options["hold_out_share"]
    if options["compare_groups"]:
        config["fairness"] = {"columns": options["compare_groups"], "favourable": options["favourable"]}
    elif options["favourable"]:
        raise CommandError("--favourable says nothing without --compare-groups COLUMN.")
    return config


def answered(options: dict[str, Any]) -> dict[str, Any]:
    """Return how the options say to answer; raises CommandError where they contradict each other."""
    config: dict[str, Any] = {}
    if options["calibrate"]:
        config["calibrate"] = options["calibrate"]
    if options["threshold"] and options["costs"]:
        raise CommandError("Choose the threshold by --threshold or by --costs, not by both.")
    if options["threshold"]:
        config["threshold"] = {"metric": options["threshold"]}
    if options["costs"]:
        config["threshold"] = {"costs": dict(pair(text) for text in options["costs"].split(","))}
        # A class may look like a number, and is a label all the same.
        config["threshold"]["costs"]["positive"] = (
            options["costs"].partition("positive=")[2].partition(",")[0]
        )
    return config


def pair(text: str) -> tuple[str, Any]:
    """Return ``name=value`` in two; numbers and true or false as such."""
    name, sign, value = text.partition("=")
    if not sign:
        raise CommandError(f"{text!r} is not of the form OPTION=VALUE.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value
