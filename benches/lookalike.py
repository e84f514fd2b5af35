"""Learns a seed's membership by smartpush and by scikit-learn on the same inputs and folds; called by `benches/lookalike`.

`smartpush segment lookalike --rows` writes what its model read, each person's fold and his similarity. scikit-learn's
LogisticRegression (lbfgs, C = 1 / the penalty that smartpush chose) is fitted on the other four folds, standardised by their own means and standard
deviations, missing values at the mean, held within three standard deviations; told are the areas under the curve of all
people's out-of-fold probabilities, their largest difference, and the seconds of all fits.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

CLIP = 3.0
HEAD = ("user_id", "member", "fold", "similarity")


def main():
    parser = argparse.ArgumentParser(prog="benches/lookalike", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--workspace", required=True, help="a workspace with profiles")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("seed", nargs="+", help="arguments of `smartpush segment lookalike`, behind --")
    arguments = parser.parse_args()
    path = arguments.directory / "lookalike.csv"
    command = [arguments.binary, "--workspace", arguments.workspace, "--json", "segment", "lookalike"]
    ours = json.loads(subprocess.check_output([*command, *arguments.seed, "--rows", str(path)]))
    members, folds, similarity, inputs = read(path)
    start = time.perf_counter()
    theirs = out_of_fold(members, folds, inputs, ours["fold_penalties"])
    report = {
        "seed": ours["seed"],
        "people": len(members),
        "members": int(members.sum()),
        "inputs": inputs.shape[1],
        "smartpush_auc": ours["auc"]["value"],
        "sklearn_auc": roc_auc_score(members, theirs),
        "auc_of_ours_by_sklearn": roc_auc_score(members, similarity),
        "largest_difference": float(numpy.abs(theirs - similarity).max()),
        "sklearn_seconds": time.perf_counter() - start,
    }
    report["auc_difference"] = report["smartpush_auc"] - report["sklearn_auc"]
    print(json.dumps(report) if arguments.json else to_text(report))


def read(path):
    with open(path, newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        assert tuple(names[: len(HEAD)]) == HEAD, names
        rows = list(rows)
    members = numpy.array([row[1] == "true" for row in rows])
    folds = numpy.array([int(row[2]) for row in rows])
    similarity = numpy.array([float(row[3]) for row in rows])
    inputs = numpy.array([[float(value) if value else numpy.nan for value in row[len(HEAD) :]] for row in rows])
    return members, folds, similarity, inputs


def out_of_fold(members, folds, inputs, penalties):
    probabilities = numpy.zeros(len(members))
    for fold, penalty in enumerate(penalties):
        inside = folds == fold
        means, scales = numpy.nanmean(inputs[~inside], axis=0), numpy.nanstd(inputs[~inside], axis=0)
        scales[~(scales > 1e-9)] = 1.0
        standard = numpy.nan_to_num(numpy.clip((inputs - means) / scales, -CLIP, CLIP))
        model = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=10_000)
        model.fit(standard[~inside], members[~inside])
        probabilities[inside] = model.predict_proba(standard[inside])[:, 1]
    return probabilities


def to_text(report):
    return "\n".join(
        [
            f"like {report['seed']}: {report['members']} of {report['people']} people, {report['inputs']} inputs",
            f"  AUC out of fold   smartpush {report['smartpush_auc']:.6f}   scikit-learn {report['sklearn_auc']:.6f}"
            f"   difference {report['auc_difference']:+.1e}",
            f"  largest difference of a similarity {report['largest_difference']:.1e}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
