# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Retrain, calibrate, promote
#
# A model answers one question: how likely is it that this user reaches this goal? This notebook declares a goal, trains a model,
# checks from outside that its probabilities mean what they say, sets a second model beside it, and takes one into service and
# out again. All of it with commands and files; a scheduler would run the same lines.

# %%
import json
import math

import altair as alt
import polars as pl

from guide import BLUE, GREY, ORANGE, Workspace

# %% [markdown]
# ## A goal is a few lines
#
# What counts, for whom, within what time: a section of `smartpush.toml`. The *unit* says what a probability is about; here a
# user on a day. The *population* says who is asked about: a model of people who are there should not learn from
# those who left long ago.

# %%
SETTINGS = """
default_time_zone = "America/New_York"

[training]
most_moments = 24

[goals.return_7d]
description = "buys again within a week"
events = ["purchase"]
unit = "user_day"
window = "7d"
population = "active_30d"
"""
GOAL = ("--goal", "return_7d")
workspace = Workspace(SETTINGS)
counts = workspace.take_sample()
assert counts["rejected"] == 0

# %% [markdown]
# ## Examples, point in time
#
# **What does a model learn from?** Rows of the past: inputs as they were known at a moment, and whether the goal was reached in the
# week after it. A row counts once its week is over. `examples` writes the same rows for other tools.

# %%
workspace.run("examples", *GOAL, "--out", workspace.root / "examples.parquet")
examples = pl.read_parquet(workspace.root / "examples.parquet")
inputs = [name for name in examples.columns if "." in name]
assert examples.select(pl.struct("user_id", "as_of").is_unique().all()).item(), "one row a user and moment"

by_moment = examples.group_by("as_of").agg(rows=pl.len(), rate=pl.col("label").mean()).sort("as_of")
print(f"{examples.height:,} examples with {len(inputs)} inputs at {by_moment.height} moments,",
      f"{by_moment['as_of'].min():%d %B} to {by_moment['as_of'].max():%d %B %Y}")
alt.Chart(by_moment, title=alt.Title(
    "The share that comes back within a week moves from week to week",
    subtitle="a model is trained on older moments and measured on newer ones, as in service")
).mark_line(point=alt.OverlayMarkDef(size=25, color=BLUE), color=BLUE).encode(
    x=alt.X("as_of:T", title="moment", axis=alt.Axis(format="%d %b", grid=False, labelAngle=0, tickCount=8)),
    y=alt.Y("rate:Q", title="share that returns", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
).properties(height=180)

# %% [markdown]
# ## Training
#
# We stand on 1 October 2017 and pretend not to know what comes after. `train` splits the examples by time: the oldest train, the next
# calibrate, the newest test, a label window apart. The **card** says what was measured on the test part, with 95 % intervals
# from drawing users. The line to beat is the *base rate*, which gives everybody the same probability.
#
# A model is promoted only if every line of the **gate** holds; what was seen stands beside what was asked.

# %%
THEN = ("--as-of", "2017-10-01")
logistic = workspace.run("train", *GOAL, *THEN)
metrics = logistic["metrics"]
for name in ("log_loss", "base_rate_log_loss", "auc", "ece"):
    print(f"{name:<20} {metrics[name]['value']:.4f}  [{metrics[name]['low']:.4f} {metrics[name]['high']:.4f}]")
assert metrics["log_loss"]["high"] < metrics["base_rate_log_loss"]["low"], "clearly better than the base rate"
assert metrics["auc"]["low"] > 0.5
assert logistic["promoted"] and all(line["passed"] for line in logistic["gate"])
with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=90, tbl_width_chars=140):
    print(pl.DataFrame(logistic["gate"]).select("name", "found"))

# %% [markdown]
# **How strongly is a model held back?** That is chosen on later moments *within* the training part, never on the test part: a strength
# that was chosen by the test would make the test too kind. The card keeps all that was tried, FTRL's learning rates among it; the
# method that stands first in `training.methods` wins unless another is clearly better.

# %%
card = workspace.run("models", "show", *GOAL)["card"]
tried = pl.DataFrame([{"kind": one["kind"], "penalty": one["penalty"], "log_loss": one["log_loss"]} for one in card["tried"]])
penalties = tried.filter(pl.col("kind") == "logistic_regression")
best = penalties.sort("log_loss").row(0, named=True)
assert logistic["champion"] == "logistic_regression" and logistic["penalty"] == best["penalty"]
line = alt.Chart(penalties, title=f"Forward in time, a penalty worth {best['penalty']:g} examples foretells best").encode(
    x=alt.X("penalty:Q", scale=alt.Scale(type="log"), title="penalty", axis=alt.Axis(values=penalties["penalty"].to_list(), format="~s")),
    y=alt.Y("log_loss:Q", title="log-loss on later moments", scale=alt.Scale(zero=False)),
)
(line.mark_line(color=BLUE) + line.mark_circle(size=60, opacity=1).encode(
    color=alt.condition(alt.datum.penalty == best["penalty"], alt.value(ORANGE), alt.value(BLUE)))).properties(height=170)

# %% [markdown]
# ## Is a probability of 30 % right three times in ten?
#
# The card holds the answer of the test part, the **reliability table**: bins of equal mass, what was told and what came true.

# %%
table = pl.DataFrame(card["gate"]["facts"]["reliability"])
assert table["n"].sum() == card["gate"]["facts"]["test"]["rows"]
far = (table["mean_probability"] - table["rate"]).abs()
print(f"{table.height} bins; told and true differ by {far.mean():.1%} on average, {far.max():.1%} at most")

# %% [markdown]
# These figures come from the machine that made the model. Let us grade it ourselves: score everybody at moments *after*
# 1 October with the model of 1 October, and look up in the examples what they did. `score` computes inputs by the same
# function as training; the model knows nothing of those days.

# %%
LATER = by_moment.filter(pl.col("as_of").dt.replace_time_zone(None) >= pl.datetime(2017, 10, 1))["as_of"].gather_every(4)


def graded(version):
    """Propensities of later moments by a version, beside what happened."""
    parts = []
    for moment in LATER:
        out = workspace.root / "propensity.parquet"
        workspace.run("score", *GOAL, "--model", version, "--as-of", f"{moment:%Y-%m-%dT%H:%M:%SZ}", "--out", out)
        parts.append(pl.read_parquet(out).with_columns(as_of=pl.lit(moment).cast(examples.schema["as_of"])))
    scores = pl.concat(parts)
    joined = scores.join(examples.select("user_id", "as_of", "label"), on=["user_id", "as_of"])
    assert joined.height == scores.height, "everybody who was scored has an answer"
    return joined.with_columns(label=pl.col("label").cast(pl.Float64))


rows = graded(logistic["version"])
print(f"{rows.height:,} propensities at {len(LATER)} moments, {rows['label'].mean():.1%} came back")

# %% [markdown]
# **Does what was told come true?** Put rows of like probability together, and see what share of them came back. On the diagonal, telling and
# happening agree. A household has several rows, and they go together: an interval that took them for so many
# independent households would be too narrow.

# %%
def clustered(rows, value):
    """Mean of a column with its 95 % interval, rows of a user going together (linearised)."""
    mean, n = rows[value].mean(), rows.height
    off = rows.group_by("user_id").agg(((pl.col(value) - mean).sum() / n).alias("off"))["off"]
    half = 1.96 * math.sqrt((off ** 2).sum())
    return mean, mean - half, mean + half


def reliability(rows):
    """Tenths of the rows by propensity: what was told, and what share came back, with its interval."""
    ranked = rows.sort("propensity", "user_id", "as_of").with_row_index("place")
    tenths = ranked.with_columns(tenth=pl.col("place") * 10 // rows.height).partition_by("tenth", maintain_order=True)
    return pl.DataFrame([
        {"told": part["propensity"].mean(), **dict(zip(("rate", "low", "high"), clustered(part, "label")))} for part in tenths])


def distance(bins):
    """Mean distance from the diagonal: the expected calibration error over these tenths."""
    return (bins["told"] - bins["rate"]).abs().mean()


share = {"axis": alt.Axis(format="%", tickCount=5), "scale": alt.Scale(domain=[0, 1])}
diagonal = alt.Chart(pl.DataFrame({"told": [0.0, 1.0], "rate": [0.0, 1.0]})).mark_line(color=GREY, strokeDash=[4, 4])


def reliability_picture(bins, title):
    points = alt.Chart(bins).encode(x=alt.X("told:Q", title="probability that was told", **share))
    return alt.layer(
        diagonal.encode(x="told:Q", y="rate:Q"),
        points.mark_rule(color=BLUE, strokeWidth=2).encode(y=alt.Y("low:Q", title="share that came back", **share), y2="high:Q"),
        points.mark_circle(color=BLUE, size=60, opacity=1).encode(y="rate:Q"),
    ).properties(width=290, height=290, title=alt.Title(title, subtitle=f"mean distance from the diagonal {distance(bins):.1%}"))


bins = reliability(rows)
off = bins.with_columns(off=pl.col("told") - pl.col("rate"))["off"]
assert distance(bins) < 0.05 and off.abs().max() < 0.15, (distance(bins), off.abs().max())
reliability_picture(bins, "What was told comes true to within some points")

# %% [markdown]
# Ranking well and being calibrated are two things. A ranking is enough to pick the best thousand; a probability is needed to
# weigh a push against its cost, two campaigns against each other, or a plan against its bounds.
#
# **And how well does it rank?** Whoever writes to the most likely ones first wants to know how many of all that return are among them.

# %%
def auc(rows):
    """Probability that somebody who came back was ranked above somebody who did not."""
    ranks = rows.with_columns(rank=pl.col("propensity").rank("average"))
    positives = rows["label"].sum()
    return (ranks.filter(pl.col("label") == 1)["rank"].sum() - positives * (positives + 1) / 2) / (
        positives * (rows.height - positives))


falling = rows.sort("propensity", "user_id", "as_of", descending=True).with_columns(
    asked=pl.int_range(1, pl.len() + 1) / pl.len(), reached=pl.col("label").cum_sum() / pl.col("label").sum())
third = falling.filter(pl.col("asked") <= 1 / 3)["reached"].last()
assert metrics["auc"]["low"] < auc(rows) < metrics["auc"]["high"], "as the card said"
assert third > 0.4
gains = alt.Chart(falling.gather_every(20)).mark_line(color=BLUE, strokeWidth=2.5).encode(
    x=alt.X("asked:Q", title="households, the likeliest first", **share), y=alt.Y("reached:Q", title="of all that came back", **share))
alt.layer(diagonal.encode(x="told:Q", y="rate:Q"), gains).properties(width=330, height=270, title=alt.Title(
    f"The likeliest third holds {third:.0%} of those who come back",
    subtitle=f"AUC {auc(rows):.3f} on later days; the card said {metrics['auc']['value']:.3f}"))

# %% [markdown]
# ## What it looks at
#
# `model.json` is the whole model: inputs with mean, scale and weight, the calibration, the goal. **Which inputs move the answer most?**

# %%
model = json.loads((workspace.root / "models" / "return_7d" / logistic["version"] / "model.json").read_text())
weights = pl.DataFrame([{"input": f"{one['block']}.{one['name']}", "weight": one["weight"]} for one in model["inputs"]])
heaviest = weights.sort(pl.col("weight").abs(), descending=True).head(12)
assert heaviest["input"].str.contains("activ").any(), "who was active lately comes back"
alt.Chart(heaviest, title=alt.Title("What raises (blue) or lowers (orange) the odds of coming back",
                                    subtitle="logit of one standard deviation; inputs that tell the same share their weight")
).mark_bar().encode(
    y=alt.Y("input:N", sort=heaviest["input"].to_list(), title=None, axis=alt.Axis(labelLimit=260)),
    x=alt.X("weight:Q", title="weight", axis=alt.Axis(tickCount=6)),
    color=alt.condition(alt.datum.weight > 0, alt.value(BLUE), alt.value(ORANGE)),
).properties(width=420, height=230)

# %% [markdown]
# ## Two methods side by side
#
# Would boosted trees do better? A method is a line of settings. **Two models can be compared only on the same rows**: both are
# trained as of the same moment (the hash of their examples says so), and graded on the same later days. As both make their
# mistakes on the same people, the difference is far surer than either figure.

# %%
trees_settings = workspace.write("trees.toml", SETTINGS.replace("[training]", '[training]\nmethods = ["gradient_boosting"]'))
trees = workspace.run("train", *GOAL, *THEN, "--config", trees_settings)
assert trees["champion"] == "gradient_boosting" and trees["version"] != logistic["version"]
assert trees["data_sha256"] == logistic["data_sha256"], "learned from the same examples"

rows_of_trees = graded(trees["version"])
pairs = rows.rename({"propensity": "logistic_regression"}).join(
    rows_of_trees.rename({"propensity": "gradient_boosting"}), on=["user_id", "as_of", "label"]).with_columns(
    base_rate=pl.lit(metrics["test_rate"]))
assert pairs.height == rows.height

NAMES = ["logistic_regression", "gradient_boosting", "base_rate"]
y = pl.col("label")
losses = pairs.with_columns(**{name: -(y * pl.col(name).log() + (1 - y) * (1 - pl.col(name)).log()) for name in NAMES})
table = pl.DataFrame([dict(zip(("model", "value", "low", "high"), (name, *clustered(losses, name)))) for name in NAMES])
difference, low, high = clustered(losses.with_columns(less=pl.col("gradient_boosting") - pl.col("logistic_regression")), "less")
for name in NAMES[:2]:
    assert table.filter(model=name)["high"].item() < table.filter(model="base_rate")["low"].item()
assert high - low < 0.5 * min(of["high"] - of["low"] for of in table.head(2).iter_rows(named=True)), "pairing tells more"
verdict = "trees are clearly better" if high < 0 else "trees are clearly worse" if low > 0 else "neither is clearly better"

bars = alt.Chart(table).encode(y=alt.Y("model:N", sort=NAMES, title=None, axis=alt.Axis(labelExpr="replace(datum.label, '_', ' ')")),
                               color=alt.condition(alt.datum.model == "base_rate", alt.value(GREY), alt.value(BLUE)))
(bars.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="log-loss on later days", scale=alt.Scale(zero=False)), x2="high:Q")
 + bars.mark_circle(size=80, opacity=1).encode(x="value:Q")).properties(width=460, height=110, title=alt.Title(
     f"Both beat the base rate by far; between the two, {verdict}",
     subtitle=f"trees minus logistic regression: {difference:+.4f} [{low:+.4f} {high:+.4f}], paired by household"))

# %% [markdown]
# Mark how much narrower the interval of the difference is than those of the two figures: without pairing, nothing could be told of
# differences this small. What can be read line by line, and is trained in a fraction of the time, has the benefit of the doubt: trees are
# chosen only if the whole interval lies on their side.
#
# The interval is over households, not over days: what was special about these few weeks was so for everybody, and it does not know. Before a
# choice that matters, grade more moments.

# %%
chosen = trees if high < 0 else logistic
print(f"chosen: {chosen['champion'].replace('_', ' ')}, {chosen['version']}")

# %% [markdown]
# ## Into service, and out again
#
# A version is the first twelve digits of the hash of `model.json`. That file holds no clock and no path: **the same data give the same
# version**, so training again tells at once whether anything changed.

# %%
again = workspace.run("train", *GOAL, *THEN)
assert again["version"] == logistic["version"]

# %% [markdown]
# The champion is what `score`, `plan` and `serve` take; it is a line of text, and a version gets the place by name:

# %%
workspace.run("models", "promote", *GOAL, chosen["version"])


def champion():
    return (workspace.root / "models" / "return_7d" / "champion").read_text().strip()


assert champion() == chosen["version"]

# %% [markdown]
# The months have passed: retrain on all there is. What `train` makes goes into service by itself when every line of the gate holds
# and it knows a later day than the champion. On rows that neither had seen it is held against the champion too.

# %%
retrained = workspace.run("train", *GOAL)
assert retrained["version"] not in (logistic["version"], trees["version"])
assert retrained["promoted"] and champion() == retrained["version"]
print(*(f"{line['name']}: {line['found']}" for line in retrained["gate"] if "champion" in line["name"]), sep="\n")

# %% [markdown]
# Suppose that something looks odd on Monday morning. The former champion comes back with one command; the model that it replaces is
# withdrawn, and stays findable.

# %%
back = workspace.run("models", "rollback", *GOAL)
assert champion() == back["champion"] == chosen["version"]

# %% [markdown]
# It was a false alarm:

# %%
workspace.run("models", "promote", *GOAL, retrained["version"])
assert champion() == retrained["version"]

# %% [markdown]
# A journal keeps who took whose place.

# %%
with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_width_chars=120):
    print(pl.DataFrame(workspace.run("models", "show", *GOAL)["journal"]).select("action", "from", "to"))
    print(pl.DataFrame([
        {"version": one["version"], "kind": one["kind"], "as of": one["as_of"][:10], "champion": "*" if one["champion"] else "",
         "log-loss": round(one["metrics"]["log_loss"]["value"], 4),
         "base rate": round(one["metrics"]["base_rate_log_loss"]["value"], 4), "AUC": round(one["metrics"]["auc"]["value"], 3)}
        for one in workspace.run("models", "list", *GOAL)["models"]]))

# %% [markdown]
# Beware of the last table: models of different moments were tested on different days, and some weeks are easier to foretell than
# others. That is why the comparison above graded both on the same days.
#
# A scheduler runs the chain as one line: `smartpush refresh --as-of T` takes files in, builds profiles, trains, asks the gate, promotes
# and plans; what is done stays done when it is asked again, and a refused model ends it with exit code 3.
#
# Next: [what another policy would have earned, and what if](3_off_policy_and_what_if.py).
