"""Trains a column of a table by smartpush and by scikit-learn's LogisticRegression on the same split.

The first 80 % of the rows, in file order, train; the rest tests. scikit-learn standardises numbers, one-hot encodes
categories and learns once, with its default C = 1; its calibration error is without and with an intercept and slope on the
newest tenth of the training rows. smartpush reports both its figures: learned anew before each block of the test part, and
learned once ("frozen"). Needs scikit-learn and pandas.

    benches/table_goal --smartpush target/release/smartpush --table bank-additional.csv --label y --exclude duration
    benches/table_goal --smartpush target/release/smartpush --uplift
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np


def main():
    parser = argparse.ArgumentParser(prog="benches/table_goal", description=__doc__.splitlines()[0])
    parser.add_argument("--smartpush", default="smartpush", help="the binary")
    parser.add_argument("--table", type=Path, help="a csv file, its separator , or ;")
    parser.add_argument("--label", default="y")
    parser.add_argument("--exclude", default="", help="columns that are no inputs")
    parser.add_argument("--uplift", action="store_true", help="generate randomised mailings with known truth instead")
    parser.add_argument("--rows", type=int, default=40_000, help="rows of a generated mailing")
    arguments = parser.parse_args()
    if arguments.uplift:
        uplift(arguments)
    else:
        table(arguments)


def train(arguments, file, label, more):
    with tempfile.TemporaryDirectory() as workspace:
        command = [arguments.smartpush, "--json", "--workspace", workspace, "train", "--table", str(file)]
        command += ["--label", label, "--goal", "bench", *more]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        return json.loads(output.stdout), output.returncode


def figure(value):
    return f"{value['value']:.4f} [{value['low']:.4f} {value['high']:.4f}]"


def table(arguments):
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    frame = pd.read_csv(arguments.table, sep=None, engine="python")
    excluded = [name for name in arguments.exclude.split(",") if name]
    label = frame[arguments.label].astype(str).str.lower().isin(["yes", "y", "true", "t", "1"]).to_numpy()
    inputs = frame.drop(columns=[arguments.label, *excluded])
    start = int(0.8 * len(frame))
    numbers = inputs.select_dtypes("number")
    scaled = (numbers - numbers[:start].mean()) / numbers[:start].std().replace(0, 1)
    matrix = pd.concat([scaled, pd.get_dummies(inputs.select_dtypes(exclude="number"))], axis=1)
    matrix = matrix.astype(float).to_numpy()
    model = LogisticRegression(max_iter=5000).fit(matrix[:start], label[:start])
    raw = model.predict_proba(matrix[start:])[:, 1]
    cut = int(0.9 * start)
    older = LogisticRegression(max_iter=5000).fit(matrix[:cut], label[:cut])
    newest = older.decision_function(matrix[cut:start]).reshape(-1, 1)
    platt = LogisticRegression(C=1e6).fit(newest, label[cut:start])
    mended = platt.predict_proba(older.decision_function(matrix[start:]).reshape(-1, 1))[:, 1]
    test = label[start:]
    print(f"rows {len(frame)}, positive before {label[:start].mean():.4f}, after {test.mean():.4f}")
    print(f"scikit-learn           AUC {roc_auc_score(test, raw):.4f}   ECE {ece(raw, test):.4f}")
    print(f"  calibrated on newest AUC {roc_auc_score(test, mended):.4f}   ECE {ece(mended, test):.4f}")
    more = ["--exclude", arguments.exclude] if excluded else []
    report, status = train(arguments, arguments.table, arguments.label, more)
    metrics, frozen = report["metrics"], report["frozen"]
    print(f"smartpush              AUC {figure(metrics['auc'])}   ECE {figure(metrics['ece'])}")
    print(f"  learned once         AUC {figure(frozen['auc'])}   ECE {figure(frozen['ece'])}")
    print(f"  {report['champion']}, promoted {report['promoted']}, exit {status}")


def ece(probabilities, labels, bins=15):
    order = np.argsort(probabilities, kind="stable")
    parts = np.array_split(order, bins)
    gap = sum(abs(probabilities[part].mean() - labels[part].mean()) * len(part) for part in parts if len(part))
    return gap / len(labels)


def mailing(rows, effect, seed):
    """Randomised, half treated; visits are as probable as the affinity says, and the mailing adds the effect."""
    random = np.random.default_rng(seed)
    affinity, recency = random.normal(size=rows), random.normal(size=rows)
    treated = random.random(rows) < 0.5
    organic = 1 / (1 + np.exp(1.8 - 1.1 * affinity))
    true = effect(affinity, recency)
    visited = random.random(rows) < np.clip(organic + treated * true, 0, 1)
    segment = random.choice(["Womens", "Mens", "Both"], rows)
    lines = ["affinity,recency,segment,mailed,visit"]
    for row in zip(affinity, recency, segment, treated, visited):
        lines.append(f"{row[0]:.4f},{row[1]:.4f},{row[2]},{int(row[3])},{int(row[4])}")
    return "\n".join(lines) + "\n"


def uplift(arguments):
    worlds = {
        "changes those of high recency": lambda affinity, recency: np.where(recency > 0, 0.10, -0.01),
        "changes all alike": lambda affinity, recency: np.full_like(affinity, 0.04),
        "changes nobody": lambda affinity, recency: np.zeros_like(affinity),
    }
    for name, effect in worlds.items():
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "mailing.csv"
            file.write_text(mailing(arguments.rows, effect, seed=1))
            report, status = train(arguments, file, "visit", ["--treatment", "mailed"])
        found = report["uplift"]
        print(f"the mailing {name}: exit {status}")
        for key in ("qini", "qini_of_propensity", "qini_difference"):
            value = found[key]
            print(f"  {key:<20} {value['value']:.5f} [{value['low']:.5f} {value['high']:.5f}]")


if __name__ == "__main__":
    main()
