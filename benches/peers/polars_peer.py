"""The work of `smartpush ingest`, `profile` and `send-times`, written in Python polars.

    python polars_peer.py ingest DATA LAKE
    python polars_peer.py profile WORKSPACE AS_OF OUT
    python polars_peer.py send-times WORKSPACE AS_OF OUT

Prints one line of JSON: the seconds of the work, without starting Python and importing polars.

It is written for speed: sessions and quarters of an hour are grouped before anything dear is done
with them, and only the columns needed are read. It is given every user's zone, which smartpush has
to find for each user. It writes no manifest, hashes nothing and syncs nothing to disk.
"""

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

ZONE = "America/New_York"
UNIT = 2.0**32  # decayed weights are summed as whole multiples of 2^-32, as smartpush does
DAY = timedelta(days=1)
INTEREST_DAYS, RHYTHM_DAYS, FATIGUE_DAYS = 30, 90, 3
LONGEST_LIST = 20
RATE_PRIOR = 20.0

EVENT_COLUMNS = {
    "message_id": pl.String, "user_id": pl.String, "event": pl.String,
    "timestamp": pl.Datetime("us", "UTC"), "date_only": pl.Boolean, "time_zone": pl.String,
    "value": pl.Float64, "content_id": pl.String, "session_id": pl.String,
    "campaign_id": pl.String, "decision_id": pl.String, "channel": pl.String,
    "actor_id": pl.String, "properties": pl.String,
}
SESSION_COLUMNS = [
    "sessions_1d", "sessions_7d", "sessions_30d", "sessions_90d", "orders_30d", "orders_90d",
]
OWN = ~(pl.col("event").str.starts_with("push_") | (pl.col("event") == "campaign_targeted"))


def main():
    started = time.perf_counter()
    command, *arguments = sys.argv[1:]
    report = {"ingest": ingest, "profile": profile, "send-times": send_times}[command](*arguments)
    print(json.dumps({"seconds": time.perf_counter() - started, **(report or {})}))


# ── ingest ──────────────────────────────────────────────────────────────────────────────────────

def ingest(data, lake):
    """Both event files → one Parquet file per UTC day, sorted by user, time and id."""
    events = pl.concat([purchases(data), campaign_events(data)], how="diagonal")
    absent = [name for name in EVENT_COLUMNS if name not in events.collect_schema()]
    complete = events.filter(
        pl.all_horizontal(pl.col("user_id", "event", "timestamp", "message_id").is_not_null())
    ).collect(engine="streaming")
    # Twice as fast as unique(keep="first"), and the sort of each day alone as one sort of all.
    kept = complete.filter(pl.col("message_id").is_first_distinct()).with_columns(
        *(pl.lit(None, EVENT_COLUMNS[name]).alias(name) for name in absent),
        date=pl.col("timestamp").dt.date(),
    ).select(*EVENT_COLUMNS, "date")
    days = kept.partition_by("date", as_dict=True, include_key=False)
    for (date,), day in sorted(days.items()):
        folder = Path(lake) / f"date={date}"
        folder.mkdir(parents=True)
        ordered = day.sort("user_id", "timestamp", "message_id")
        ordered.write_parquet(folder / "part.parquet", compression="zstd")


def purchases(data):
    return pl.scan_parquet(Path(data) / "purchases.parquet").with_columns(date_only=pl.lit(False))


def campaign_events(data):
    midnight = pl.col("timestamp").str.to_date().cast(pl.Datetime("us"))
    return pl.scan_csv(Path(data) / "campaign_events.csv", infer_schema=False).with_columns(
        timestamp=midnight.dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC"),
        date_only=pl.lit(True),
    )


# ── profile ─────────────────────────────────────────────────────────────────────────────────────

def profile(workspace, as_of, out):
    """The lake and the declared tables → one row per user with all columns of smartpush's."""
    moment = parse(as_of)
    events = read_lake(workspace, [
        "user_id", "event", "timestamp", "date_only", "message_id", "content_id", "session_id",
        "value",
    ]).filter(pl.col("timestamp") < moment)
    users = declared_users(workspace)
    contents = pl.scan_parquet(Path(workspace) / "data/contents.parquet").select(
        "content_id", "category", "tags"
    )
    hours = active_hours(events, moment)
    weighed = content_weights(events, moment)
    parts = pl.collect_all([
        counts(events, moment), sessions(events, moment), activity(hours, moment),
        hours_of_week(hours, moment), lifecycle(hours, moment), recent_contents(weighed),
        interest(weighed, contents, pl.col("category"), "interest_categories"),
        interest(weighed, contents, pl.col("tags").str.split(";"), "interest_tags"),
    ], engine="streaming")
    table = users
    table = table.join(parts[0].lazy(), on="user_id", how="full", coalesce=True)
    for part in parts[1:]:
        table = table.join(part.lazy(), on="user_id", how="left")
    finish(table, moment).sort("user_id").collect().write_parquet(out, compression="zstd")


def counts(events, moment):
    """Everything that is a sum, a count or a last moment over single events."""
    own, stamp, name = OWN, pl.col("timestamp"), pl.col("event")

    def within(days):
        return stamp >= moment - days * DAY

    def count(names, days):
        return (name.is_in(names) & within(days)).sum().cast(pl.Int64)

    def last(condition):
        return days_since(stamp.filter(condition).max(), moment)

    opened, clicked = ["push_opened", "push_clicked"], ["push_clicked"]
    named = {
        "views": (["view"], (7, 30)), "clicks": (["click"], (7, 30)),
        "add_to_cart": (["add_to_cart"], (7, 30)), "purchases": (["purchase"], (7, 30, 90)),
        "campaigns": (["campaign_targeted"], (90,)), "pushes_sent": (["push_sent"], (7, 30)),
        "pushes_displayed": (["push_displayed"], (7, 30)), "pushes_opened": (opened, (7, 30)),
        "pushes_clicked": (clicked, (7, 30)), "pushes_dismissed": (["push_dismissed"], (7, 30)),
    }
    bought = name == "purchase"
    micros = (pl.col("value").fill_null(0.0) * 1e6).round().cast(pl.Int64)
    pushed = name.is_in(["push_sent", "push_delivered", "push_displayed"])
    fatigue = weight(stamp, moment, FATIGUE_DAYS).filter(name == "push_displayed").sum()
    return events.group_by("user_id").agg(
        last(own).alias("days_since_own_event"),
        last(pushed).alias("days_since_push"),
        last(name.is_in(opened)).alias("days_since_open"),
        last(bought).alias("days_since_purchase"),
        *((own & within(d)).sum().cast(pl.Int64).alias(f"events_{d}d") for d in (1, 7, 30, 90)),
        *(count(names, d).alias(f"{stem}_{d}d") for stem, (names, windows) in named.items()
          for d in windows),
        (fatigue / UNIT).alias("fatigue"),
        *((micros.filter(bought & within(d)).sum() / 1e6).alias(f"revenue_{d}d")
          for d in (30, 90)),
        (micros.filter(bought).sum() / 1e6).alias("revenue_total"),
        stamp.min().alias("first"),
    )


def sessions(events, moment):
    """Distinct sessions and orders; an order without a session is its own."""
    stamp, bought = pl.col("timestamp"), pl.col("event") == "purchase"
    recent = events.filter(OWN, stamp >= moment - 90 * DAY)
    grouped = recent.filter(pl.col("session_id").is_not_null() | bought).with_columns(
        key=pl.coalesce("session_id", "message_id"), loose=pl.col("session_id").is_null()
    ).group_by("user_id", "key", "loose").agg(
        last=stamp.max(), last_purchase=stamp.filter(bought).max()
    )
    is_session = ~pl.col("loose")
    return grouped.group_by("user_id").agg(
        *((is_session & (pl.col("last") >= moment - d * DAY)).sum().cast(pl.Int64)
          .alias(f"sessions_{d}d") for d in (1, 7, 30, 90)),
        *((pl.col("last_purchase") >= moment - d * DAY).sum().cast(pl.Int64)
          .alias(f"orders_{d}d") for d in (30, 90)),
    )


def active_hours(events, moment):
    """Distinct (user, local date, local hour) of own acts with a time of day, and the last act."""
    quarters = events.filter(OWN, ~pl.col("date_only"), pl.col("timestamp") < moment).group_by(
        "user_id", quarter=pl.col("timestamp").to_physical() // 900_000_000
    ).agg(last=pl.col("timestamp").max())
    local = pl.col("last").dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
    return quarters.group_by("user_id", hour=local.dt.truncate("1h")).agg(pl.col("last").max())


def activity(hours, moment):
    def within(days):
        return pl.col("last") >= moment - days * DAY

    last, date = pl.col("last"), pl.col("hour").dt.date()
    return hours.group_by("user_id").agg(
        *(date.filter(within(d)).n_unique().cast(pl.Int64).alias(f"active_days_{d}d")
          for d in (1, 7, 30, 90)),
        within(90).sum().cast(pl.Int64).alias("active_hours_90d"),
        *((weight(last, moment, d).sum() / UNIT).alias(f"activity_half_life_{d}d")
          for d in (1, 7, 30)),
    )


def hours_of_week(hours, moment):
    """168 decayed weights a user, Monday 00:00 first."""
    slot = hour_of_week().alias("slot")
    summed = hours.group_by("user_id", slot).agg(
        (weight(pl.col("last"), moment, RHYTHM_DAYS).sum() / UNIT).alias("weight")
    )
    return as_weeks(summed, "weight", 0.0, "hours_of_week")


def as_weeks(summed, column, nothing, name):
    grid = summed.select("user_id").unique().join(
        pl.LazyFrame({"slot": range(168)}, {"slot": pl.Int64}), how="cross"
    )
    full = grid.join(summed, on=["user_id", "slot"], how="left").with_columns(
        pl.col(column).fill_null(nothing)
    )
    return full.group_by("user_id").agg(pl.col(column).sort_by("slot").alias(name))


def lifecycle(hours, moment):
    gaps = hours.sort("user_id", "hour").with_columns(
        gap=pl.col("last") - pl.col("last").shift(1).over("user_id")
    )
    last = pl.col("last")
    moments = gaps.group_by("user_id").agg(
        first=last.min(), newest=last.max(), back=last.filter(pl.col("gap") > 90 * DAY).max()
    )

    def since(column, days):
        return pl.col(column) >= moment - days * DAY

    stage = pl.when(since("first", 30)).then(pl.lit("new")).when(since("back", 30)).then(
        pl.lit("returned")).when(since("newest", 30)).then(pl.lit("active")).when(
        since("newest", 90)).then(pl.lit("cooling")).otherwise(pl.lit("dormant"))
    return moments.select("user_id", lifecycle=stage)


def content_weights(events, moment):
    """Decayed weight and last moment by user and content, of own events."""
    stamp = pl.col("timestamp")
    return events.filter(OWN, pl.col("content_id").is_not_null()).group_by(
        "user_id", "content_id"
    ).agg(weight=weight(stamp, moment, INTEREST_DAYS).sum(), last=stamp.max())


def recent_contents(weighed):
    ordered = pl.col("content_id").sort_by("last", "content_id", descending=[True, False])
    return weighed.group_by("user_id").agg(recent_contents=ordered.head(LONGEST_LIST))


def interest(weighed, contents, names, column):
    """The names of the greatest weight, and each one's share of all."""
    share = column.removesuffix("s").replace("categorie", "category") + "_shares"
    named = contents.select("content_id", name=names).filter(pl.col("name").is_not_null())
    if column == "interest_tags":
        named = named.explode("name")
    summed = weighed.join(named, on="content_id").group_by("user_id", "name").agg(
        pl.col("weight").sum()
    )
    order = {"by": ["weight", "name"], "descending": [True, False]}
    total = pl.col("weight").sum().cast(pl.Float64)
    # A weight that rounded to nothing is not listed.
    return summed.group_by("user_id").agg(
        pl.col("name").filter(pl.col("weight") > 0)
        .sort_by(*(pl.col(by).filter(pl.col("weight") > 0) for by in order["by"]),
                 descending=order["descending"]).head(LONGEST_LIST).alias(column),
        (pl.col("weight").filter(pl.col("weight") > 0)
         .sort_by(*(pl.col(by).filter(pl.col("weight") > 0) for by in order["by"]),
                  descending=order["descending"]).head(LONGEST_LIST) / total).alias(share),
    )


def declared_users(workspace):
    users = pl.scan_parquet(Path(workspace) / "data/users.parquet")
    return users.select(
        "user_id", "time_zone", "locale", "country", "created_at",
        time_zone_source=pl.lit("declared"),
        platform=pl.col("attributes").str.json_path_match("$.platform"),
    )


def finish(table, moment):
    """Rates against the population's, tenure, and nothing where nobody was seen."""
    def rate(responses, pushes):
        population = pl.col(responses).sum() / pl.col(pushes).sum()
        smoothed = (pl.col(responses) + RATE_PRIOR * population) / (pl.col(pushes) + RATE_PRIOR)
        return pl.when(pl.col(pushes).sum() > 0).then(smoothed)

    signed_up = pl.when(pl.col("created_at") < moment).then(pl.col("created_at"))
    return table.with_columns(
        open_rate_30d=rate("pushes_opened_30d", "pushes_sent_30d"),
        click_rate_30d=rate("pushes_clicked_30d", "pushes_sent_30d"),
        dismiss_rate_30d=rate("pushes_dismissed_30d", "pushes_displayed_30d"),
        tenure_days=days_since(pl.coalesce(signed_up, "first"), moment),
        lifecycle=pl.col("lifecycle").fill_null("dormant"),
        **{name: pl.col(name).fill_null(0) for name in SESSION_COLUMNS},
    ).drop("created_at", "first")


# ── send-times ──────────────────────────────────────────────────────────────────────────────────

def send_times(workspace, as_of, out):
    """Active hours by user and hour of the week: what a curve is fitted to. Nothing is fitted."""
    moment = parse(as_of)
    events = read_lake(workspace, ["user_id", "event", "timestamp", "date_only"])
    counted = active_hours(events, moment).group_by(
        "user_id", hour_of_week().alias("slot")
    ).agg(pl.len().cast(pl.Int64).alias("count"))
    weeks = as_weeks(counted.collect(engine="streaming").lazy(), "count", 0, "counts")
    weeks.sort("user_id").collect().write_parquet(out, compression="zstd")


# ── shared ──────────────────────────────────────────────────────────────────────────────────────

def parse(as_of):
    return datetime.fromisoformat(as_of.replace("Z", "+00:00"))


def read_lake(workspace, columns):
    files = Path(workspace) / "data/events/date=*/*.parquet"
    return pl.scan_parquet(files, hive_partitioning=False).select(columns)


def days_since(stamp, moment):
    return (pl.lit(moment) - stamp).dt.total_microseconds() / 86_400_000_000


def weight(stamp, moment, half_life):
    """round(2^32 · 2^(−age / half-life)) as a whole number."""
    return (UNIT * (2.0 ** (-days_since(stamp, moment) / half_life))).round().cast(pl.Int64)


def hour_of_week():
    hour = pl.col("hour")
    return ((hour.dt.weekday().cast(pl.Int64) - 1) * 24 + hour.dt.hour()).cast(pl.Int64)


if __name__ == "__main__":
    main()
