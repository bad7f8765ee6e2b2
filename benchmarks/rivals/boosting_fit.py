"""Tuned histogram gradient boosting on one split: ``python boosting_fit.py FOLDER``; files as FLAML's.

A randomised search with five folds over what matters, until what is left is needed for the last fit.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
task = json.loads((folder / "task.json").read_text())
began = time.monotonic()
train = pd.read_parquet(folder / "train.parquet")
test = pd.read_parquet(folder / "test.parquet")
target = train.pop("target").to_numpy()
for name in train.columns:
    if not pd.api.types.is_numeric_dtype(train[name]):
        counts = train[name].value_counts()
        known = sorted(counts.index[:250])  # as many as the library takes
        train[name] = pd.Categorical(train[name], categories=known)
        test[name] = pd.Categorical(test[name], categories=known)

classify = task["kind"] != "regression"
boosting = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
scoring = {"binary": "roc_auc", "multiclass": "neg_log_loss", "regression": "r2"}[task["kind"]]
folds = (StratifiedKFold if classify else KFold)(5, shuffle=True, random_state=task["seed"])
rng = np.random.default_rng(task["seed"])


def drawn() -> dict[str, object]:
    """One configuration by lot."""
    return {
        "learning_rate": float(np.exp(rng.uniform(np.log(0.01), np.log(0.3)))),
        "max_iter": int(np.exp(rng.uniform(np.log(50), np.log(500)))),
        "max_leaf_nodes": int(np.exp(rng.uniform(np.log(7), np.log(127)))),
        "min_samples_leaf": int(np.exp(rng.uniform(np.log(5), np.log(50)))),
        "l2_regularization": float(np.exp(rng.uniform(np.log(1e-6), np.log(10)))),
        "max_features": float(rng.uniform(0.3, 1.0)),
    }


best, best_score, longest, tried = {}, -np.inf, 0.0, 0
chosen: dict[str, object] = {}  # the defaults come first
while True:
    started = time.monotonic()
    model = boosting(categorical_features="from_dtype", random_state=task["seed"], **chosen)
    score = float(np.mean(cross_val_score(model, train, target, cv=folds, scoring=scoring)))
    tried += 1
    if score > best_score:
        best, best_score = chosen, score
    longest = max(longest, time.monotonic() - started)
    if time.monotonic() - began + 1.3 * longest > task["seconds"]:
        break
    chosen = drawn()
model = boosting(categorical_features="from_dtype", random_state=task["seed"], **best).fit(train, target)
seconds = time.monotonic() - began
if classify:
    answers = pd.DataFrame(model.predict_proba(test), columns=[str(label) for label in model.classes_])
else:
    answers = pd.DataFrame({"value": model.predict(test)})
answers.to_parquet(folder / "answers.parquet")
print(json.dumps({"seconds": seconds, "winner": f"{tried} trials"}))
