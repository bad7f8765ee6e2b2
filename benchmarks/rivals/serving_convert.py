"""Writes a pipeline as ONNX by its usual converter: ``python serving_convert.py MODEL.joblib MODEL.onnx``."""

import sys
from pathlib import Path

import joblib
import numpy as np
from skl2onnx import to_onnx

pipeline = joblib.load(sys.argv[1])
row = np.zeros((1, pipeline.n_features_in_))
found = to_onnx(pipeline, row, options={id(pipeline): {"zipmap": False}})
Path(sys.argv[2]).write_bytes(found.SerializeToString())
