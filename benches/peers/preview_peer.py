"""A five-condition preview in Python polars or DuckDB; called by `benches/preview`.

    python preview_peer.py polars|duckdb PROFILES USERS RUNS

Prints one line of JSON: how many people there are and how many the filter finds, and the seconds of each run without starting Python and
importing anything.

* cold: both Parquet files (which the operating system has cached) → the count. Each tool is free to read less, later or
  nothing of what it does not need. Ids are unique on both sides, as smartpush's are.
* warm: the count over one table in memory that already holds the five columns asked for: the share of the category and
  whether somebody opted out are computed beforehand, as smartpush has them.
"""

import json
import sys
import time

CATEGORY = "GROCERY"


def main():
    tool, profiles, users, runs = sys.argv[1:]
    cold, warm, people = {"polars": of_polars, "duckdb": of_duckdb}[tool](profiles, users)
    report = {"people": people, "members": cold()}
    for name, run in (("cold", cold), ("warm", warm)):
        report[name] = [seconds_of(run, report["members"]) for _ in range(int(runs))]
    print(json.dumps(report))


def seconds_of(run, expected):
    start = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - start
    assert found == expected, (found, expected)
    return seconds


def of_polars(profiles, users):
    import polars as pl

    place = pl.col("interest_categories").list.eval(pl.element() == CATEGORY).list.arg_max()
    has = pl.col("interest_categories").list.contains(CATEGORY)
    share = pl.when(has).then(pl.col("interest_category_shares").list.get(place, null_on_oob=True)).otherwise(0.0)
    refused = (pl.col("consent") != "granted").fill_null(False)
    seen = pl.col("days_since_own_event") < 14
    rest = (pl.col("purchases_30d") >= 2) & seen & (pl.col("lifecycle") != "new")

    def joined(*conditions):
        table = pl.scan_parquet(profiles).filter(*conditions)
        return table.join(pl.scan_parquet(users).select("user_id", "consent"), on="user_id", how="left")

    def cold():
        members = joined(rest, share > 0.2).filter(~refused)
        return members.select(pl.len()).collect(engine="streaming").item()

    held = joined().select(
        "purchases_30d", "days_since_own_event", "lifecycle", share.alias("share"), refused.alias("opted_out")
    ).collect(engine="streaming").rechunk()

    def warm():
        members = held.lazy().filter(rest & (pl.col("share") > 0.2) & ~pl.col("opted_out"))
        return members.select(pl.len()).collect().item()

    return cold, warm, held.height


def of_duckdb(profiles, users):
    import duckdb

    connection = duckdb.connect()
    share = (f"coalesce(interest_category_shares[list_position(interest_categories, '{CATEGORY}')], 0)")
    refused = "coalesce(consent <> 'granted', false)"
    joined = f"read_parquet('{profiles}') LEFT JOIN read_parquet('{users}') USING (user_id)"
    rest = "purchases_30d >= 2 AND days_since_own_event < 14 AND lifecycle <> 'new'"
    connection.execute(
        f"CREATE TABLE held AS SELECT purchases_30d, days_since_own_event, lifecycle, "
        f"{share} AS share, {refused} AS opted_out FROM {joined}"
    )

    def counted(table, *conditions):
        return connection.sql(f"SELECT count(*) FROM {table} WHERE {' AND '.join(conditions)}").fetchall()[0][0]

    def cold():
        return counted(joined, rest, f"{share} > 0.2", f"NOT {refused}")

    def warm():
        return counted("held", rest, "share > 0.2", "NOT opted_out")

    return cold, warm, counted("held", "true")


if __name__ == "__main__":
    main()
