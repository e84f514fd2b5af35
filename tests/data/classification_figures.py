"""Writes classification_figures.json: metrics and fits by scikit-learn, for tests/it/evaluation/classification.rs.

scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1. Larger inputs are not stored: `row` makes them here and in the test.
"""
import json, pathlib
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

random = np.random.default_rng(20171201)


def ece(y, p, bins):
    """Expected calibration error over equal-mass bins."""
    order = np.argsort(p, kind="stable")
    return sum(abs(p[i].mean() - y[i].mean()) * len(i) for i in np.array_split(order, bins)) / len(y)


def metrics(name, p, y, bins):
    p, y = np.asarray(p, float), np.asarray(y, int)
    both = 0 < y.sum() < len(y)
    return {
        "name": name, "probabilities": p.tolist(), "labels": y.tolist(), "bins": bins,
        "auc": float(roc_auc_score(y, p)) if both else None,
        "log_loss": float(log_loss(y, p, labels=[0, 1])),
        "brier": float(brier_score_loss(y, p, labels=[0, 1])),
        "ece": float(ece(y, p, bins)),
    }


def cases():
    p = random.random(200).round(6)
    y = random.random(200) < p
    yield metrics("calibrated", p, y, 15)
    yield metrics("two_decimals", p.round(1), y, 15)
    yield metrics("rare", (p / 20).round(6), random.random(200) < p / 20, 7)
    yield metrics("inverted", 1 - p, y, 10)
    yield metrics("constant", np.full(40, 0.25), np.arange(40) % 4 == 0, 6)
    yield metrics("one_positive", p[:60], np.arange(60) == 17, 15)
    yield metrics("one_negative", p[:60], np.arange(60) != 17, 15)
    yield metrics("no_positive", p[:31], np.zeros(31), 4)
    yield metrics("all_positive", p[:31], np.ones(31), 4)
    yield metrics("zeros_and_ones", np.arange(50) % 2, np.arange(50) % 3 == 0, 8)
    yield metrics("certain_and_right", np.arange(20) % 2, np.arange(20) % 2, 5)
    yield metrics("certain_and_wrong", np.arange(20) % 2, 1 - np.arange(20) % 2, 5)
    tiny = [0.0, 1e-300, 1e-17, 1e-16, 2.3e-16, 1e-12, 0.5, 1 - 1e-12, 1 - 2.3e-16, 1 - 1.2e-16, 1.0]
    yield metrics("at_the_clip", tiny, np.arange(11) % 2, 3)
    yield metrics("at_the_clip_reversed", tiny, 1 - np.arange(11) % 2, 3)
    yield metrics("one_row_a_bin", p[:15], y[:15], 15)


def isotonic(name, values, weights):
    fitted = IsotonicRegression().fit_transform(np.arange(len(values)), values, sample_weight=weights)
    return {"name": name, "values": list(map(float, values)), "weights": list(map(float, weights)), "fitted": fitted.tolist()}


def isotonics():
    noisy = (np.arange(120) / 120 + random.normal(0, 0.4, 120)).round(6)
    yield isotonic("noisy", noisy, np.ones(120))
    yield isotonic("weighted", noisy, (random.random(120) * 9 + 0.01).round(6))
    yield isotonic("labels", random.random(150) < np.arange(150) / 150, random.integers(1, 5, 150))
    yield isotonic("equal_neighbours", [1, 1, 0, 0, 2, 2, 2, 1, 3, 3], np.ones(10))
    yield isotonic("falling", np.arange(20)[::-1], np.arange(1, 21))
    yield isotonic("rising", np.arange(20), np.arange(1, 21))
    yield isotonic("very_different_weights", [3, 1, 2, 5, 4, 0.5], [1e-6, 1e6, 1, 1e-3, 1e3, 2])
    yield isotonic("one", [0.3], [2.0])


def row(i):
    """A logit with ties, and a label whose odds rise less steeply than it."""
    logit = (i * 7919 % 1009 - 504) / 100
    return logit, int((i * 104729 % 100003) / 100003 < expit(0.6 * logit - 0.8))


def rows(count):
    logits, labels = zip(*(row(i) for i in range(count)))
    return np.array(logits), np.array(labels)


def isotonic_calibration(count):
    logits, labels = rows(count)
    fit = IsotonicRegression(out_of_bounds="clip").fit(logits, labels)
    at = np.linspace(-7, 7, 141).round(3)
    return {"rows": count, "positives": int(labels.sum()), "logits": at.tolist(),
            "probabilities": np.clip(fit.predict(at), 1 / (count + 2), 1 - 1 / (count + 2)).tolist()}


def platt(count):
    logits, labels = rows(count)
    positives, negatives = labels.sum(), (1 - labels).sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def cost(x):
        z = x[0] * logits + x[1]
        miss = expit(z) - target
        return np.sum(np.logaddexp(0, z) - target * z), np.array([np.sum(miss * logits), np.sum(miss)])

    best = minimize(cost, [1.0, 0.0], jac=True, method="BFGS", options={"gtol": 1e-9})
    return {"rows": count, "positives": int(positives), "slope": float(best.x[0]), "intercept": float(best.x[1])}


def logistics():
    matrix = random.normal(size=(200, 5)).round(4)
    matrix[:, 3] = (matrix[:, 3] > 1).astype(float)
    matrix = ((matrix - matrix.mean(0)) / matrix.std(0)).round(6)
    logit = matrix @ np.array([1.2, -0.7, 0.0, 0.4, -1.5]) - 1.4
    rare = (random.random(200) < expit(logit)).astype(int)
    even = (logit > np.median(logit)).astype(int)
    for name, labels in (("minority_positive", rare), ("majority_positive", 1 - rare), ("as_many", even)):
        for alpha in (0.1, 1.0, 20.0):
            fit = LogisticRegression(C=1 / alpha, solver="lbfgs", tol=1e-10, max_iter=10_000).fit(matrix, labels)
            yield {"name": name, "alpha": alpha, "positives": int(labels.sum()), "matrix": matrix.tolist(), "labels": labels.tolist(),
                   "weights": fit.coef_[0].tolist(), "intercept": float(fit.intercept_[0])}


def written():
    fits = list(logistics())
    matrix = fits[0]["matrix"]
    fits = [{key: value for key, value in fit.items() if key != "matrix"} for fit in fits]
    return {"metrics": list(cases()), "isotonic": list(isotonics()),
            "isotonic_calibration": isotonic_calibration(6000), "platt": [platt(count) for count in (150, 800)],
            "matrix": matrix, "logistic": fits}


pathlib.Path(__file__).with_suffix(".json").write_text(
    "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in written().items()) + "\n}\n")
