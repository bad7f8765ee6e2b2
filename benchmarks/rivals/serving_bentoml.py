"""A BentoML service of one model, the joblib file that ``MODEL_FILE`` names."""

import os

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=int(os.environ.get("BENTO_WORKERS", "1")))
class Served:
    """Loads the pipeline once and gives probabilities."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api
    def predict(self, rows: list[dict[str, float]]) -> list[list[float]]:
        """Answer the rows."""
        return self.pipeline.predict_proba(pd.DataFrame(rows)).tolist()
