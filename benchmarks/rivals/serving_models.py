"""The models of benchmarks/serving.py; ``python -m benchmarks.rivals.serving_models FOLDER`` fits them.

Each is a pipeline (joblib) and, where there is one, its twin in ONNX, on 30 numbers. With ``--register`` the
same pipelines become champions of a tenant of the platform whose settings are in the environment; prints the
API key as JSON.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import django
import joblib
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "forest": lambda: RandomForestClassifier(100, random_state=0),
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "voting": lambda: VotingClassifier(
        [("forest", RandomForestClassifier(100, random_state=0)), ("bayes", GaussianNB())], voting="soft"
    ),
}


def table() -> pd.DataFrame:
    """30 numbers, and the label under ``diagnosis``."""
    frame = load_breast_cancer(as_frame=True).frame.rename(columns=lambda name: name.replace(" ", "_"))
    return frame.assign(diagnosis=frame.pop("target").map({0: "malignant", 1: "benign"}).astype("str"))


def fit(folder: Path) -> None:
    """Fit every model and write what the servers load."""
    from skl2onnx import to_onnx

    frame = table()
    inputs, target = frame.drop(columns="diagnosis"), frame["diagnosis"]
    (folder / "rows.json").write_text(json.dumps(inputs.head(100).to_dict("records")))
    for name, make in MODELS.items():
        pipeline = make_pipeline(StandardScaler(), make()).fit(inputs, target)
        joblib.dump(pipeline, folder / f"{name}.joblib")
        if name == "voting":
            continue  # the converter has no form for it
        twin = to_onnx(pipeline, inputs.head(1).to_numpy(), options={id(pipeline): {"zipmap": False}})
        (folder / f"{name}.onnx").write_bytes(twin.SerializeToString())


def register(folder: Path, names: list[str]) -> str:
    """Register each pipeline as a champion; ``NAME-quick`` is the same with its log in the background."""
    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.models import Tenant
    from mlplatform.tenancy.scope import tenant_scope
    from mlplatform.tenancy.services.api_keys import create_api_key
    from registry.services.models import create_model, update_model
    from tests.factories import make_champion, make_dataset

    with tenant_scope(Tenant.objects.get(slug="bench")):
        dataset = make_dataset(frame=table())
        for name in names:
            pipeline = joblib.load(folder / f"{name}.joblib")
            for served in (name, f"{name}-quick"):
                model = create_model(
                    name=served, problem_type="classification", target="diagnosis", by=SYSTEM
                )
                make_champion(model, dataset=dataset, pipeline=pipeline)
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
