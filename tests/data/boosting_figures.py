#!/usr/bin/env python3
"""Writes boosting_figures.json: what LightGBM learns from small data, for tests/it/learners/boosting/figures.rs.

    pip install numpy lightgbm==4.7.0 && python3 tests/data/boosting_figures.py
"""
import json
import pathlib

import lightgbm
import numpy

ROWS, LEVELS = 160, 16
CASES = [
    {"name": "plain", "missing": 0.0, "weighted": False, "l2": 0.0, "monotone": [0, 0, 0]},
    {"name": "missing", "missing": 0.25, "weighted": False, "l2": 0.0, "monotone": [0, 0, 0]},
    {"name": "weighted, with a penalty", "missing": 0.1, "weighted": True, "l2": 3.0, "monotone": [0, 0, 0]},
    {"name": "monotone", "missing": 0.0, "weighted": False, "l2": 1.0, "monotone": [1, 0, -1]},
]
TREES, LEAVES, HESSIAN, RATE = 8, 6, 2.0, 0.2


def figures(case, seed):
    random = numpy.random.default_rng(seed)
    # Levels are multiples of 1/8, which floating point holds exactly: thresholds lie between the same values.
    inputs = random.integers(0, LEVELS, (ROWS, 3)) / 8 - 1
    logits = 2 * inputs[:, 0] + 3 * inputs[:, 1] * inputs[:, 2] - inputs[:, 2]
    labels = (random.random(ROWS) < 1 / (1 + numpy.exp(-logits))).astype(int)
    inputs[random.random(inputs.shape) < case["missing"]] = numpy.nan
    weights = random.integers(1, 9, ROWS) / 4 if case["weighted"] else numpy.ones(ROWS)
    parameters = {
        "objective": "binary", "num_leaves": LEAVES, "learning_rate": RATE, "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": HESSIAN, "lambda_l2": case["l2"], "min_data_in_bin": 1, "max_bin": 255,
        "feature_pre_filter": False, "deterministic": True, "num_threads": 1, "verbose": -1, "force_col_wise": True,
        "monotone_constraints": case["monotone"] if any(case["monotone"]) else None,
    }
    data = lightgbm.Dataset(inputs, labels, weight=weights)
    model = lightgbm.train(parameters, data, TREES)
    return {
        **{key: case[key] for key in ("name", "l2", "monotone")},
        "inputs": [[None if numpy.isnan(value) else value for value in row] for row in inputs],
        "labels": labels.tolist(),
        "weights": weights.tolist(),
        "logits": model.predict(inputs, raw_score=True).tolist(),
        # Columns, then the mean.
        "contributions": model.predict(inputs[:20], pred_contrib=True).tolist(),
    }


cases = [figures(case, 100 + place) for place, case in enumerate(CASES)]
settings = {"trees": TREES, "leaves": LEAVES, "hessian_per_leaf": HESSIAN, "learning_rate": RATE}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({**settings, "lightgbm": lightgbm.__version__, "cases": cases}) + "\n")
