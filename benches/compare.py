"""Runs smartpush, Python polars and DuckDB on the same three jobs; called by `benches/compare`.

Every run is a process of its own, and the tools take turns (ABC, BCA, CAB …), so that whatever
else the machine does falls on all of them. Told are medians of wall seconds, CPU seconds and peak
memory, and ratios of the medians. Wall and CPU hold the start of Python and its imports; `work` is
what the peers measure themselves without them.

What is and is not the same work:
* ingest: both event files → one zstd Parquet file per UTC day, rows without an id, user, name or
  time dropped, the first of each message_id kept, sorted by user and time. smartpush besides
  checks every field, tells a repeated event from a conflicting one, hashes each record, syncs
  each file and commits a manifest.
* profile: the same columns, computed in the same integer arithmetic; `check` compares every one.
* send-times: the peers only count active hours by user and hour of the week. They fit nothing;
  smartpush also learns the curves, with intervals, and writes 168 rows for every user.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = HERE / "peers"
TIME_ZONE = "America/New_York"
JOBS = ("ingest", "profile", "send-times")
TOOLS = ("smartpush", "polars", "duckdb")
TABLES = {"users": "users.csv", "contents": "contents.jsonl", "campaigns": "campaigns.jsonl"}
EVENT_FILES = ("purchases.parquet", "campaign_events.csv")
MEASURES = ("wall", "cpu", "peak_mib")


def main():
    arguments = parse_arguments()
    if not arguments.smartpush.is_file():
        sys.exit(f"benches/compare: no {arguments.smartpush}: run cargo build --release first")
    report = {"as_of": arguments.as_of, "cpus": os.cpu_count(), "sets": []}
    for copies, repetitions in zip(arguments.copies, arguments.repetitions):
        data = data_set(arguments, copies)
        report["sets"].append(compare(arguments, data, copies, repetitions))
    if arguments.json:
        print(json.dumps(report))
    else:
        print("\n\n".join(to_text(part) for part in report["sets"]))


def parse_arguments():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser = argparse.ArgumentParser(
        prog="benches/compare", description="smartpush beside Python polars and DuckDB"
    )
    parser.add_argument("--smartpush", type=Path, default=target / "release/smartpush",
                        metavar="FILE", help="binary to measure (default: the release build)")
    parser.add_argument("--data", type=Path, default=ROOT / "data/full", metavar="DIR",
                        help="what data/download wrote (default: data/full)")
    parser.add_argument("--directory", type=Path, default=ROOT / "data/bench", metavar="DIR",
                        help="for the environment, copies and workspaces (default: data/bench)")
    parser.add_argument("--copies", type=numbers, default=[1, 7], metavar="N,…",
                        help="sizes, in copies of the data set (default: 1,7)")
    parser.add_argument("--repetitions", type=numbers, default=[5, 3], metavar="N,…",
                        help="runs at each size (default: 5,3)")
    parser.add_argument("--jobs", type=job_names, default=JOBS, metavar="JOB,…",
                        help=f"of {','.join(JOBS)} (default: all)")
    parser.add_argument("--as-of", default="2018-01-01T05:00:00Z", metavar="T",
                        help="moment of profiles and curves (default: the end of the data)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    if len(arguments.repetitions) == 1:
        arguments.repetitions *= len(arguments.copies)
    if len(arguments.repetitions) != len(arguments.copies):
        parser.error("--repetitions takes one number, or one for each of --copies")
    return arguments


def numbers(text):
    values = [int(part) for part in text.split(",")]
    if min(values) < 1:
        raise ValueError(text)
    return values


def job_names(text):
    names = text.split(",")
    if not set(names) <= set(JOBS):
        raise ValueError(text)
    return names


def data_set(arguments, copies):
    """The files of the data set, repeated under other user and message ids if need be."""
    if copies == 1:
        return arguments.data
    directory = arguments.directory / f"copies-{copies}"
    if not (directory / "purchases.parquet").exists():
        say(f"writing {copies} copies")
        run([sys.executable, PEERS / "replicate.py", arguments.data, directory, str(copies)])
    return directory


def compare(arguments, data, copies, repetitions):
    """Measures all jobs at one size and checks that the tools came to the same."""
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="run-") as name:
        directory = Path(name)
        workspace = directory / "workspace"
        events = prepare(arguments.smartpush, data, workspace)
        results = {}
        for job in arguments.jobs:
            runs = {tool: [] for tool in TOOLS}
            for repetition in range(repetitions):
                for turn in range(len(TOOLS)):
                    tool = TOOLS[(repetition + turn) % len(TOOLS)]
                    say(f"{events:,} events, {job}, run {repetition + 1}/{repetitions}: {tool}")
                    command = command_of(arguments, tool, job, data, workspace, directory)
                    runs[tool].append(measure(command))
            results[job] = summary(runs)
            results[job]["check"] = check(arguments, job, workspace, directory)
    return {"copies": copies, "events": events, "repetitions": repetitions, "jobs": results}


def prepare(smartpush, data, workspace):
    """A workspace with everything in it, for the jobs after ingest."""
    say("preparing a workspace")
    head = [smartpush, "ingest", "--workspace", workspace, "--json", "--time-zone", TIME_ZONE]
    for kind, name in TABLES.items():
        run([*head, "--kind", kind, data / name])
    return json.loads(run([*head, *(data / name for name in EVENT_FILES)]))["accepted"]


def command_of(arguments, tool, job, data, workspace, directory):
    """The command of a run; an ingest's target is emptied first."""
    out = output_of(tool, job, directory)
    if job == "ingest":
        shutil.rmtree(out, ignore_errors=True)
    if tool != "smartpush":
        parts = (data, out) if job == "ingest" else (workspace, arguments.as_of, out)
        return [sys.executable, PEERS / f"{tool}_peer.py", job, *parts]
    if job == "ingest":
        files = [data / name for name in EVENT_FILES]
        return [arguments.smartpush, job, "--workspace", out, "--json", "--time-zone", TIME_ZONE,
                *files]
    command = [arguments.smartpush, job, "--workspace", workspace, "--json",
               "--as-of", arguments.as_of]
    return command if job == "profile" else [*command, "--out", out]


def output_of(tool, job, directory):
    return directory / (f"lake-{tool}" if job == "ingest" else f"{job}-{tool}.parquet")


def measure(command):
    """Wall seconds, CPU seconds and peak memory of one process, from its own resource usage.

    This process stays small on purpose: a child's peak is never told below its parent's size.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(f"benches/compare: {command[0]} failed:\n{errors.read().decode()[-2000:]}")
        output.seek(0)
        told = json.loads(output.read())
    peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": peak,
            "work": told.get("seconds")}


def summary(runs):
    """Medians of every tool, ratios of medians, and the runs themselves."""
    medians = {
        tool: {name: statistics.median(one[name] for one in tool_runs) for name in MEASURES}
        for tool, tool_runs in runs.items()
    }
    for tool in TOOLS[1:]:
        medians[tool]["work"] = statistics.median(one["work"] for one in runs[tool])
    ratios = {
        f"smartpush/{tool}": {
            name: medians["smartpush"][name] / medians[tool][name] for name in MEASURES
        } for tool in TOOLS[1:]
    }
    return {"median": medians, "ratio": ratios, "runs": runs}


def check(arguments, job, workspace, directory):
    """What differs between the tools' outputs, as check.py tells it."""
    outputs = [output_of(tool, job, directory) for tool in TOOLS]
    if job == "ingest":
        outputs = [outputs[0] / "data/events", *outputs[1:]]
    if job == "profile":
        stamp = arguments.as_of.replace("-", "").replace(":", "").replace("Z", ".000000Z")
        outputs[0] = workspace / f"data/profiles/as_of={stamp}/profiles.parquet"
    return json.loads(run([sys.executable, PEERS / "check.py", job, *outputs]))


def run(command):
    command = [str(part) for part in command]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"benches/compare: {command[0]} failed:\n{finished.stderr[-2000:]}")
    return finished.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


def to_text(part):
    lines = [f"{part['events']:,} events, medians of {part['repetitions']} runs",
             f"{'job':<11} {'tool':<10} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9} {'work s':>8}"
             f"   smartpush/tool: {'wall':>6} {'CPU':>6} {'peak':>6}"]
    for job, result in part["jobs"].items():
        for tool, median in result["median"].items():
            work = f"{median['work']:8.2f}" if "work" in median else f"{'':8}"
            line = (f"{job:<11} {tool:<10} {median['wall']:8.2f} {median['cpu']:8.2f} "
                    f"{median['peak_mib']:9,.0f} {work}")
            ratio = result["ratio"].get(f"smartpush/{tool}")
            if ratio:
                figures = " ".join(f"{ratio[name]:6.2f}" for name in MEASURES)
                line += f"   {'':15} {figures}"
            lines.append(line.rstrip())
    lines.append("(the peers of send-times only count; they fit no curves)"
                 if "send-times" in part["jobs"] else "")
    for job, result in part["jobs"].items():
        lines += [f"check {job}: {line}" for line in result["check"]["lines"]]
    return "\n".join(line for line in lines if line)


if __name__ == "__main__":
    main()
