"""The models of benchmarks/serving.py; ``python -m benchmarks.rivals.serving_models FOLDER`` fits them.

Each is a pipeline (joblib) on 30 numbers. With ``--register`` the
same pipelines become champions of a tenant of the platform whose settings are in the environment; prints the
API key as JSON.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import django
import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

SEED = 0
MODELS = {
    "forest": lambda: [RandomForestClassifier(100, random_state=SEED)],
    "logistic": lambda: [LogisticRegression(max_iter=1000)],
    # A step that is a function of its own, and a vote: no converter has a form for either.
    "voting": lambda: [
        FunctionTransformer(np.sqrt),
        VotingClassifier(
            [("forest", RandomForestClassifier(100, random_state=SEED)), ("bayes", GaussianNB())],
            voting="soft",
        ),
    ],
}
NO_TWIN = ("voting",)


def table() -> pd.DataFrame:
    """30 numbers, and the label under ``diagnosis``."""
    frame = load_breast_cancer(as_frame=True).frame.rename(columns=lambda name: name.replace(" ", "_"))
    return frame.assign(diagnosis=frame.pop("target").map({0: "malignant", 1: "benign"}).astype("str"))


def fitted(steps: list[Any], inputs: pd.DataFrame, target: "pd.Series[Any]") -> Pipeline:
    """A pipeline of a scaler and the model; a function of its own stands first."""
    return make_pipeline(*steps[:-1], StandardScaler(), steps[-1]).fit(inputs, target)


def fit(folder: Path) -> None:
    """Fit every model and write what the servers load, and the rows to ask about."""
    frame = table()
    inputs, target = frame.drop(columns="diagnosis"), frame["diagnosis"]
    (folder / "rows.json").write_text(json.dumps(inputs.head(100).to_dict("records")))
    for name, make in MODELS.items():
        joblib.dump(fitted(make(), inputs, target), folder / f"{name}.joblib")


def register(folder: Path, names: list[str]) -> str:
    """Register each pipeline as a champion; ``NAME-quick`` is the same with its log in the background."""
    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.models import Tenant
    from mlplatform.tenancy.scope import tenant_scope
    from mlplatform.tenancy.services.api_keys import create_api_key
    from registry.inference.twins import TOLERANCE
    from registry.services.models import create_model, update_model
    from registry.tabular.schema import coerce_frame, infer_schema
    from tests.factories import make_champion, make_dataset
    from training.services.twins import twin_of

    frame = table()
    columns = [column for column in infer_schema(frame) if column.name != "diagnosis"]
    with tenant_scope(Tenant.objects.get(slug="bench")):
        dataset = make_dataset(frame=frame)
        for name in names:
            pipeline = joblib.load(folder / f"{name}.joblib")
            classes = [str(label) for label in pipeline.classes_]
            twin = twin_of(pipeline, classes, coerce_frame(frame, columns), columns, TOLERANCE)
            if bool(twin.data) == (name in NO_TWIN) or (name in NO_TWIN and twin.report.walked.reason):
                raise RuntimeError(f"{name} is not answered as it should be: {twin.report}")
            for served in (name, f"{name}-quick"):
                model = create_model(
                    name=served, problem_type="classification", target="diagnosis", by=SYSTEM
                )
                make_champion(model, dataset=dataset, pipeline=pipeline, twin=twin)
                if served != name:
                    update_model(model=model, changes={"log_writing": "background"}, by=SYSTEM)
        return create_api_key(name="load", scopes=["predict"], by=SYSTEM).secret


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--register", nargs="+", choices=list(MODELS), metavar="MODEL")
    options = parser.parse_args()
    if options.register:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlplatform.settings")
        django.setup()
        print(json.dumps({"key": register(options.folder, options.register)}))
    else:
        fit(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
