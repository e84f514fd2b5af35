"""Recomputes features of a profile table with Python polars from the files that were ingested, and compares.

    python benches/check_profiles.py WORKSPACE [FILES]

WORKSPACE holds profiles that `smartpush profile` wrote; FILES (default data/sample) holds the purchases.parquet and
campaign_events.csv that were ingested, all users on America/New_York clocks. Needs polars with its time zones.
Prints each feature's largest difference, and the time that polars took to read, aggregate and join.
"""

import datetime
import pathlib
import sys
import time

import polars as pl

DAY = datetime.timedelta(days=1)
ZONE = "America/New_York"


def newest_profiles(workspace: pathlib.Path) -> tuple[pl.DataFrame, datetime.datetime]:
    directory = max((workspace / "data/profiles").glob("as_of=*"))
    stamp = directory.name.removeprefix("as_of=")
    as_of = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=datetime.UTC)
    return pl.read_parquet(directory / "profiles.parquet"), as_of


def events_before(files: pathlib.Path, as_of: datetime.datetime) -> pl.LazyFrame:
    purchases = pl.scan_parquet(files / "purchases.parquet").with_columns(date_only=pl.lit(False))
    dated = pl.scan_csv(files / "campaign_events.csv", schema_overrides={"user_id": pl.String, "campaign_id": pl.String})
    midnight = pl.col("timestamp").str.to_date().cast(pl.Datetime("us")).dt.replace_time_zone(ZONE)
    dated = dated.with_columns(timestamp=midnight.dt.convert_time_zone("UTC"), date_only=pl.lit(True))
    return pl.concat([purchases, dated], how="diagonal").filter(pl.col("timestamp") < as_of)


def by_event(events: pl.LazyFrame, as_of: datetime.datetime) -> pl.LazyFrame:
    stamp, event = pl.col("timestamp"), pl.col("event")
    own = ~event.str.starts_with("push_") & (event != "campaign_targeted")
    bought = event == "purchase"

    def within(days: int) -> pl.Expr:
        return stamp >= as_of - days * DAY

    def days_since(which: pl.Expr) -> pl.Expr:
        return (as_of - stamp.filter(which).max()).dt.total_microseconds() / 86_400e6

    session, value = pl.col("session_id"), pl.col("value").fill_null(0.0)
    loose_orders = {d: (bought & within(d) & session.is_null()).sum() for d in (30, 90)}
    return events.group_by("user_id").agg(
        days_since_own_event=days_since(own),
        days_since_purchase=days_since(bought),
        tenure_days=days_since_first(as_of),
        campaigns_90d=((event == "campaign_targeted") & within(90)).sum(),
        **{f"events_{d}d": (own & within(d)).sum() for d in (1, 7, 30, 90)},
        **{f"purchases_{d}d": (bought & within(d)).sum() for d in (7, 30, 90)},
        **{f"sessions_{d}d": session.filter(own & within(d)).drop_nulls().n_unique() for d in (1, 7, 30, 90)},
        **{f"orders_{d}d": session.filter(bought & within(d)).drop_nulls().n_unique() + loose_orders[d] for d in (30, 90)},
        **{f"revenue_{d}d": value.filter(bought & within(d)).sum() for d in (30, 90)},
        revenue_total=value.filter(bought).sum(),
    )


def days_since_first(as_of: datetime.datetime) -> pl.Expr:
    return (as_of - pl.col("timestamp").min()).dt.total_microseconds() / 86_400e6


def by_hour(events: pl.LazyFrame, as_of: datetime.datetime) -> pl.LazyFrame:
    event, stamp = pl.col("event"), pl.col("timestamp")
    own = ~event.str.starts_with("push_") & (event != "campaign_targeted") & ~pl.col("date_only")
    # The wall clock without its offset: an hour that is shown twice is one.
    local = stamp.dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
    hours = events.filter(own).group_by("user_id", local.dt.truncate("1h").alias("hour")).agg(last=stamp.max())
    age = (as_of - pl.col("last")).dt.total_microseconds() / 86_400e6
    day = pl.col("hour").dt.date()
    recent = {d: pl.col("last") >= as_of - d * DAY for d in (1, 7, 30, 90)}
    return hours.group_by("user_id").agg(
        active_hours_90d=recent[90].sum(),
        **{f"active_days_{d}d": day.filter(recent[d]).n_unique() for d in (1, 7, 30, 90)},
        **{f"activity_half_life_{d}d": (2.0 ** (-age / d)).sum() for d in (1, 7, 30)},
    )


def newest_contents(events: pl.LazyFrame) -> pl.LazyFrame:
    own = events.filter(pl.col("content_id").is_not_null() & (pl.col("event") != "campaign_targeted"))
    latest = own.group_by("user_id", "content_id").agg(pl.col("timestamp").max())
    ranked = latest.sort(["user_id", "timestamp", "content_id"], descending=[False, True, False])
    return ranked.group_by("user_id", maintain_order=True).agg(recent_contents=pl.col("content_id").head(20))


def main() -> int:
    workspace = pathlib.Path(sys.argv[1])
    files = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "data/sample")
    ours, as_of = newest_profiles(workspace)
    start = time.monotonic()
    events = events_before(files, as_of)
    parts = pl.collect_all([by_event(events, as_of), by_hour(events, as_of), newest_contents(events)])
    theirs = parts[0].join(parts[1], on="user_id", how="left").join(parts[2], on="user_id", how="left")
    seconds = time.monotonic() - start
    both = ours.join(theirs, on="user_id", suffix=" of polars")
    print(f"{ours.height} profiles as of {as_of}, {theirs.height} users by polars in {seconds:.2f} s")
    faults = ours.filter(pl.col("days_since_own_event").is_not_null()).height - both.filter(pl.col("days_since_own_event").is_not_null()).height
    for name in [name for name in theirs.columns if name != "user_id"]:
        mine, other = both[name], both[f"{name} of polars"]
        if name == "recent_contents":
            different = (mine.list.join("\n") != other.list.join("\n").fill_null("")).sum()
            largest = float(different)
        else:
            mine, other = mine.cast(pl.Float64).fill_null(0.0), other.cast(pl.Float64).fill_null(0.0)
            largest = (mine - other).abs().max()
            different = ((mine - other).abs() > 1e-6 * (1 + mine.abs())).sum()
        faults += different
        print(f"  {name:<26} {both.height - different:>7} equal  {different:>4} different  largest {largest:.2g}")
    print("all equal" if faults == 0 else f"{faults} differences")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
