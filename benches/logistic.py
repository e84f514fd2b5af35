"""Fits the same rows by smartpush and by scikit-learn's LogisticRegression(lbfgs); called by `benches/logistic`.

The rows are written once. Every run is a process of its own that reads them, fits several times and tells
the seconds of each fit without the reading; the tools take turns (ABC, BCA, CAB …). Told are medians of all
fits, the log-loss on the rows, and the memory that fitting took beyond the rows. scikit-learn runs with its
own settings (C = 1, tol = 1e-4) on both orders of memory: by columns, as smartpush's rows lie, of which it
makes a copy, and by rows, of which it need not.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TOOLS = ("smartpush", "one thread", "sklearn", "sklearn by rows")


def main():
    parser = argparse.ArgumentParser(prog="benches/logistic", description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, required=True, help="for the environment and the rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--inputs", type=int, default=40)
    parser.add_argument("--repetitions", type=int, default=5, help="processes of each tool (default: 5)")
    parser.add_argument("--fits", type=int, default=3, help="fits of each process (default: 3)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    path = arguments.directory / f"logistic-{arguments.rows}-{arguments.inputs}.bin"
    if not path.exists():
        write(path, arguments.rows, arguments.inputs)
    runs = {tool: [] for tool in TOOLS}
    for repetition in range(arguments.repetitions):
        for turn in range(len(TOOLS)):
            tool = TOOLS[(repetition + turn) % len(TOOLS)]
            print(f"run {repetition + 1}/{arguments.repetitions}: {tool}", file=sys.stderr, flush=True)
            runs[tool].append(run(arguments, tool, path))
    report = summary(arguments, runs)
    print(json.dumps(report) if arguments.json else to_text(report))


def write(path, rows, inputs):
    """Correlated normal inputs, an eighth of the labels true or so."""
    random = np.random.default_rng(1)
    columns = np.asfortranarray(random.standard_normal((rows, inputs)))
    for column in range(1, inputs):
        columns[:, column] = 0.5 * columns[:, column - 1] + np.sqrt(0.75) * columns[:, column]
    logits = columns @ (random.standard_normal(inputs) * 0.3) - 2
    labels = (random.random(rows) < 1 / (1 + np.exp(-logits))).astype(np.uint8)
    temporary = path.with_suffix(".part")
    with open(temporary, "wb") as file:
        columns.T.tofile(file)
        labels.tofile(file)
    temporary.rename(path)


def run(arguments, tool, path):
    numbers = [arguments.rows, arguments.inputs, arguments.fits]
    command = {
        "smartpush": [arguments.bench, path, *numbers, 0],
        "one thread": [arguments.bench, path, *numbers, 1],
        "sklearn": [sys.executable, HERE / "peers/sklearn_peer.py", path, *numbers, "by_columns"],
        "sklearn by rows": [sys.executable, HERE / "peers/sklearn_peer.py", path, *numbers, "by_rows"],
    }[tool]
    finished = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"benches/logistic: {tool} failed:\n{finished.stderr[-2000:]}")
    return json.loads(finished.stdout)


def summary(arguments, runs):
    medians = {
        tool: {
            "seconds": statistics.median(second for one in own for second in one["seconds"]),
            "log_loss": statistics.median(one["log_loss"] for one in own),
            "extra_mib": statistics.median(one["extra_mib"] for one in own),
        } for tool, own in runs.items()
    }
    ratios = {tool: medians["smartpush"]["seconds"] / medians[tool]["seconds"] for tool in TOOLS[1:]}
    return {"rows": arguments.rows, "inputs": arguments.inputs, "median": medians, "ratio": ratios, "runs": runs}


def to_text(report):
    lines = [f"{report['rows']:,} rows × {report['inputs']} inputs",
             f"{'tool':<16} {'seconds':>8} {'log-loss':>12} {'MiB beyond the rows':>20} {'smartpush/tool':>15}"]
    for tool, median in report["median"].items():
        ratio = report["ratio"].get(tool)
        lines.append(f"{tool:<16} {median['seconds']:8.3f} {median['log_loss']:12.8f} "
                     f"{median['extra_mib']:20.1f} {'' if ratio is None else f'{ratio:15.2f}'}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    main()
