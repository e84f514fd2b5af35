"""Writes logistic_figures.json: weighted fits by scikit-learn and online fits, for tests/it/learners/.

scikit-learn 1.9.1, numpy 2.4.6; the rows are `matrix` of classification_figures.json. The online fits are algorithm 1 of
McMahan and others (2013), written from the paper; without penalties linfa-ftrl 0.8.1, given one row after the other and z
of zero, ends at the same weights to eight digits.
"""
import json, math, pathlib
import numpy as np
from sklearn.linear_model import LogisticRegression

here = pathlib.Path(__file__)
stored = json.loads(here.with_name("classification_figures.json").read_text())
matrix = np.array(stored["matrix"])
weights = np.array([0.0, 0.5, 1.0, 2.5])[np.arange(len(matrix)) * 7 % 4]


def weighted():
    for case in stored["logistic"][::3]:
        for alpha in (0.1, 1.0, 20.0):
            fit = LogisticRegression(C=1 / alpha, solver="lbfgs", tol=1e-12, max_iter=10_000)
            fit.fit(matrix, case["labels"], sample_weight=weights)
            yield {"name": case["name"], "alpha": alpha, "labels": case["labels"],
                   "weights": fit.coef_[0].tolist(), "intercept": float(fit.intercept_[0])}


def online(labels, rate, beta, l1, l2):
    """Per-coordinate FTRL-Proximal; the last coordinate is the intercept and has no penalty."""
    rows = np.hstack([matrix, np.ones((len(matrix), 1))])
    count = rows.shape[1]
    z, n = [0.0] * count, [0.0] * count

    def weight(i):
        first, second = (l1, l2) if i < count - 1 else (0.0, 0.0)
        if abs(z[i]) <= first:
            return 0.0
        return -(z[i] - math.copysign(first, z[i])) / ((beta + math.sqrt(n[i])) / rate + second)

    for row, label in zip(rows, labels):
        current = [weight(i) for i in range(count)]
        p = 1 / (1 + math.exp(-sum(x * w for x, w in zip(row, current))))
        for i in range(count):
            gradient = (p - label) * row[i]
            sigma = (math.sqrt(n[i] + gradient**2) - math.sqrt(n[i])) / rate
            z[i] += gradient - sigma * current[i]
            n[i] += gradient**2
    fitted = [weight(i) for i in range(count)]
    return {"rate": rate, "beta": beta, "l1": l1, "l2": l2, "weights": fitted[:-1], "intercept": fitted[-1]}


labels = stored["logistic"][0]["labels"]
settings = [(0.1, 1.0, 0.0, 0.0), (0.5, 0.5, 0.0, 0.0), (0.3, 0.25, 0.75, 0.5), (0.05, 0.0, 5.0, 0.0), (1.0, 1.0, 0.0, 20.0)]
written = {"row_weights": weights.tolist(), "weighted": list(weighted()), "online_labels": labels,
           "online": [online(labels, *setting) for setting in settings]}
here.with_suffix(".json").write_text(
    "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in written.items()) + "\n}\n")
