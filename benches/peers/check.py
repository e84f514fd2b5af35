"""Compares what the tools wrote: python check.py ingest|profile|send-times SMARTPUSH POLARS DUCKDB

Prints one JSON object: `lines` for people, and `equal`: whether nothing differed.
Numbers are equal when they differ by less than 1e-9 of their size; all else must be the same.
"""

import json
import sys
from pathlib import Path

import polars as pl

TOLERANCE = 1e-9
EVENT_COLUMNS = [
    "message_id", "user_id", "event", "timestamp", "date_only", "value", "content_id",
    "session_id", "campaign_id",
]


def main():
    job, smartpush, *peers = sys.argv[1:]
    compare = {"ingest": check_lake, "profile": check_profiles, "send-times": check_curves}[job]
    lines, equal = compare(Path(smartpush), dict(zip(("polars", "duckdb"), map(Path, peers))))
    print(json.dumps({"equal": equal, "lines": lines}))


def check_lake(smartpush, peers):
    """The same days, and in each the same rows; told apart: in the same order."""
    lines, equal = [], True
    for name, peer in peers.items():
        ours, theirs = days_of(smartpush), days_of(peer)
        different, shuffled, rows = set(ours) ^ set(theirs), 0, 0
        for day in sorted(set(ours) & set(theirs)):
            left, right = read_day(ours[day]), read_day(theirs[day])
            rows += left.height
            if left.equals(right):
                continue
            if left.sort("message_id").equals(right.sort("message_id")):
                shuffled += 1
            else:
                different.add(day)
        equal &= not different
        lines.append(f"{name}: {rows:,} rows in {len(ours)} days; {len(different)} days differ, "
                     f"{shuffled} hold the same rows in another order")
    return lines, equal


def days_of(lake):
    return {folder.name: list(folder.glob("*.parquet")) for folder in lake.glob("date=*")}


def read_day(files):
    frame = pl.read_parquet(sorted(files), columns=EVENT_COLUMNS, hive_partitioning=False)
    return frame.select(EVENT_COLUMNS)


def check_profiles(smartpush, peers):
    """Every column of smartpush's, against the peers' column of that name."""
    ours = pl.read_parquet(smartpush).sort("user_id")
    lines, equal = [], True
    for name, path in peers.items():
        theirs = pl.read_parquet(path).sort("user_id")
        if not ours["user_id"].equals(theirs["user_id"]):
            return [f"{name}: other users"], False
        shared = [column for column in ours.columns if column in theirs.columns]
        different = {column: count for column in shared
                     if (count := differing(ours[column], theirs[column]))}
        absent = sorted(set(ours.columns) - set(theirs.columns))
        equal &= not different and not absent
        lines.append(f"{name}: {ours.height:,} users, {len(shared)} columns compared, "
                     f"{len(different)} differ" + (f" in rows: {different}" if different else "")
                     + (f"; not computed: {', '.join(absent)}" if absent else ""))
    return lines, equal


def differing(left, right):
    """How many rows differ."""
    if left.dtype == pl.List:
        # A user without anything to list has an empty list here and none there.
        left, right = (side.fill_null([]) for side in (left, right))
        lengths = left.list.len() != right.list.len()
        if lengths.any():
            return int(lengths.sum())
        rows = pl.Series(range(len(left)))
        frame = pl.DataFrame({"row": rows, "left": left, "right": right}).explode("left", "right")
        return frame.filter(unequal(frame["left"], frame["right"]))["row"].n_unique()
    return int(unequal(left, right).sum())


def unequal(left, right):
    if left.dtype.is_numeric():
        left, right = left.cast(pl.Float64), right.cast(pl.Float64)
        scale = pl.DataFrame([left.abs().alias("a"), right.abs().alias("b")]).max_horizontal()
        apart = (left - right).abs() > TOLERANCE * scale
        return apart.fill_null(False) | (left.is_null() != right.is_null())
    return left.ne_missing(right)


def check_curves(smartpush, peers):
    """Curves cannot equal counts: 168 positive probabilities that sum to 1, for the same users."""
    curves = pl.scan_parquet(smartpush).group_by("user_id").agg(
        pl.len().alias("rows"), pl.col("probability").sum().alias("total"),
        pl.col("probability").min().alias("least"),
        (pl.col("low") > pl.col("probability")).any().alias("above"),
        (pl.col("high") < pl.col("probability")).any().alias("below"),
    ).sort("user_id").collect()
    bad = curves.filter(
        (pl.col("rows") != 168) | ((pl.col("total") - 1).abs() > 1e-9) | ~(pl.col("least") > 0)
        | pl.col("above") | pl.col("below")
    ).height
    counts = {name: pl.read_parquet(path).sort("user_id") for name, path in peers.items()}
    same = counts["polars"].equals(counts["duckdb"].cast(counts["polars"].schema))
    missing = counts["polars"].join(curves, on="user_id", how="anti").height
    lines = [f"{curves.height:,} curves, {bad} not 168 probabilities > 0 within their intervals "
             f"that sum to 1; {missing} users with activity have none; "
             f"the peers' counts are {'equal' if same else 'DIFFERENT'}"]
    return lines, bad == 0 and same and missing == 0


if __name__ == "__main__":
    main()
