"""What the notebooks share: smartpush in a workspace of its own, and how pictures look."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import altair as alt

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = REPOSITORY / "data" / "sample"

# One colour a meaning, told apart by those too who see red and green alike (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8c8c8c"


class Workspace:
    """A directory of its own in which smartpush runs; it is gone when the kernel ends."""

    def __init__(self, settings=""):
        self._directory = tempfile.TemporaryDirectory(prefix="smartpush-")
        self.root = Path(self._directory.name)
        self._shown = None
        self.write("smartpush.toml", settings)

    def write(self, name, text):
        """Writes a file of the workspace."""
        (self.root / name).write_text(text)
        return self.root / name

    def run(self, *arguments, exits=0):
        """Runs `smartpush ARGUMENTS --json` here, shows the command line (once in a row) and returns what it says."""
        program = os.environ.get("SMARTPUSH") or shutil.which("smartpush")
        if program is None:
            raise FileNotFoundError("no smartpush on the PATH: `cargo install --path .`, or set SMARTPUSH")
        arguments = [str(argument) for argument in arguments]
        line = " ".join(["$ smartpush", *arguments]).replace(f"{self.root}/", "").replace(f"{REPOSITORY}/", "")
        if line != self._shown:
            print(line)
        self._shown = line
        done = subprocess.run([program, *arguments, "--workspace", self.root, "--json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != exits:
            raise RuntimeError(f"it ended with {done.returncode} instead of {exits}:\n{done.stderr}")
        return json.loads(done.stdout)

    def take_sample(self):
        """Takes the committed sample: 865 households of a grocery chain over a year. Returns the events' counts."""
        self.run("ingest", "--kind", "users", SAMPLE / "users.csv")
        self.run("ingest", "--kind", "contents", SAMPLE / "contents.jsonl")
        zone = ("--time-zone", "America/New_York")
        self.run("ingest", "--kind", "campaigns", *zone, SAMPLE / "campaigns.jsonl")
        events = ("purchases.parquet", "coupon_uses.csv", "campaign_events.csv")
        return self.run("ingest", *zone, *(SAMPLE / name for name in events))


@alt.theme.register("guide", enable=True)
def _theme():
    return alt.theme.ThemeConfig({
        "config": {
            "view": {"continuousWidth": 560, "continuousHeight": 240, "stroke": None},
            "title": {"anchor": "start", "fontSize": 15, "subtitleFontSize": 12, "subtitleColor": "#555", "offset": 12},
            "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "gridColor": "#e6e6e6",
                     "domainColor": "#999", "tickColor": "#999"},
            "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal"},
            "header": {"labelFontSize": 12, "titleFontSize": 12},
            "line": {"strokeJoin": "round"},
        }
    })


# `notebooks/run` asks for pictures that need no browser; in Jupyter charts stay alive under the mouse.
if os.environ.get("NOTEBOOK_PICTURES") == "png":
    alt.renderers.enable("png", ppi=110)
