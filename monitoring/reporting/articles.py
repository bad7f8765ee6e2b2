"""Which duties of the EU AI Act a part of a report serves.

Regulation (EU) 2024/1689 of 13 June 2024, OJ L, 2024/1689, 12.7.2024. The words are ours and short; the
Regulation's own count. A report serves such a duty as material: it does not fulfil it, and whether a system
is of high risk (Article 6) is not for the platform to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

REGULATION = "Regulation (EU) 2024/1689 (AI Act)"


@dataclass(frozen=True)
class Article:
    """One duty: whose it is, and what it asks for in a few words."""

    number: str
    title: str
    asks: str
    whose: str = "provider"


_ALL = (
    Article(
        "9(2)",
        "Risk management system",
        "evaluation of risks that may emerge, from the data of post-market monitoring among others",
    ),
    Article("10(2)-(3)", "Data and data governance", "relevant, representative data; examination for biases"),
    Article("11", "Technical documentation", "an up-to-date description of the system (Annex IV)"),
    Article(
        "12",
        "Record-keeping",
        "automatic recording of events over the lifetime, so that risks and substantial modifications can be "
        "found and operation be monitored",
    ),
    Article(
        "13(3)",
        "Transparency and provision of information to deployers",
        "performance, also regarding groups of persons, limits, oversight measures, how logs are kept",
    ),
    Article(
        "14",
        "Human oversight",
        "natural persons who can monitor operation, override an output, intervene and stop the system",
        "provider and deployer",
    ),
    Article(
        "15",
        "Accuracy, robustness and cybersecurity",
        "an appropriate level of accuracy throughout the lifecycle; care for feedback loops",
    ),
    Article("17(1)", "Quality management system", "procedures for changes, monitoring and record-keeping"),
    Article("18", "Documentation keeping", "documents at the disposal of authorities for ten years"),
    Article("19", "Automatically generated logs", "logs under one's control kept for at least six months"),
    Article(
        "20", "Corrective actions and duty of information", "bringing into conformity, withdrawing, disabling"
    ),
    Article(
        "26(2)", "Obligations of deployers", "oversight by persons with competence and authority", "deployer"
    ),
    Article("26(4)", "Obligations of deployers", "input data relevant and representative", "deployer"),
    Article(
        "26(5)",
        "Obligations of deployers",
        "monitoring of operation; telling of risks",
        "deployer",
    ),
    Article("26(6)", "Obligations of deployers", "logs kept for at least six months", "deployer"),
    Article(
        "72",
        "Post-market monitoring",
        "collecting and analysing data on performance throughout the lifetime, actively and systematically",
    ),
    Article("73", "Reporting of serious incidents", "telling the authority; Article 3(49) says what is one"),
)
ARTICLES: Mapping[str, Article] = {one.number: one for one in _ALL}


def serves_words(keys: tuple[str, ...] | list[str]) -> str:
    """Return a line such as ``Serves Articles 12 and 19``; raises KeyError for an unknown article."""
    named = [ARTICLES[key].number for key in keys]
    if not named:
        return ""
    joined = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return f"Serves Article{'s' if len(named) > 1 else ''} {joined} of the AI Act."
