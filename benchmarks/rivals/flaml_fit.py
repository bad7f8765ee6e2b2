"""FLAML on one split, in an environment of its own: ``python flaml_fit.py FOLDER``.

The folder holds ``train.parquet``, ``test.parquet`` (features) and ``task.json``; ``answers.parquet`` is
written: the probability of each class by its name, or ``value``.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from flaml import AutoML

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
task = json.loads((folder / "task.json").read_text())
train = pd.read_parquet(folder / "train.parquet")
test = pd.read_parquet(folder / "test.parquet")
target = train.pop("target")
for name in train.columns:
    if not pd.api.types.is_numeric_dtype(train[name]):
        known = sorted(train[name].dropna().unique())
        train[name] = pd.Categorical(train[name], categories=known)
        test[name] = pd.Categorical(test[name], categories=known)

model = AutoML()
began = time.monotonic()
model.fit(
    X_train=train,
    y_train=target.to_numpy(dtype=object if task["kind"] != "regression" else float),
    task="regression" if task["kind"] == "regression" else "classification",
    metric={"binary": "roc_auc", "multiclass": "log_loss", "regression": "r2"}[task["kind"]],
    time_budget=task["seconds"],
    n_jobs=task["threads"],
    seed=task["seed"],
    verbose=0,
)
seconds = time.monotonic() - began
if task["kind"] == "regression":
    answers = pd.DataFrame({"value": np.asarray(model.predict(test), dtype=float)})
else:
    names = [str(label) for label in model.classes_]
    answers = pd.DataFrame(np.asarray(model.predict_proba(test)), columns=names)
answers.to_parquet(folder / "answers.parquet")
print(json.dumps({"seconds": seconds, "winner": str(model.best_estimator)}))
