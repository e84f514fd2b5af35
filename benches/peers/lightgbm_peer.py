"""LightGBM's part of benches/boosting: TRAIN.npy TEST.npy [name=value …] → one JSON object, as benches/boosting.rs."""

import json
import sys
import time

import lightgbm
import numpy
from sklearn.metrics import log_loss, roc_auc_score

NAMES = {"trees": "num_iterations", "leaves": "num_leaves", "threads": "num_threads",
         "learning_rate": "learning_rate", "rows_per_leaf": "min_data_in_leaf", "l2": "lambda_l2"}


def main():
    train, test = (numpy.load(path) for path in sys.argv[1:3])
    settings = dict(argument.split("=") for argument in sys.argv[3:])
    parameters = {"objective": "binary", "max_bin": 255, "verbose": -1,
                  **{NAMES[name]: float(value) if "." in value else int(value) for name, value in settings.items()}}
    inputs, labels = train[:, :-1], train[:, -1]
    start = time.perf_counter()
    data = lightgbm.Dataset(inputs, labels, params=parameters)
    model = lightgbm.train(parameters, data)
    fitted = time.perf_counter()
    probabilities = model.predict(test[:, :-1])
    predicted = time.perf_counter()
    print(json.dumps({
        "fit_seconds": fitted - start,
        "predict_seconds": predicted - fitted,
        "auc": float(roc_auc_score(test[:, -1], probabilities)),
        "log_loss": float(log_loss(test[:, -1], probabilities)),
        "trees": model.num_trees(),
    }))


if __name__ == "__main__":
    main()
