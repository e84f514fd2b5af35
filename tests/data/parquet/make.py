"""Makes the Parquet fixtures in this directory: files as pandas, Spark and others write them, and ones no reader can take.

    python tests/data/parquet/make.py        # needs pandas, polars and pyarrow
"""

import datetime
import decimal
import pathlib

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
NEW_YORK = "America/New_York"
STAMPS = ["2017-03-01T12:00:00", "2017-03-01T13:30:00", "2017-03-02T00:15:00"]


def base(**more):
    columns = {"user_id": ["u1", "u2", "u3"], "event": ["view", "click", "purchase"]}
    return {**columns, "timestamp": pa.array([1488369600, 1488375000, 1488413700], pa.int64()), **more}


def write(name, columns, **options):
    pq.write_table(pa.table(columns), HERE / f"{name}.parquet", **options)


# Zoned stamps and categoricals, as pandas writes them.
frame = pd.DataFrame(base(timestamp=pd.to_datetime(STAMPS).tz_localize(NEW_YORK)))
frame["event"] = frame["event"].astype("category")
frame["value"] = [1.5, float("nan"), 2.0]
frame.to_parquet(HERE / "pandas_zoned.parquet")

# Naive stamps in nanoseconds.
write("naive_nanoseconds", base(timestamp=pa.array(pd.to_datetime(STAMPS), pa.timestamp("ns"))))
write("zoned_milliseconds", base(timestamp=pa.array(pd.to_datetime(STAMPS), pa.timestamp("ms", tz="UTC"))))
write("date32", base(timestamp=pa.array([datetime.date(2017, 3, day) for day in (1, 2, 3)])))

# Identifiers that are numbers.
write("uint64_ids", base(user_id=pa.array([2**64 - 1, 2**63, 7], pa.uint64())))
write("float_ids", base(user_id=pa.array([1001.0, 1003.5, None], pa.float64())))
write("integer_ids", base(user_id=pa.array([1, 2, -3], pa.int32())))

# Amounts.
amounts = [decimal.Decimal("1.25"), decimal.Decimal("-0.01"), None]
write("decimal_values", base(value=pa.array(amounts, pa.decimal128(12, 2))))
write("odd_values", base(value=pa.array([float("nan"), float("inf"), float("-inf")])))

# Columns that no raw value can carry.
write("nested_list", base(tags=[["a"], ["b", "c"], []]))
write("nested_struct", base(context=[{"a": 1}, {"a": 2}, {"a": 3}]))
write("binary", base(token=pa.array([b"\x00\x01", b"\xff", b""], pa.binary())))
write("time_of_day", base(at=pa.array([datetime.time(9), datetime.time(10), datetime.time(11)])))
write("duration", base(dwell=pa.array([1, 2, 3], pa.duration("ms"))))

# Strange and legal.
write("no_rows", {name: column[:0] for name, column in base().items()})
write("no_stamp_column", {name: column for name, column in base().items() if name != "timestamp"})
write("all_null_column", base(channel=pa.nulls(3)))
write("boolean_ids", base(user_id=[True, False, None]))
write("many_row_groups", base(), row_group_size=1)

# A table of ours from a smartpush to come.
newer = pl.DataFrame({"user_id": ["u1"]})
newer.write_parquet(HERE / "newer_format.parquet", metadata={"smartpush.format": "2"})

# Broken off, and damaged in the middle of its footer.
whole = (HERE / "pandas_zoned.parquet").read_bytes()
(HERE / "truncated.parquet").write_bytes(whole[: len(whole) // 2])
(HERE / "damaged.parquet").write_bytes(whole[:-200] + bytes(100) + whole[-100:])

# Columns that become text, digits or JSON.
wide = [decimal.Decimal(2**53 + 1), decimal.Decimal(10**37), None]
uuids = [bytes(range(16)), bytes([255] * 16), None]
maps = pa.map_(pa.string(), pa.int64())
items = pa.list_(pa.struct([("sku", pa.string()), ("price", pa.decimal128(9, 2))]))
write(
    "foreign_types",
    base(
        uuid=pa.array(uuids, pa.uuid()),
        digits=pa.array(wide, pa.decimal128(38, 0)),
        amount=pa.array([decimal.Decimal("12.50"), decimal.Decimal("7.00"), None], pa.decimal128(38, 9)),
        text=pa.array([b"u1", "小明".encode(), b""], pa.binary()),
        json=pa.array(['{"a":1}', "[]", None], pa.json_()),
        single=pa.array([1.5, 16777216.0, None], pa.float32()),
        map=pa.array([[("a", 1)], [], None], maps),
        items=pa.array([[{"sku": "s", "price": decimal.Decimal("1.50")}], [], None], items),
        seconds=pa.array([0, 1, None], pa.duration("s")),
        codes=pa.array([7, 8, 7], pa.int32()).dictionary_encode(),
    ),
    row_group_size=2,
)
# Spark's stamps; in nanoseconds, the second would be one of 1816.
spark = pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), datetime.datetime(9999, 12, 31), None], pa.timestamp("us"))
write("spark_stamps", base(timestamp=spark), use_deprecated_int96_timestamps=True)
