"""Counts a segment of five conditions by smartpush, Python polars and DuckDB on the same files; called by `benches/preview`.

    purchases_30d >= 2 and interest("GROCERY") > 0.2 and last_seen < 14d and not opted_out and lifecycle != "new"

The profiles and the declared users are two Parquet tables of a workspace, the sample's households many times over. Each run is a
process of its own, in which a job is done a few times; the tools take turns. Told are medians over all processes, and ratios of
smartpush's to theirs; starting the process is not in them. All must find as many people.

* cold: both files, cached by the operating system → the count; all read five columns and the ids of both sides, and smartpush
  keeps what it read for later questions.
* warm: the count, the five columns in memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = ("smartpush", "polars", "duckdb")
JOBS = ("cold", "warm")
RUNS = 7


def main():
    arguments = parse_arguments()
    workspace = arguments.directory / f"preview-{arguments.copies}"
    say("preparing the people")
    run(command_of("smartpush", arguments, workspace))
    reports = {tool: [] for tool in TOOLS}
    for repetition in range(arguments.repetitions):
        for turn in range(len(TOOLS)):
            tool = TOOLS[(repetition + turn) % len(TOOLS)]
            say(f"run {repetition + 1}/{arguments.repetitions}: {tool}")
            reports[tool].append(run(command_of(tool, arguments, workspace)))
    answers = {(report["people"], report["members"]) for runs in reports.values() for report in runs}
    if len(answers) != 1:
        sys.exit(f"benches/preview: the tools do not find the same: {answers}")
    report = summary(reports, *answers.pop())
    print(json.dumps(report) if arguments.json else to_text(report))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="benches/preview", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--copies", type=int, default=1157, metavar="N",
                        help="copies of the sample's 865 households (default: 1157)")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N",
                        help="processes of each tool (default: 3)")
    parser.add_argument("--directory", type=Path, default=HERE.parent / "data/bench", metavar="DIR",
                        help="for the environment and the people (default: data/bench)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args()


def command_of(tool, arguments, workspace):
    if tool == "smartpush":
        return [arguments.binary, arguments.copies, "--directory", workspace, "--json"]
    profiles = next(workspace.glob("data/profiles/*/profiles.parquet"))
    return [sys.executable, HERE / "peers/preview_peer.py", tool, profiles, workspace / "data/users.parquet", RUNS]


def run(command):
    """What a process told, and the most memory that it held."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen([str(part) for part in command], stdout=output)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"benches/preview: {command[0]} failed")
        output.seek(0)
        peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        return {**json.loads(output.read()), "peak_mib": peak}


def summary(reports, people, members):
    def median(tool, job):
        return statistics.median(seconds for report in reports[tool] for seconds in report[job])

    tools = {}
    for tool in TOOLS:
        peak = statistics.median(report["peak_mib"] for report in reports[tool])
        tools[tool] = {**{job: median(tool, job) for job in JOBS}, "peak_mib": peak}
        tools[tool]["ratio"] = {job: tools["smartpush"][job] / tools[tool][job] for job in JOBS}
    return {"people": people, "members": members, "cpus": os.cpu_count(), "tools": tools}


def say(text):
    print(text, file=sys.stderr, flush=True)


def to_text(report):
    lines = [
        f"{report['members']:,} of {report['people']:,} people, {report['cpus']} cores, medians",
        f"{'tool':<10} {'cold ms':>9} {'warm ms':>9} {'peak MiB':>9}   smartpush/tool: cold   warm",
    ]
    for tool, told in report["tools"].items():
        lines.append(
            f"{tool:<10} {told['cold'] * 1e3:9.1f} {told['warm'] * 1e3:9.2f} {told['peak_mib']:9,.0f}   "
            f"{'':15} {told['ratio']['cold']:4.2f} {told['ratio']['warm']:6.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
