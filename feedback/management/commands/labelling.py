"""What is worth labelling, and labels, from the command line."""

import uuid
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from feedback.services.agreement import agreement_of
from feedback.services.candidates import MOST_LISTED, Candidate, Reason, choices_of, labelling_queue
from feedback.services.labelling import give_label
from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.errors import PredictionNotFound
from registry.services.models import find_model
from registry.services.serving import find_prediction


class Command(TenantCommand):
    """Lists the rows that are most worth a label, takes one, or tells how far people agree."""

    help = "List the predictions most worth labelling, label one, or tell how far people who label agree."
    example = "python manage.py labelling --tenant clinic --model diagnosis --reason uncertain"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model and what to do."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--reason", choices=[one.value for one in Reason], help="Only by this reason.")
        parser.add_argument(
            "--limit", type=int, default=20, help=f"How many rows, at most {MOST_LISTED}; 20 where left out."
        )
        parser.add_argument("--label", type=uuid.UUID, metavar="ID", help="Label this prediction.")
        parser.add_argument("--value", help="What it turned out to be: a class or a number.")
        parser.add_argument("--second-opinion", action="store_true", help="Let somebody else label it, too.")
        parser.add_argument("--agreement", action="store_true", help="Tell how far people agree.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked for."""
        model = find_model(options["model"])
        if options["agreement"]:
            return asdict(agreement_of(model))
        if options["label"] is None:
            reason = Reason(options["reason"]) if options["reason"] else None
            limit = min(max(options["limit"], 1), MOST_LISTED)
            found = labelling_queue(model=model, by=self.actor, reason=reason, limit=limit)
            return [_line(one) for one in found]
        if options["value"] is None:
            raise InvalidInput("Say with --value what it turned out to be.")
        prediction = find_prediction(options["label"])
        if prediction.model_id != model.pk:
            raise PredictionNotFound(f"There is no prediction {prediction.pk} of {model.name}.")
        value, second = options["value"], options["second_opinion"]
        item = give_label(prediction=prediction, value=value, by=self.actor, second=second)
        return {"prediction": str(item.prediction_id), "state": item.state}


def _line(one: Candidate) -> dict[str, Any]:
    return {
        "prediction": str(one.prediction.pk),
        "reasons": ", ".join(one.reasons),
        "worth": round(one.worth, 3),
        "choices": ", ".join(choices_of(one.prediction.version)),
        "features": one.prediction.features,
    }
