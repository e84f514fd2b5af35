"""Fits scikit-learn's LogisticRegression(lbfgs) to rows in a file; arguments and answer as benches/logistic.rs."""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression


def memory(name):
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan")
    return float(text.split(name)[1].split()[0]) / 1024


def main():
    path, (rows, inputs, fits) = sys.argv[1], map(int, sys.argv[2:5])
    columns = np.fromfile(path, dtype="<f8", count=rows * inputs).reshape((inputs, rows)).T
    if sys.argv[5] == "by_rows":
        # Its own copy would fall into its time: by rows is the order that its lbfgs works in.
        columns = np.ascontiguousarray(columns)
    labels = np.fromfile(path, dtype=np.uint8, offset=8 * rows * inputs)
    LogisticRegression(solver="lbfgs").fit(columns[:1000], labels[:1000])
    before, seconds = memory("VmRSS:"), []
    # The peak of reading must not hide that of fitting.
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    for _ in range(fits):
        start = time.perf_counter()
        model = LogisticRegression(solver="lbfgs").fit(columns, labels)
        seconds.append(time.perf_counter() - start)
    extra = memory("VmHWM:") - before
    logits = columns @ model.coef_[0] + model.intercept_[0]
    loss = np.logaddexp(0, np.where(labels == 1, -logits, logits)).mean()
    print(json.dumps({"seconds": seconds, "log_loss": float(loss), "extra_mib": extra}))


main()
