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
    "The share that comes back within a week moves over the year",
    subtitle="a model is trained on older moments and measured on newer ones, as in service")
).mark_line(point=alt.OverlayMarkDef(size=25), color=BLUE).encode(
    x=alt.X("as_of:T", title="moment", axis=alt.Axis(format="%d %b", grid=False, labelAngle=0, tickCount=8)),
    y=alt.Y("rate:Q", title="share that returns", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
).properties(height=180)

# %% [markdown]
# ## Training
#
# We stand on 1 October 2017 and pretend not to know what comes after. `train` splits the examples by time: the oldest train, the next
# calibrate, the newest test, a label window apart. The **card** says what was measured on the test part, with 95 % intervals
# from drawing users. The line to beat is the *base rate*, which gives everybody the same probability.

# %%
THEN = ("--as-of", "2017-10-01")
logistic = workspace.run("train", *GOAL, *THEN)
metrics = logistic["metrics"]
for name in ("log_loss", "base_rate_log_loss", "auc", "ece"):
    print(f"{name:<20} {metrics[name]['value']:.4f}  [{metrics[name]['low']:.4f} {metrics[name]['high']:.4f}]")
assert metrics["log_loss"]["high"] < metrics["base_rate_log_loss"]["low"], "clearly better than the base rate"
assert metrics["auc"]["low"] > 0.5
assert logistic["promoted"]

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
# The card's figures come from the machine that made the model. Let us grade it ourselves: score everybody at moments *after*
# 1 October with the model of 1 October, and look up in the examples what they did. `score` computes inputs by the same
# function as training; the model knows nothing of those days.

# %%
DAYS = by_moment.filter(pl.col("as_of").dt.replace_time_zone(None) >= pl.datetime(2017, 10, 1))["as_of"]
MOMENTS = DAYS.gather_every(max(1, len(DAYS) // 6)).to_list()[:6]


def graded(version):
    """Propensities of later moments by a version, beside what happened."""
    parts = []
    for moment in MOMENTS:
        out = workspace.root / "propensity.parquet"
        workspace.run("score", *GOAL, "--model", version, "--as-of", f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}", "--out", out)
        parts.append(pl.read_parquet(out).with_columns(as_of=pl.lit(moment).cast(examples.schema["as_of"])))
    scores = pl.concat(parts)
    joined = scores.join(examples.select("user_id", "as_of", "label"), on=["user_id", "as_of"])
    assert joined.height == scores.height, "everybody who was scored has an answer"
    return joined.with_columns(label=pl.col("label").cast(pl.Float64))


rows = graded(logistic["version"])
print(f"{rows.height:,} propensities at {len(MOMENTS)} moments, {rows['label'].mean():.1%} came back")


def clustered(rows, value):
    """Mean of a column with its 95 % interval, rows of a user going together (linearised)."""
    mean, n = rows[value].mean(), rows.height
    off = rows.group_by("user_id").agg(((pl.col(value) - mean).sum() / n).alias("off"))["off"]
    half = 1.96 * math.sqrt((off ** 2).sum())
    return mean, mean - half, mean + half


bins = []
ranked = rows.sort("propensity", "user_id", "as_of").with_row_index("place").with_columns(
    bin=pl.col("place") * 10 // rows.height)
for (number,), part in ranked.group_by("bin", maintain_order=True):
    rate, low, high = clustered(part, "label")
    bins.append({"bin": number, "told": part["propensity"].mean(), "rate": rate, "low": max(low, 0), "high": min(high, 1)})
bins = pl.DataFrame(bins)
error = (bins["told"] - bins["rate"]).abs().mean()
held = bins.filter((pl.col("told") >= pl.col("low")) & (pl.col("told") <= pl.col("high"))).height
assert error < 0.05, error

share = {"axis": alt.Axis(format="%"), "scale": alt.Scale(domain=[0, 1])}
diagonal = alt.Chart(pl.DataFrame({"told": [0.0, 1.0], "rate": [0.0, 1.0]})).mark_line(color=GREY, strokeDash=[4, 4])
points = alt.Chart(bins).encode(x=alt.X("told:Q", title="probability that was told", **share))
alt.layer(
    diagonal.encode(x="told:Q", y="rate:Q"),
    points.mark_rule(color=BLUE, strokeWidth=2).encode(y=alt.Y("low:Q", title="share that came back", **share), y2="high:Q"),
    points.mark_circle(color=BLUE, size=60, opacity=1).encode(y="rate:Q"),
).properties(width=330, height=330, title=alt.Title(
    "What was told in October comes true in the months after",
    subtitle=[f"tenths of {rows.height:,} later propensities, 95 % intervals over users;",
              f"mean distance from the diagonal {error:.1%}"]))

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


falling = rows.sort("propensity", descending=True).with_columns(
    asked=pl.int_range(1, pl.len() + 1) / pl.len(), reached=pl.col("label").cum_sum() / pl.col("label").sum())
curve = falling.gather_every(max(1, rows.height // 200)).select("asked", "reached")
third = falling.filter(pl.col("asked") <= 1 / 3)["reached"].last()
assert auc(rows) > 0.6 and third > 1 / 3
gains = alt.Chart(curve).mark_line(color=BLUE, strokeWidth=2.5).encode(
    x=alt.X("asked:Q", title="households, the likeliest first", **share), y=alt.Y("reached:Q", title="of all that came back", **share))
alt.layer(diagonal.encode(x=alt.X("told:Q"), y=alt.Y("rate:Q")), gains).properties(width=330, height=270, title=alt.Title(
    f"The likeliest third holds {third:.0%} of those who come back", subtitle=f"AUC {auc(rows):.3f} on later days"))

# %% [markdown]
# ## What it looks at
#
# `model.json` is the whole model: inputs with mean, scale and weight, the calibration, the goal. **Which inputs move the answer most?**

# %%
model = json.loads((workspace.root / "models" / "return_7d" / logistic["version"] / "model.json").read_text())
weights = pl.DataFrame([{"input": f"{one['block']}.{one['name']}", "weight": one["weight"]} for one in model["inputs"]])
heaviest = weights.sort(pl.col("weight").abs(), descending=True).head(12)
alt.Chart(heaviest, title=alt.Title("What raises (blue) or lowers (orange) the odds of coming back",
                                    subtitle="logit of one standard deviation; inputs that tell the same share their weight")
).mark_bar().encode(
    y=alt.Y("input:N", sort=heaviest["input"].to_list(), title=None, axis=alt.Axis(labelLimit=260)),
    x=alt.X("weight:Q", title="weight"),
    color=alt.condition(alt.datum.weight > 0, alt.value(BLUE), alt.value(ORANGE)),
).properties(width=420, height=230)

# %% [markdown]
# ## Two methods side by side
#
# Would boosted trees do better? A method is a line of settings. **Two models can be compared only on the same rows**: both are
# trained as of the same moment (the hash of their examples says so), and graded on the same later days. As both make their
# mistakes on the same people, the difference is far surer than either figure.

# %%
trees_settings = workspace.write("trees.toml", SETTINGS.replace(
    "[goals", '[training]\nmethods = ["gradient_boosting"]\n\n[goals'))
trees = workspace.run("train", *GOAL, *THEN, "--config", trees_settings)
assert trees["champion"] == "gradient_boosting" and trees["version"] != logistic["version"]
assert trees["data_sha256"] == logistic["data_sha256"], "learned from the same examples"

KEYS = ["user_id", "as_of", "label"]
loss = lambda p: -(pl.col("label") * pl.col(p).log() + (1 - pl.col("label")) * (1 - pl.col(p)).log())
rate = logistic["metrics"]["test_rate"]
pairs = rows.rename({"propensity": logistic["champion"]}).join(
    graded(trees["version"]).rename({"propensity": "gradient_boosting"}), on=KEYS).with_columns(base_rate=pl.lit(rate))
assert pairs.height == rows.height
NAMES = [logistic["champion"], "gradient_boosting", "base_rate"]
losses = pairs.with_columns(**{name: loss(name) for name in NAMES})
table = pl.DataFrame([dict(zip(("model", "value", "low", "high"), (name, *clustered(losses, name)))) for name in NAMES])
difference, low, high = clustered(losses.with_columns(less=pl.col("gradient_boosting") - pl.col(NAMES[0])), "less")
for name in NAMES[:2]:
    assert table.filter(model=name)["high"].item() < table.filter(model="base_rate")["low"].item()

verdict = "neither is clearly better" if low < 0 < high else "trees are better" if high < 0 else "trees are worse"
bars = alt.Chart(table).encode(y=alt.Y("model:N", sort=NAMES, title=None, axis=alt.Axis(labelExpr="replace(datum.label, '_', ' ')")),
                               color=alt.condition(alt.datum.model == "base_rate", alt.value(GREY), alt.value(BLUE)))
(bars.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="log-loss on later days", scale=alt.Scale(zero=False)), x2="high:Q")
 + bars.mark_circle(size=80, opacity=1).encode(x="value:Q")).properties(width=460, height=110, title=alt.Title(
     f"Both beat the base rate by far; between the two, {verdict}",
     subtitle=f"trees minus {NAMES[0].replace('_', ' ')}: {difference:+.4f} [{low:+.4f} {high:+.4f}], paired by user"))

# %% [markdown]
# ## Into service, and out again
#
# A version is the first twelve digits of the hash of `model.json`. That file holds no clock and no path: **the same data give the same
# version**, so training again tells at once whether anything changed.

# %%
again = workspace.run("train", *GOAL, *THEN)
assert again["version"] == logistic["version"]

# %% [markdown]
# Now the months have passed: retrain on all there is. The champion is what `score`, `plan` and `serve` take; it is a line of
# text, and a journal keeps who took whose place.

# %%
retrained = workspace.run("train", *GOAL)
assert retrained["version"] not in (logistic["version"], trees["version"])
champion = lambda: (workspace.root / "models" / "return_7d" / "champion").read_text().strip()
assert champion() == retrained["version"]

# %% [markdown]
# Suppose that something looks odd on Monday morning. The former champion comes back with one command; the model that it replaces is
# withdrawn, and a bad one stays findable.

# %%
back = workspace.run("models", "rollback", *GOAL)
assert champion() == back["champion"] == logistic["version"]

# %% [markdown]
# It was a false alarm. A version is promoted by name:

# %%
workspace.run("models", "promote", *GOAL, retrained["version"])
assert champion() == retrained["version"]
with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=30):
    print(pl.DataFrame(workspace.run("models", "show", *GOAL)["journal"]).select("action", "from", "to"))
    print(pl.DataFrame([
        {"version": one["version"], "kind": one["kind"], "as of": one["as_of"][:10], "champion": "*" if one["champion"] else "",
         "log-loss": round(one["metrics"]["log_loss"]["value"], 4),
         "base rate": round(one["metrics"]["base_rate_log_loss"]["value"], 4), "AUC": round(one["metrics"]["auc"]["value"], 3)}
        for one in workspace.run("models", "list", *GOAL)["models"]]))

# %% [markdown]
# Beware of the last table: the models were tested on different days, and some weeks are easier to foretell than others. Log-losses of
# rows with different base rates are no contest; that is why the comparison above graded both on the same days.
#
# Next: [what another policy would have earned, and what if](3_off_policy_and_what_if.py).
