"""Model cards: print one, write it to a file, or write words into it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.cards.markdown import card_markdown
from registry.cards.sections import BY_KEY
from registry.errors import NoChampion
from registry.models import ModelVersion, RegisteredModel
from registry.services.card_words import words_on, write_words
from registry.services.cards import card_file_html, card_of, told_words
from registry.services.champions import champion_of
from registry.services.models import find_model
from registry.services.versions import find_version


class Command(TenantCommand):
    """Prints the card of a version, or writes words into it."""

    help = (
        "Print the model card of a version (the champion's by default), as Markdown for Hugging Face or as "
        "HTML, or write words into it: --set for all versions of the model, with --number for one."
    )
    example = (
        "python manage.py model_card --tenant clinic --model diagnosis --number 3 --output README.md\n"
        '  python manage.py model_card --tenant clinic --model diagnosis --set "limits=Adults only."'
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the version, the words, the form and the file."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--number", type=int, metavar="NUMBER", help="The version's number.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SECTION=TEXT",
            help=f"Write a section, or take it off with an empty text: {', '.join(BY_KEY)}.",
        )
        parser.add_argument("--words", action="store_true", help="Print the words alone, and whose they are.")
        parser.add_argument("--format", choices=["markdown", "html"], default="markdown", help="The form.")
        parser.add_argument("--output", type=Path, help="The file to write; the terminal by default.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Write words, or return the card."""
        model = find_model(options["model"])
        number = options["number"]
        if options["set"] or options["words"]:
            target = model if number is None else find_version(model, number)
            if options["set"]:
                write_words(target=target, changes=dict(map(_pair, options["set"])), by=self.actor)
            return _told(target)
        version = _champion(model) if number is None else find_version(model, number)
        if options["json"]:
            card = card_of(version)
            return {
                "model": model.name,
                "version": version.number,
                "metadata": card.metadata,
                **_words(version),
            }
        text = card_markdown(card_of(version)) if options["format"] == "markdown" else card_file_html(version)
        path: Path | None = options["output"]
        if path is None:
            self.stdout.write(text)
            return None
        if not path.parent.is_dir():
            raise InvalidInput(f"There is no folder {path.parent}. Make it first.")
        path.write_text(text, "utf-8")
        return {"card": str(version), "file": str(path)}


def _champion(model: RegisteredModel) -> ModelVersion:
    champion = champion_of(model)
    if champion is None:
        raise NoChampion(f"{model.name} has no champion. Name a version with --number.")
    return champion


def _told(target: RegisteredModel | ModelVersion) -> list[dict[str, Any]]:
    return [
        {"section": key, "text": one["text"] or None, "of": one["of"], "by": one["by"] or None}
        for key, one in told_words(words_on(target)).items()
    ]


def _words(version: ModelVersion) -> dict[str, Any]:
    words = words_on(version)
    return {"words": told_words(words), "missing": [key for key, one in words.items() if not one.written]}


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InvalidInput(f"{text[:60]!r} is no section with its text. Write SECTION=TEXT.")
    return name.strip(), value
