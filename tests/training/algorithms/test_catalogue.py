import io
from pathlib import Path

import pytest
from django.core.management import call_command

from training.algorithms import ALGORITHMS, KNOWN, UnknownAlgorithm, get_algorithm
from training.algorithms import table as tables
from training.algorithms.catalogue import as_markdown

PAGE = Path(__file__).parents[3] / "docs" / "algorithms.md"


def test_the_page_in_the_docs_is_the_table() -> None:
    assert PAGE.read_text() == as_markdown(KNOWN), (
        "python manage.py list_algorithms --markdown > docs/algorithms.md"
    )


def test_every_parameter_says_what_it_means() -> None:
    for line in as_markdown(KNOWN).splitlines():
        if line.startswith("| `"):
            assert all(cell.strip() for cell in (line.split("|")[i] for i in (1, 2, 3, 5))), line


def test_the_command_lists_what_can_be_trained() -> None:
    shown = io.StringIO()
    call_command("list_algorithms", stdout=shown)
    assert all(key in shown.getvalue() for key in ("random_forest", "lasso"))


def test_an_algorithm_whose_package_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {key: algorithm for key, algorithm in ALGORITHMS.items() if algorithm.needs is None}
    monkeypatch.setattr(tables, "ALGORITHMS", without)
    with pytest.raises(UnknownAlgorithm, match=r"XGBoost is not installed here.*boost"):
        get_algorithm("xgboost")
