"""Writes a data set of data/download several times over: python replicate.py DATA OUT COPIES

User and message ids get the suffixes -1, -2 …; sessions, contents and campaigns stay as they are.
"""

import shutil
import sys
from pathlib import Path

import polars as pl

LARGEST_ROW_GROUP = 262_144


def main():
    data, out, copies = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    for name in ("contents.jsonl", "campaigns.jsonl"):
        shutil.copy(data / name, out / name)
    for name in ("users.csv", "campaign_events.csv"):
        rows = pl.scan_csv(data / name, infer_schema=False)
        repeat(rows, copies).collect().write_csv(out / name)
    unfinished = out / "purchases.parquet.tmp"
    repeat(pl.scan_parquet(data / "purchases.parquet"), copies).sink_parquet(
        unfinished, compression="zstd", row_group_size=LARGEST_ROW_GROUP
    )
    unfinished.rename(out / "purchases.parquet")


def repeat(rows, copies):
    ids = [name for name in ("user_id", "message_id") if name in rows.collect_schema()]
    return pl.concat([
        rows.with_columns(pl.concat_str(pl.col(name), pl.lit(f"-{copy}")) for name in ids)
        for copy in range(1, copies + 1)
    ])


if __name__ == "__main__":
    main()
