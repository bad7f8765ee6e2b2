"""What a worker carries about that it does not need for its usual work: memory of every process."""

import subprocess
import sys

SET_UP = "import sys, django; django.setup(); import training.tasks; print(*sys.modules, sep='\\n')"
HEAVY = {
    "unfold.admin": "the console's pages",
    "onnx": "writing twins",
    "sqlalchemy": "databases as sources",
    "sqlglot": "databases as sources",
    "skops": "models from outside",
    "optuna": "searching",
    "shap": "explaining",
    "fpdf": "reports",
}


def test_what_is_rarely_needed_is_loaded_where_it_is_needed() -> None:
    said = subprocess.run([sys.executable, "-c", SET_UP], check=True, capture_output=True, text=True)
    loaded = set(said.stdout.split())
    assert "training.services.batch_work" in loaded
    assert {name: use for name, use in HEAVY.items() if name in loaded} == {}
