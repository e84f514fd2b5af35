"""Runs smartpush's gradient boosting and LightGBM on the same rows; called by `benches/boosting`.

Every run is a process of its own and the two take turns, so that whatever else the machine does
falls on both. Told are medians of seconds, means of AUC and log loss on rows held out, and ratios.
The time of a fit begins with the matrix in memory (column by column for smartpush) and holds the
binning. A table is cut anew for every repetition: few rows held out tell little. Where one person
has several rows, `--group` keeps them on one side, so that nobody is learned by heart.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent
PEER = HERE / "peers/lightgbm_peer.py"
TOOLS = ("smartpush", "lightgbm")
MEASURES = ("fit_seconds", "predict_seconds", "auc", "log_loss")


def main():
    arguments = parse_arguments()
    name, shape = (arguments.csv.name if arguments.csv else "synthetic"), None
    files = [arguments.directory / "train.npy", arguments.directory / "test.npy"]
    settings = [f"{key}={getattr(arguments, key)}" for key in ("trees", "leaves", "threads", "rows_per_leaf")]
    runs = {tool: [] for tool in TOOLS}
    for repetition in range(arguments.repetitions):
        if arguments.csv or repetition == 0:
            shape = write(arguments, files, arguments.seed + repetition)
        for tool in TOOLS if repetition % 2 == 0 else reversed(TOOLS):
            runs[tool].append(run(arguments, tool, files, settings))
    report = {"data": name, **shape, "settings": settings, "repetitions": arguments.repetitions}
    for tool in TOOLS:
        report[tool] = {measure: middle([run[measure] for run in runs[tool]], measure) for measure in MEASURES}
    ours, theirs = (report[tool] for tool in TOOLS)
    report["fit_time_ratio"] = ours["fit_seconds"] / theirs["fit_seconds"]
    report["auc_difference"] = ours["auc"] - theirs["auc"]
    report["log_loss_ratio"] = ours["log_loss"] / theirs["log_loss"]
    print(json.dumps(report) if arguments.json else to_text(report))


def middle(values, measure):
    return statistics.median(values) if measure.endswith("seconds") else statistics.fmean(values)


def write(arguments, files, seed):
    train, test = from_csv(arguments, seed) if arguments.csv else synthetic(arguments, seed)
    for path, matrix in zip(files, (train, test)):
        numpy.save(path, numpy.asfortranarray(matrix))
    return {"rows": len(train), "test_rows": len(test), "columns": train.shape[1] - 1}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="benches/boosting", description="smartpush's gradient boosting beside LightGBM"
    )
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE",
                        help="the built bench (benches/boosting builds and names it)")
    parser.add_argument("--directory", type=Path, required=True, help="where matrices are written")
    parser.add_argument("--rows", type=int, default=1_000_000, help="synthetic rows to learn from")
    parser.add_argument("--columns", type=int, default=40, help="synthetic inputs, at least 20")
    parser.add_argument("--csv", type=Path, help="a table instead; its values are numbers or categories")
    parser.add_argument("--label", default="y", help="the table's label: yes, true or 1, and others")
    parser.add_argument("--separator", default=",", help="the table's separator")
    parser.add_argument("--drop", default="", help="columns that are no inputs, separated by commas")
    parser.add_argument("--group", help="a column that is no input; rows with the same value are never cut apart")
    parser.add_argument("--seed", type=int, default=7, help="of the synthetic rows, or of the table's split")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows-per-leaf", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def synthetic(arguments, seed):
    """Rows with steps, products, waves and missing values; the label is last."""
    random = numpy.random.default_rng(seed)
    held_out = arguments.rows // 5
    x = random.standard_normal((arguments.rows + held_out, arguments.columns))
    logit = (-1.5 + 0.8 * x[:, 0] + 0.6 * x[:, 1] * x[:, 2] + 0.7 * numpy.where(x[:, 3] > 0.5, x[:, 4], -x[:, 5])
             + 0.5 * numpy.sin(2 * x[:, 6]) + 0.4 * x[:, 7] * (x[:, 8] > 0) * (x[:, 9] < 0.3)
             + 0.3 * numpy.abs(x[:, 10]) + 0.2 * x[:, 11:20].sum(1) / 3)
    x[random.random(len(x)) < 0.05, 4] = numpy.nan
    label = random.random(len(x)) < 1 / (1 + numpy.exp(-logit))
    rows = numpy.column_stack([x, label])
    return rows[:arguments.rows], rows[arguments.rows:]


def from_csv(arguments, seed):
    """A table with categories as ordinals in order of their names, cut 70 : 30 by the seed; the label is last."""
    with arguments.csv.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=arguments.separator))
    dropped = {arguments.label, arguments.group, *arguments.drop.split(",")}
    columns = [encoded([row[name] for row in rows]) for name in rows[0] if name not in dropped]
    label = [row[arguments.label].lower() in ("yes", "true", "1") for row in rows]
    matrix = numpy.column_stack([*columns, label])
    groups = [row[arguments.group] for row in rows] if arguments.group else numpy.arange(len(rows))
    return cut(matrix, groups, seed)


def cut(matrix, groups, seed):
    """Seven tenths of the rows and the rest, whole groups in an order drawn by the seed."""
    names, group = numpy.unique(groups, return_inverse=True)
    place = numpy.argsort(numpy.random.default_rng(seed).permutation(len(names)))[group]
    order = numpy.argsort(place, kind="stable")
    first_of_rest = numpy.searchsorted(place[order], place[order][len(matrix) * 7 // 10])
    return matrix[order[:first_of_rest]], matrix[order[first_of_rest:]]


def encoded(texts):
    try:
        return [float(text) if text else numpy.nan for text in texts]
    except ValueError:
        places = {text: place for place, text in enumerate(sorted(set(texts)))}
        return [float(places[text]) for text in texts]


def run(arguments, tool, files, settings):
    program = [arguments.binary] if tool == "smartpush" else [sys.executable, PEER]
    # LightGBM's idle threads would otherwise spin, which costs it most of its speed where cores are shared.
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    command = [*program, *files, *settings]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def to_text(report):
    lines = [f"{report['data']}: {report['rows']} rows × {report['columns']} inputs, {report['test_rows']} held out; "
             f"{' '.join(report['settings'])}; {report['repetitions']} repetitions",
             f"{'':<10} {'fit s':>8} {'predict s':>10} {'AUC':>8} {'log loss':>9}"]
    for tool in TOOLS:
        fit, predict, auc, loss = (report[tool][measure] for measure in MEASURES)
        lines.append(f"{tool:<10} {fit:>8.3f} {predict:>10.3f} {auc:>8.5f} {loss:>9.5f}")
    lines.append(f"fit time × {report['fit_time_ratio']:.2f}, AUC {report['auc_difference']:+.5f}, "
                 f"log loss × {report['log_loss_ratio']:.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
