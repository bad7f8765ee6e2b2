"""Writes MLflow model folders: ``python serving_mlflow.py MODEL.joblib ROWS.json FOLDER``.

``FOLDER/checked`` has a signature, ``FOLDER/unchecked`` none.
"""

import json
import sys
from pathlib import Path

import joblib
import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature

pipeline, rows, folder = (
    joblib.load(sys.argv[1]),
    json.loads(Path(sys.argv[2]).read_text()),
    Path(sys.argv[3]),
)
frame = pd.DataFrame(rows)
signature = infer_signature(frame, pipeline.predict_proba(frame))
how = {"pyfunc_predict_fn": "predict_proba", "serialization_format": "cloudpickle"}
mlflow.sklearn.save_model(pipeline, folder / "checked", signature=signature, **how)
mlflow.sklearn.save_model(pipeline, folder / "unchecked", **how)
