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
# # 3 · Off-policy and what if
#
# Two ways of asking "what would happen?" before anybody is pushed. *Off-policy evaluation* looks back: from what one policy did with
# known probabilities, and earned, it tells what another would have earned. *What if* looks ahead: the same campaigns planned
# under other rules.

# %%
import random

import altair as alt
import polars as pl

from guide import BLUE, GREEN, GREY, ORANGE, REPOSITORY, Workspace

workspace = Workspace("""
default_time_zone = "America/New_York"

[training]
most_days = 10  # the default of 28 takes longer, and this is a guide
""")
ESTIMATORS = ["ips", "snips", "dm", "dr", "switch_dr"]

# %% [markdown]
# ## A world whose truth is known
#
# An estimator can be trusted where it has been seen to find the truth, so we start in a made-up world where the truth can be worked
# out by hand: three kinds of people, four contents, and a probability of a click for each pair. The policy in service shows mostly what
# is popular; the one in question gives each kind of people what it likes best, nine times in ten.

# %%
CONTENTS = ["coffee", "deals", "news", "sports"]
PEOPLE = {  # share of the people, then the probability of a click on each content
    "early birds": (0.5, [0.12, 0.06, 0.08, 0.02]),
    "bargain hunters": (0.3, [0.02, 0.14, 0.02, 0.03]),
    "fans": (0.2, [0.02, 0.03, 0.05, 0.20]),
}
IN_SERVICE = {"early birds": [0.4, 0.3, 0.2, 0.1], "bargain hunters": [0.5, 0.2, 0.2, 0.1], "fans": [0.4, 0.3, 0.2, 0.1]}


def favourite(kind, share=0.9):
    clicks = PEOPLE[kind][1]
    rest = (1 - share) / (len(CONTENTS) - 1)
    return [share if click == max(clicks) else rest for click in clicks]


def value(policy):
    """What a policy truly earns a push."""
    return sum(share * sum(p * click for p, click in zip(policy[kind], clicks)) for kind, (share, clicks) in PEOPLE.items())


IN_QUESTION = {kind: favourite(kind) for kind in PEOPLE}
truth, in_service = value(IN_QUESTION), value(IN_SERVICE)
f"in truth a push earns {in_service:.4f} clicks in service, and would earn {truth:.4f}"

# %% [markdown]
# A **log** has a line a push: what was done, with what probability, and what came of it. Without the probability it would be worth
# nothing here; smartpush writes it into every decision. The **policy file** says how likely the policy in question is to choose each
# content in each row. Note that neither says who is an early bird: that was known to the policies and is not in the log.

# %%
def logged(seed, rows, policy):
    """A log of the policy in service, and what another policy would do in its rows, as the two files of the command."""
    draw = random.Random(seed)
    kinds = draw.choices(list(PEOPLE), [share for share, _ in PEOPLE.values()], k=rows)
    actions = [draw.choices(range(4), IN_SERVICE[kind])[0] for kind in kinds]
    clicks = [int(draw.random() < PEOPLE[kind][1][action]) for kind, action in zip(kinds, actions)]
    log, wanted = workspace.root / "log.csv", workspace.root / "policy.csv"
    pl.DataFrame({
        "item_id": [CONTENTS[action] for action in actions],
        "action_probability": [IN_SERVICE[kind][action] for kind, action in zip(kinds, actions)],
        "reward": clicks,
    }).write_csv(log)
    pl.DataFrame({
        "row": [row for row in range(rows) for _ in CONTENTS],
        "item_id": CONTENTS * rows,
        "probability": [p for kind in kinds for p in policy[kind]],
    }).write_csv(wanted)
    return log, wanted


def evaluated(log, wanted):
    return workspace.run("evaluate-policy", log, "--policy", wanted, "--draws", "200")


ROWS, LOGS = 4_000, 12
estimates = []
for seed in range(LOGS):
    report = evaluated(*logged(seed, ROWS, IN_QUESTION))
    estimates += [{"log": seed + 1, "estimator": name, **{key: report["estimators"][name][key] for key in ("value", "low", "high")}}
                  for name in ESTIMATORS]
estimates = pl.DataFrame(estimates).with_columns(
    holds=(pl.col("low") <= truth) & (truth <= pl.col("high")), off=pl.col("value") - truth)

# %% [markdown]
# **Do the estimators find the truth?** Each line is one log of 4,000 pushes, with its 95 % interval; the orange line is the truth. Of
# twelve such intervals one or two may miss it.

# %%
summary = estimates.group_by("estimator", maintain_order=True).agg(
    held=pl.col("holds").sum(), off=pl.col("off").mean(), width=(pl.col("high") - pl.col("low")).mean())
for name in ("ips", "snips", "dr", "switch_dr"):
    assert summary.filter(estimator=name)["held"].item() >= LOGS - 2, name
bias = dict(summary.select("estimator", "off").iter_rows())
assert abs(bias["dm"]) > 5 * abs(bias["dr"]) and summary.filter(estimator="dm")["held"].item() < LOGS / 2

base = alt.Chart().encode(x=alt.X("log:O", title=None, axis=alt.Axis(labels=False, ticks=False)))
line = alt.Chart().mark_rule(color=ORANGE, strokeWidth=2).encode(y=alt.datum(truth))
alt.layer(
    base.mark_rule(strokeWidth=2, color=BLUE).encode(
        y=alt.Y("low:Q", title="clicks a push", scale=alt.Scale(zero=False), axis=alt.Axis(format=".2f")), y2="high:Q"),
    base.mark_circle(size=30, color=BLUE, opacity=1).encode(y="value:Q"),
    line,
    data=estimates,
).properties(width=125, height=220).facet(
    column=alt.Column("estimator:N", sort=ESTIMATORS, title=None),
    title=alt.Title("The weighted estimators find the truth; the reward model alone (dm) misses it",
                    subtitle=f"{LOGS} logs of {ROWS:,} pushes each, made by the policy in service"))

# %% [markdown]
# `dm` is the steadiest and wrong: its reward model, the mean of each content, cannot see that fans love sports. `dr` uses the same model
# and corrects it by weighted rows; it is the one to go by. **A narrow interval is no proof of being right.**

# %%
with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, float_precision=4):
    print(summary.rename({"held": f"holds it, of {LOGS}", "off": "mean error", "width": "mean width"}))

# %% [markdown]
# ## How far from the log may a policy go?
#
# **What does it cost to ask about a policy that does other things than the log?** Let the policy in question move from the one in service
# to always giving people their favourite. The *effective sample size* says how many rows logged by the policy itself would tell
# as much.

# %%
steps = []
for percent in (0, 20, 40, 60, 80, 100):
    share = percent / 100
    policy = {kind: [(1 - share) * p + share * q for p, q in zip(IN_SERVICE[kind], favourite(kind, 1.0))] for kind in PEOPLE}
    report = evaluated(*logged(99, ROWS, policy))
    steps.append({"moved": share, "truth": value(policy), "size": report["effective_sample_size"] / ROWS,
                  **{key: report["estimators"]["dr"][key] for key in ("value", "low", "high")}})
steps = pl.DataFrame(steps)
assert steps["size"].is_sorted(descending=True) and steps["size"][0] > 0.999
assert steps.select(((pl.col("low") <= pl.col("truth")) & (pl.col("truth") <= pl.col("high"))).all()).item()

moved = alt.X("moved:Q", title="moved from the policy in service to favourites only", axis=alt.Axis(format="%"))
chart = alt.Chart(steps).encode(x=moved)
alt.hconcat(
    alt.layer(
        chart.mark_area(opacity=0.25, color=BLUE).encode(
            y=alt.Y("low:Q", title="clicks a push", scale=alt.Scale(zero=False)), y2="high:Q"),
        chart.mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE)).encode(y="value:Q"),
        chart.mark_line(color=ORANGE, strokeDash=[5, 4]).encode(y="truth:Q"),
    ).properties(width=300, height=200, title=alt.Title("dr with its interval; dashed: the truth", fontSize=12)),
    chart.mark_line(color=GREEN, point=alt.OverlayMarkDef(color=GREEN)).encode(
        y=alt.Y("size:Q", title="effective sample size ÷ rows", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    ).properties(width=300, height=200, title=alt.Title("how much the log still tells", fontSize=12)),
).properties(title=f"The farther a policy goes from the log, the less the log knows of it: {steps['size'][-1]:.0%} in the end")

# %% [markdown]
# And what the log could *never* have chosen, it knows nothing of. That is refused by name rather than extrapolated:

# %%
log, _ = logged(99, ROWS, IN_SERVICE)
wanted = workspace.write("never.csv", "item_id,probability\nnews,0.5\nweather,0.5\n")
refused = workspace.run("evaluate-policy", log, "--policy", wanted, exits=2)
assert refused["error"].startswith("missing_support")
refused["error"]

# %% [markdown]
# ## A log from service
#
# The Open Bandit Dataset has 10,000 impressions of a fashion shop's front page, chosen evenly at random, for each of three campaigns.
# **Would Bernoulli Thompson sampling, which learned from clicks, have earned more?** Here nobody knows the truth, and clicks are rare.

# %%
OFF_POLICY = REPOSITORY / "tests" / "data" / "off_policy"
shop, sizes = [], []
for campaign in ("all", "men", "women"):
    report = workspace.run("evaluate-policy", OFF_POLICY / f"obd_random_{campaign}.csv.gz",
                           "--policy", OFF_POLICY / f"obd_bts_{campaign}_action_probabilities.csv")
    sizes.append(report["effective_sample_size"] / report["rows"])
    shop.append({"campaign": campaign, "policy": "at random (logged)", **report["on_policy"]})
    shop += [{"campaign": campaign, "policy": f"Thompson, by {name}", **report["estimators"][name]}
             for name in ("snips", "dr")]
    shop[-1]["difference"] = report["estimators"]["dr"]["difference"]
gains = {row["campaign"]: row["difference"] for row in shop if "difference" in row}
clear = [campaign for campaign, gain in gains.items() if gain["low"] > 0 or gain["high"] < 0]
shop = pl.DataFrame([{key: row[key] for key in ("campaign", "policy", "value", "low", "high")} for row in shop])
for campaign in gains:
    print(f"{campaign:<6} Thompson less random, by dr: {gains[campaign]['value']:+.4f} "
          f"[{gains[campaign]['low']:+.4f} {gains[campaign]['high']:+.4f}]")

POLICIES = ["at random (logged)", "Thompson, by snips", "Thompson, by dr"]
base = alt.Chart(shop).encode(
    y=alt.Y("policy:N", sort=POLICIES, title=None, axis=alt.Axis(labelLimit=200)),
    color=alt.condition(alt.datum.policy == POLICIES[0], alt.value(GREY), alt.value(BLUE)))
alt.layer(
    base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="clicks an impression", axis=alt.Axis(format=".1%")), x2="high:Q"),
    base.mark_circle(size=60, opacity=1).encode(x="value:Q"),
).properties(width=170, height=80).facet(column=alt.Column("campaign:N", title=None), title=alt.Title(
    "Ten thousand impressions with few clicks do not settle it" if not clear else f"A clear difference for: {', '.join(clear)}",
    subtitle=f"95 % intervals; effective sample size {min(sizes):.0%} to {max(sizes):.0%} of the rows"))

# %% [markdown]
# An honest "we cannot tell yet" is worth having before a change goes live: it says how much more to log, or to try the policy on
# a share of the traffic. Your own decisions are such a log as soon as they explore (`decisions.exploration_percent`):
# `smartpush outcomes` writes them, `smartpush evaluate-policy data/decisions --policy contents.csv` reads them.
#
# ## What if
#
# Looking ahead: two campaigns want to reach the sample's households in the next 24 hours. The sale may send 60 messages, one a minute;
# the newsletter goes to everybody, two a minute. A plan gives each message a minute, so that no rule is broken and as much as possible is
# worth it. It also says how far it can lie below the best plan there is.

# %%
workspace.take_sample()
workspace.run("train", "--goal", "engage_24h")
campaigns = workspace.write("campaigns.jsonl", """\
{"campaign_id":"spring-sale","status":"running","throttle_per_minute":1,"max_sends":60}
{"campaign_id":"newsletter","status":"running","throttle_per_minute":2,"priority":0.8}
""")
workspace.run("ingest", "--kind", "campaigns", campaigns)
WHAT_IFS = {"cap=1/day": "one push a day", "quiet=21:00-09:00": "quiet from 21:00 to 09:00", "without=newsletter": "without the newsletter"}
plan = workspace.run("plan", "--campaigns", "spring-sale,newsletter", *(part for change in WHAT_IFS for part in ("--what-if", change)))
sale, newsletter = plan["campaigns"]
assert sale["sends"] <= 60 and sale["busiest_minute_after"] <= 1 and newsletter["busiest_minute_after"] <= 2
assert 0 <= plan["gap"] < 0.05, "not far below the best plan there can be"

# %% [markdown]
# **What does a plan change about the day?** If everybody were pushed at the start of his own best hour, whole crowds would be pushed in the
# same minute. The plan keeps to the throttle and moves as few people as it can.

# %%
load = plan["load"]
start = pl.Series([load["from"]]).str.to_datetime(time_zone="UTC", time_unit="us").dt.convert_time_zone("America/New_York")[0]
hours = pl.DataFrame({
    "hour": range(len(load["per_hour_before"])), "as wished": load["per_hour_before"], "as planned": load["per_hour_after"],
}).with_columns(at=pl.lit(start).dt.truncate("1h") + pl.duration(hours="hour")).with_columns(
    label=pl.col("at").dt.strftime("%a %H:00")).unpivot(
    on=["as wished", "as planned"], index=["hour", "label"], variable_name="load", value_name="pushes")
labels = hours.unique("hour").sort("hour")["label"].to_list()
alt.Chart(hours, title=alt.Title(
    f"The busiest minute falls from {load['busiest_minute_before']} pushes to {load['busiest_minute_after']}",
    subtitle="pushes an hour, New York time")
).mark_bar().encode(
    x=alt.X("label:O", sort=labels, title=None, axis=alt.Axis(labelAngle=-45)), y=alt.Y("pushes:Q", title="pushes"),
    color=alt.Color("load:N", legend=None, scale=alt.Scale(domain=["as wished", "as planned"], range=[GREY, BLUE])),
    row=alt.Row("load:N", sort=["as wished", "as planned"], title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
).properties(height=90, width=560)

# %% [markdown]
# **And what would a stricter rule cost?** Each scenario is planned in full; nothing of it is logged or sent. The bars are what the
# plan should bring, with bounds that hold 95 % of outcomes and what the model cannot know of its own level.

# %%
def scenario(name, of):
    return {"scenario": name, "sends": of["sends"], "worth": of["value"], **of["goal_events"]}


rows = [scenario("as planned", {**plan["expected"], "value": plan["value"]})]
rows += [scenario(WHAT_IFS[of["name"]], of) for of in plan["what_if"]]
scenarios = pl.DataFrame(rows)
worth = dict(scenarios.select("scenario", "worth").iter_rows())
slack = 1 + plan["gap"]  # a plan is the best there is but for its gap
assert all(of <= worth["as planned"] * slack for of in worth.values()), "more rules or less to send are never worth more"
price = 1 - worth["one push a day"] / worth["as planned"]
sent = dict(scenarios.select("scenario", "sends").iter_rows())
assert sent["one push a day"] > 0.95 * sent["as planned"]

order = scenarios["scenario"].to_list()
base = alt.Chart(scenarios).encode(y=alt.Y("scenario:N", sort=order, title=None, axis=alt.Axis(labelLimit=200)))
(base.mark_bar(size=16, opacity=0.8).encode(
    x=alt.X("value:Q", title="expected engagements with what was sent"),
    color=alt.condition(alt.datum.scenario == "as planned", alt.value(BLUE), alt.value(GREY)))
 + base.mark_rule(strokeWidth=2, color="#333").encode(x="low:Q", x2="high:Q")
 + base.mark_text(align="left", dx=6, color="#333").encode(x="high:Q", text="label:N").transform_calculate(
     label="datum.sends + ' sent'")).properties(width=480, height=150, title=alt.Title(
    f"A second push a day is worth {price:.0%} of the plan", subtitle="expected goal events with bounds"))

# %% [markdown]
# Under a cap of one push a day the two campaigns compete for one place in everybody's day, so the plan sends about as many messages
# and they are worth less. Whether the quieter day is worth that price is not the plan's to say; what it costs, is.
