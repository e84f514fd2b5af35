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
# # 1 · Rhythms and profiles
#
# What does smartpush know of a user, and when is he there? Everything below reads files that the commands wrote: Parquet
# with any Parquet reader, here Python polars. Nothing needs smartpush's source.
#
# The data are a year of purchases of 865 households at a grocery chain (`data/sample`, which says where they come from). A
# visit to a shop stands in for opening an app: what matters is that people come at hours of their own.
#
# Sentences that the data must bear out are followed by an `assert`. If one day they are wrong, this notebook fails.

# %%
import json

import altair as alt
import polars as pl

from guide import BLUE, GREEN, GREY, ORANGE, Workspace

workspace = Workspace('default_time_zone = "America/New_York"')
counts = workspace.take_sample()
assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
assert counts["rejected"] == 0
f"{counts['accepted']:,} events of {counts['read']:,} read"

# %% [markdown]
# ## Whose clock?
#
# The stamps are UTC; the people live in New York. **At what hour do they shop?** Read as they are written, the stamps say in
# the middle of the night.
#
# The lake is a directory of Parquet files by UTC day. Only the files that `_manifest.json` lists are part of it.

# %%
events = workspace.root / "data" / "events"
manifest = json.loads((events / "_manifest.json").read_text())
lake = pl.read_parquet([events / file["path"] for file in manifest["files"]], missing_columns="insert")
assert lake.height == manifest["rows"] == counts["accepted"]

purchases = lake.filter(pl.col("event") == "purchase").select(
    as_stamped=pl.col("timestamp").dt.hour(),
    on_their_clock=pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.hour(),
)
clocks = pl.concat([
    purchases[column].alias("hour").value_counts().with_columns(
        clock=pl.lit(label), share=pl.col("count") / purchases.height)
    for column, label in (("as_stamped", "as stamped (UTC)"), ("on_their_clock", "on their own clock"))
])
peaks = dict(clocks.sort("share").group_by("clock").agg(pl.col("hour").last()).iter_rows())
assert peaks == {"as stamped (UTC)": 22, "on their own clock": 17}

HOURS = alt.Axis(values=list(range(0, 24, 3)), labelExpr="(datum.value < 10 ? '0' : '') + datum.value + ':00'",
                 labelAngle=0, grid=False)
alt.Chart(clocks, title="Read as stamped, shopping seems to peak at 22:00; on people's own clocks it peaks at 17:00").mark_line(
    interpolate="monotone", strokeWidth=2.5
).encode(
    x=alt.X("hour:Q", axis=HOURS, title="hour of day", scale=alt.Scale(domain=[0, 23], nice=False)),
    y=alt.Y("share:Q", axis=alt.Axis(format="%"), title="share of purchase lines"),
    color=alt.Color("clock:N", title=None, scale=alt.Scale(range=[ORANGE, BLUE]), legend=alt.Legend(orient="top-left")),
)

# %% [markdown]
# A campaign timed by the orange line would ring at ten in the evening. Hence smartpush reads every event on its user's clock
# (his declared zone, else his device's, else `default_time_zone`), and refuses a stamp of which it cannot say what instant
# it means.
#
# ## What a profile holds
#
# `smartpush profile` writes one row a user, *as of* a moment: events before it count, later ones change nothing.
# **What does a row hold?** The command says so itself.

# %%
profile = workspace.run("profile")
features = pl.DataFrame(workspace.run("profile", "--features")["features"])
profiles = pl.read_parquet(profile["path"] if profile["path"].startswith("/") else workspace.root / profile["path"])
assert profiles.height == profile["rows"] == profiles["user_id"].n_unique()
assert set(features["name"]) <= set(profiles.columns), "every feature is a column"

household = profiles.filter(pl.col("user_id") == "1510")
as_text = {name: household[name].to_list()[0] for name in features["name"]}
shown = ["days_since_own_event", "sessions_30d", "active_days_90d", "activity_half_life_7d", "orders_90d", "revenue_90d",
         "interest_categories", "interest_category_shares", "campaigns_90d", "time_zone", "tenure_days", "lifecycle"]
with pl.Config(tbl_rows=-1, tbl_width_chars=130, fmt_str_lengths=70, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
    print(features.filter(pl.col("name").is_in(shown)).select(
        "name",
        pl.col("name").map_elements(
            lambda name: ", ".join(f"{item:.2f}" if isinstance(item, float) else str(item) for item in value[:3])
            if isinstance(value := as_text[name], list) else f"{value:.2f}" if isinstance(value, float) else str(value),
            return_dtype=pl.String).alias("household 1510"),
        "unit", "description"))

# %% [markdown]
# ### The week as people live it
#
# One of the columns, `hours_of_week`, holds 168 numbers: a user's active hours by hour of his week (0 = Monday 00:00, 167 =
# Sunday 23:00), older ones counting less. However much he buys in an hour, it is one active hour: rhythm is about *when*, not how
# much. **When is everybody there?** The sum over all users:

# %%
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
own_hours = profiles.select("user_id", hour_of_week=pl.lit(list(range(168))), active="hours_of_week").explode(
    "hour_of_week", "active")
week = own_hours.group_by("hour_of_week").agg(pl.col("active").sum()).sort("hour_of_week").with_columns(
    day=pl.col("hour_of_week").floordiv(24).replace_strict(dict(enumerate(DAYS))),
    hour=pl.col("hour_of_week") % 24,
    share=pl.col("active") / pl.col("active").sum(),
)
by_day = dict(week.group_by("day").agg(pl.col("share").sum()).iter_rows())
weekend = by_day["Sat"] + by_day["Sun"]
assert weekend > 2 / 7, "more than two days' share"
before_three = week.group_by(weekend=pl.col("day").is_in(["Sat", "Sun"])).agg(
    early=pl.col("share").filter(pl.col("hour") < 15).sum() / pl.col("share").sum()).sort("weekend")["early"]
assert before_three[1] > before_three[0], "earlier in the day"

alt.Chart(week, title=alt.Title(
    "The weekend is busier, and starts earlier in the day",
    subtitle=f"{weekend:.0%} of all active hours are on two of the seven days; "
             f"before 15:00 lie {before_three[1]:.0%} of the weekend's, {before_three[0]:.0%} of the other days'")
).mark_rect().encode(
    x=alt.X("hour:O", title="hour of day", axis=alt.Axis(labelAngle=0)),
    y=alt.Y("day:O", sort=DAYS, title=None),
    color=alt.Color("share:Q", scale=alt.Scale(scheme="blues"), title="share", legend=alt.Legend(format=".1%")),
).properties(width=620, height=190)

# %% [markdown]
# ## One user's curve
#
# A send-time curve says of each hour of a user's week what share of his activity falls into it. **How sure can it be?** That
# depends on how much is known of him. Household 1510 came by in hundreds of hours, household 2306 in one.
#
# `send-times` writes 168 rows a user: `probability`, the ends of its 90 % interval, `evidence` (active hours, older ones counting
# less), `shrinkage` (how much of the curve is other people's), and the `level` that speaks most.

# %%
workspace.run("send-times", "--out", workspace.root / "curves.parquet")
curves = pl.read_parquet(workspace.root / "curves.parquet")
assert curves.group_by("user_id").agg(pl.col("probability").sum())["probability"].is_between(1 - 1e-9, 1 + 1e-9).all()
assert (curves["low"] <= curves["probability"]).all() and (curves["probability"] <= curves["high"]).all()

two = curves.join(own_hours, on=["user_id", "hour_of_week"]).filter(pl.col("user_id").is_in(["1510", "2306"])).with_columns(
    raw=pl.col("active") / pl.col("active").sum().over("user_id"))


def week_of(user_id, title):
    """A household's raw histogram as bars, the curve with its interval above them."""
    own = two.filter(pl.col("user_id") == user_id)
    day = alt.Axis(values=list(range(0, 168, 24)), grid=True, title=None,
                   labelExpr=f"{json.dumps(DAYS)}[datum.value / 24]", labelAlign="left")
    x = alt.X("hour_of_week:Q", axis=day, scale=alt.Scale(domain=[0, 168], nice=False))
    most = 1.15 * max(own["high"].max(), own["probability"].max())
    y = alt.Y("share:Q", axis=alt.Axis(format=".0%", minExtent=32), title="share of its activity",
              scale=alt.Scale(domain=[0, most], clamp=True, nice=False))
    base = alt.Chart(own.with_columns(end=pl.col("hour_of_week") + 1))
    bars = base.mark_bar(color=GREY, opacity=0.45).encode(x=x, x2="end:Q", y=y, y2=alt.datum(0)).transform_calculate(share="datum.raw")
    band = base.mark_area(color=BLUE, opacity=0.25, interpolate="monotone").encode(x=x, y="low:Q", y2="high:Q")
    line = base.mark_line(color=BLUE, interpolate="monotone", strokeWidth=2).encode(x=x, y="probability:Q")
    first = own.row(0, named=True)
    subtitle = f"evidence {first['evidence']:.1f} active hours; {1 - first['shrinkage']:.0%} of the curve is its own history"
    return alt.layer(bars, band, line).properties(
        width=720, height=150, title=alt.Title(title, subtitle=subtitle))


evidence = dict(two.group_by("user_id").agg(pl.col("evidence").first()).iter_rows())
assert evidence["1510"] > 100 * evidence["2306"]
alt.vconcat(
    week_of("1510", "With a rich history the curve follows it, and leaves out its accidents"),
    week_of("2306", "With one visit the curve is what people like it do: the visit is no habit yet"),
).properties(title=alt.Title("Bars: raw histogram. Line and band: the curve with its 90 % interval", fontSize=12, fontWeight="normal"))

# %% [markdown]
# The bar of the second household runs off the picture: of one visit, a raw histogram makes a certainty. Tools that serve the
# hour with the highest bar do just that.
#
# **How much history does it take to be taken at one's word?** Each point is a household.

# %%
users = curves.group_by("user_id").agg(pl.col("evidence", "shrinkage", "level").first()).sort("user_id")
little, much = (users.filter(condition)["shrinkage"].mean() for condition in (pl.col("evidence") < 3, pl.col("evidence") > 100))
assert little > 0.6 and much < 0.3, (little, much)
LEVELS = {"user": "his own history", "rhythm_group": "his rhythm group", "global": "everybody"}
levels = [LEVELS[level] for level in LEVELS if level in users["level"].unique()]
alt.Chart(users.with_columns(level=pl.col("level").replace(LEVELS), evidence=pl.col("evidence").clip(0.1)),
          title=alt.Title("The more is known of a household, the less its curve borrows from others",
                          subtitle=f"borrowed on average: {little:.0%} below 3 active hours, {much:.0%} above 100")
).mark_circle(size=28, opacity=0.55).encode(
    x=alt.X("evidence:Q", scale=alt.Scale(type="log"), title="evidence: active hours, older ones counting less",
            axis=alt.Axis(values=[0.1, 0.3, 1, 3, 10, 30, 100, 300], format="~g")),
    y=alt.Y("shrinkage:Q", axis=alt.Axis(format="%"), title="share of the curve that is borrowed"),
    color=alt.Color("level:N", title="what speaks most", sort=levels, scale=alt.Scale(domain=levels, range=[BLUE, ORANGE, GREY])),
)

# %% [markdown]
# ## Rhythm groups
#
# What does somebody borrow whose own history is short? Not everybody's curve at once, but that of people of like rhythm. These
# groups are learned from the curves themselves (a mixture, fitted by EM); nobody belongs to one for certain. **Are there such
# groups at all?** Every row is one household (every fifth is shown), ordered by the middle of its day, which begins at 04:00.

# %%
days = curves.with_columns(hour=pl.col("hour_of_week") % 24).group_by("user_id", "hour").agg(pl.col("probability").sum())
middle = days.sort("user_id", "hour").group_by("user_id", maintain_order=True).agg(
    middle=4 + (pl.col("probability") * ((pl.col("hour") - 4) % 24)).sum(), best=pl.col("hour").get(pl.col("probability").arg_max()))
rows = middle.sort("middle", "user_id").with_row_index("place").gather_every(5).join(days, on="user_id")
before_noon, evening, night = (
    middle.filter(condition).height / middle.height
    for condition in (pl.col("best") < 12, pl.col("best").is_between(16, 19), (pl.col("best") >= 22) | (pl.col("best") < 4)))
assert evening > before_noon > night > 0
alt.Chart(rows, title=alt.Title(
    "Some households come in the morning, many after work, a few at night",
    subtitle=f"best hour before noon {before_noon:.0%}, between 16:00 and 20:00 {evening:.0%}, between 22:00 and 04:00 {night:.1%}")
).mark_rect().encode(
    x=alt.X("hour:O", title="hour of day", axis=alt.Axis(labelAngle=0), sort=[(4 + hour) % 24 for hour in range(24)]),
    y=alt.Y("place:O", title="households, early to late", axis=alt.Axis(labels=False, ticks=False)),
    color=alt.Color("probability:Q", scale=alt.Scale(scheme="blues", domain=[0, 0.2], clamp=True), title="share",
                    legend=alt.Legend(format=".0%")),
).properties(width=520, height=340)

# %% [markdown]
# ## Does it foretell anything?
#
# A pretty curve is no proof. `evaluate` learns from what came before a cut and looks at the days after it. **Does a household come at
# its predicted hour, and how surprising are the hours at which it does come?** Beside smartpush stand the ways that others
# go about it; `raw_histogram` is the common one.

# %%
report = workspace.run("evaluate", "--only", "send-time")
MODELS = ["smartpush", "empirical_bayes", "laplace", "raw_histogram", "global", "uniform"]
METRICS = {"hit_at_1": "came at the predicted hour (larger is better)",
           "ll24": "surprise at the hour of a visit, nats (smaller is better)"}
scores = pl.DataFrame([
    {"model": "smartpush" if model == "model" else model, "metric": text, **figures[metric]}
    for model, figures in report["send_time"].items() for metric, text in METRICS.items()
])
for baseline, figures in report["send_time_differences"].items():
    assert figures["hit_at_1"]["low"] > 0, f"more hits than {baseline}"
    assert figures["ll24"]["high"] < 0, f"less surprised than {baseline}"


def compared(metric):
    ours = alt.condition(alt.datum.model == "smartpush", alt.value(BLUE), alt.value(GREY))
    base = alt.Chart(scores.filter(pl.col("metric") == metric)).encode(y=alt.Y("model:N", sort=MODELS, title=None), color=ours)
    x = alt.X("low:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    return (base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
            + base.mark_circle(size=70, opacity=1).encode(x="value:Q")).properties(width=290, height=150)


n = report["users"]
alt.hconcat(*(compared(metric) for metric in METRICS.values())).properties(title=alt.Title(
    "On days it had not seen, smartpush meets more visits and is surprised less",
    subtitle=f"{n} households, 95 % intervals by drawing households with replacement"))

# %% [markdown]
# The raw histogram is not much worse at naming one hour, and by far the worst at saying how likely the others are: it gives zero to
# hours that come all the same. Whoever must choose *between* hours, because of quiet hours, throttles or an expiry,
# chooses by those probabilities.
#
# ## What a marketer gains
#
# **If each household is pushed at its own best hour, what does the day look like?** One hour for all would send everything at
# once, and to most at an hour that is not theirs.

# %%
best = middle.group_by("best").len("households").sort("best")
all_at = int(curves.with_columns(hour=pl.col("hour_of_week") % 24).group_by("hour").agg(pl.col("probability").sum())
             .sort("probability")["hour"].last())
elsewhere = 1 - best.filter(pl.col("best") == all_at)["households"].sum() / middle.height
ours, theirs = (report["send_time"][model]["hit_at_1"]["value"] for model in ("model", "global"))
assert elsewhere > 0.5 and ours > theirs
alt.Chart(best, title=alt.Title(
    f"{elsewhere:.0%} of the households have their best hour at another time than {all_at}:00",
    subtitle=f"at its own best hour {ours:.0%} of households came by, at one hour for all {theirs:.0%}")
).mark_bar().encode(
    x=alt.X("best:O", title="best hour of day", axis=alt.Axis(labelAngle=0), scale=alt.Scale(domain=list(range(24)))),
    y=alt.Y("households:Q", title="households"),
    color=alt.condition(alt.datum.best == all_at, alt.value(ORANGE), alt.value(BLUE)),
).properties(height=200)

# %% [markdown]
# And **who should be pushed at all?** The profile knows where each household stands; a campaign to win somebody back is about others
# than one to say thanks.

# %%
stages = pl.DataFrame({"lifecycle": list(profile["lifecycle"]), "households": list(profile["lifecycle"].values())})
assert stages["households"].sum() == profiles.height
ORDER = ["new", "active", "returned", "cooling", "dormant"]
bars = alt.Chart(stages, title="Most households are active; one in six is cooling or dormant").encode(
    y=alt.Y("lifecycle:N", sort=ORDER, title=None), x=alt.X("households:Q"))
away = stages.filter(pl.col("lifecycle").is_in(["cooling", "dormant"]))["households"].sum() / profiles.height
assert 0.14 < away < 0.19, away
(bars.mark_bar(color=GREEN) + bars.mark_text(align="left", dx=4).encode(text="households:Q")).properties(height=130)

# %% [markdown]
# New: first seen within 30 days. Active: seen within 30. Returned: back after more than 90. Cooling: not seen for 30 to 90.
# Dormant: for longer.
#
# Next: [what a model foretells, and which one is trusted](2_retrain_calibrate_promote.py).
