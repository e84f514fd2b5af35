"""The work of `smartpush ingest`, `profile` and `send-times`, written in DuckDB SQL.

    python duckdb_peer.py ingest DATA LAKE
    python duckdb_peer.py profile WORKSPACE AS_OF OUT
    python duckdb_peer.py send-times WORKSPACE AS_OF OUT

Prints one line of JSON: the seconds of the work, without starting Python and importing duckdb.

It takes the same short cuts as polars_peer.py: sessions and quarters of an hour are grouped before
anything dear is done with them, every user's zone is given, nothing is hashed or synced. Its
threads write some days out of order, which is let pass.
"""

import json
import sys
import time

import duckdb

ZONE = "America/New_York"
UNIT = 4294967296.0  # decayed weights are summed as whole multiples of 2^-32, as smartpush does

COMPLETE = " AND ".join(
    f"{name} IS NOT NULL" for name in ("user_id", "event", "timestamp", "message_id")
)

INGEST = """
COPY (
    WITH purchases AS (
        SELECT message_id, user_id, event, timestamp, false AS date_only,
               NULL::VARCHAR AS time_zone, value, content_id, session_id,
               NULL::VARCHAR AS campaign_id, file_row_number AS ordinal
        FROM read_parquet('{data}/purchases.parquet', file_row_number = true)
    ), campaign_events AS (
        SELECT message_id, user_id, event,
               timezone('{zone}', timestamp::DATE::TIMESTAMP) AS timestamp, true AS date_only,
               campaign_id, 1000000000000 + row_number() OVER () AS ordinal
        FROM read_csv('{data}/campaign_events.csv', all_varchar = true)
    ), events AS (
        SELECT * FROM (SELECT * FROM purchases UNION ALL BY NAME SELECT * FROM campaign_events)
        WHERE {complete}
    ), repeated AS (
        -- 2 to 3 times faster than DISTINCT ON (message_id) or row_number() over all rows.
        SELECT message_id, min(ordinal) AS first FROM events
        GROUP BY message_id HAVING count(*) > 1
    )
    SELECT events.* EXCLUDE (ordinal), NULL::VARCHAR AS decision_id, NULL::VARCHAR AS channel,
           NULL::VARCHAR AS actor_id, NULL::VARCHAR AS properties, timestamp::DATE AS date
    FROM events LEFT JOIN repeated USING (message_id)
    WHERE first IS NULL OR first = ordinal
    ORDER BY date, user_id, timestamp, message_id
) TO '{lake}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date))
"""

# age(x) in days, weight(x, half-life) as a whole multiple of 2^-32.
MACROS = """
CREATE MACRO days_since(stamp) AS
    (epoch_us(TIMESTAMPTZ '{as_of}') - epoch_us(stamp)) / 86400000000.0::DOUBLE;
CREATE MACRO weight(stamp, half_life) AS
    round({unit} * pow(2.0::DOUBLE, -days_since(stamp) / half_life))::BIGINT;
CREATE MACRO recent(stamp, days) AS stamp >= TIMESTAMPTZ '{as_of}' - to_hours(24 * days);
CREATE MACRO is_own(name) AS NOT (starts_with(name, 'push_') OR name = 'campaign_targeted');
CREATE VIEW lake AS SELECT * FROM
    read_parquet('{workspace}/data/events/date=*/*.parquet', hive_partitioning = false)
    WHERE timestamp < TIMESTAMPTZ '{as_of}';
"""

ACTIVE_HOURS = """
CREATE TEMP TABLE active_hours AS
WITH quarters AS (
    SELECT user_id, max(timestamp) AS last FROM lake
    WHERE is_own(event) AND NOT date_only
    GROUP BY user_id, epoch_us(timestamp) // 900000000
), hours AS (
    SELECT user_id, date_trunc('hour', timezone('{zone}', last)) AS hour, last FROM quarters
)
SELECT user_id, hour, max(last) AS last, (isodow(hour) - 1) * 24 + hour(hour) AS slot
FROM hours GROUP BY user_id, hour
"""

COUNTS = """
CREATE TEMP TABLE counts AS
SELECT user_id, {columns}, min(timestamp) AS first FROM lake GROUP BY user_id
"""

SESSIONS = """
CREATE TEMP TABLE sessions AS
WITH grouped AS (
    SELECT user_id, coalesce(session_id, message_id) AS key, session_id IS NULL AS loose,
           max(timestamp) AS last,
           max(timestamp) FILTER (event = 'purchase') AS last_purchase
    FROM lake
    WHERE is_own(event) AND recent(timestamp, 90)
      AND (session_id IS NOT NULL OR event = 'purchase')
    GROUP BY user_id, key, loose
)
SELECT user_id, {columns} FROM grouped GROUP BY user_id
"""

ACTIVITY = """
CREATE TEMP TABLE activity AS SELECT user_id, {columns} FROM active_hours GROUP BY user_id
"""

# 168 values a user, Monday 00:00 first.
WEEKS = """
CREATE TEMP TABLE weeks AS
WITH summed AS (
    SELECT user_id, slot, {value} AS value FROM active_hours GROUP BY user_id, slot
), grid AS (
    SELECT user_id, slot FROM (SELECT DISTINCT user_id FROM summed), range(168) AS slots(slot)
)
SELECT user_id, list(coalesce(value, 0) ORDER BY slot) AS {name}
FROM grid LEFT JOIN summed USING (user_id, slot) GROUP BY user_id
"""

LIFECYCLE = """
CREATE TEMP TABLE lifecycles AS
WITH gaps AS (
    SELECT user_id, last,
           last - lag(last) OVER (PARTITION BY user_id ORDER BY hour) > to_hours(24 * 90) AS far
    FROM active_hours
), moments AS (
    SELECT user_id, min(last) AS first, max(last) AS newest, max(last) FILTER (far) AS back
    FROM gaps GROUP BY user_id
)
SELECT user_id, CASE WHEN recent(first, 30) THEN 'new' WHEN recent(back, 30) THEN 'returned'
    WHEN recent(newest, 30) THEN 'active' WHEN recent(newest, 90) THEN 'cooling'
    ELSE 'dormant' END AS lifecycle
FROM moments
"""

CONTENTS = """
CREATE TEMP TABLE weighed AS
SELECT user_id, content_id, sum(weight(timestamp, 30))::BIGINT AS weight, max(timestamp) AS last
FROM lake WHERE is_own(event) AND content_id IS NOT NULL GROUP BY user_id, content_id;
CREATE TEMP TABLE recent_contents AS
SELECT user_id, list(content_id ORDER BY last DESC, content_id)[:20] AS recent_contents
FROM weighed GROUP BY user_id;
CREATE VIEW contents AS SELECT * FROM read_parquet('{workspace}/data/contents.parquet');
"""

INTEREST = """
CREATE TEMP TABLE {plural} AS
WITH named AS (
    SELECT content_id, {names} AS name FROM contents WHERE {column} IS NOT NULL
), summed AS (
    SELECT user_id, name, sum(weight)::BIGINT AS weight
    FROM weighed JOIN named USING (content_id) GROUP BY user_id, name
)
SELECT user_id,
       list(name ORDER BY weight DESC, name) FILTER (weight > 0)[:20] AS interest_{plural},
       list_transform((list(weight ORDER BY weight DESC, name) FILTER (weight > 0))[:20],
                      lambda x: x::DOUBLE / sum(weight)::DOUBLE) AS interest_{singular}_shares
FROM summed GROUP BY user_id
"""

PROFILES = """
COPY (
    WITH users AS (
        SELECT user_id, time_zone, 'declared' AS time_zone_source, locale, country, created_at,
               json_extract_string(attributes, '$.platform') AS platform
        FROM read_parquet('{workspace}/data/users.parquet')
    ), joined AS (
        SELECT * FROM users FULL JOIN counts USING (user_id)
        LEFT JOIN sessions USING (user_id) LEFT JOIN activity USING (user_id)
        LEFT JOIN weeks USING (user_id) LEFT JOIN lifecycles USING (user_id)
        LEFT JOIN recent_contents USING (user_id) LEFT JOIN categories USING (user_id)
        LEFT JOIN tags USING (user_id)
    ), totals AS (
        SELECT sum(pushes_opened_30d) AS opened, sum(pushes_clicked_30d) AS clicked,
               sum(pushes_dismissed_30d) AS dismissed, sum(pushes_sent_30d) AS sent,
               sum(pushes_displayed_30d) AS displayed
        FROM counts
    )
    SELECT joined.* EXCLUDE (created_at, first, lifecycle) REPLACE ({no_sessions}),
        CASE WHEN sent > 0 THEN (pushes_opened_30d + 20.0 * opened / sent)
            / (pushes_sent_30d + 20.0) END AS open_rate_30d,
        CASE WHEN sent > 0 THEN (pushes_clicked_30d + 20.0 * clicked / sent)
            / (pushes_sent_30d + 20.0) END AS click_rate_30d,
        CASE WHEN displayed > 0 THEN (pushes_dismissed_30d + 20.0 * dismissed / displayed)
            / (pushes_displayed_30d + 20.0) END AS dismiss_rate_30d,
        days_since(coalesce(CASE WHEN created_at < TIMESTAMPTZ '{as_of}' THEN created_at END,
                            first)) AS tenure_days,
        coalesce(lifecycle, 'dormant') AS lifecycle
    FROM joined, totals ORDER BY user_id
) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""

SEND_TIMES = """
COPY (SELECT * FROM weeks ORDER BY user_id) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""

SESSION_COLUMNS = (
    "sessions_1d", "sessions_7d", "sessions_30d", "sessions_90d", "orders_30d", "orders_90d",
)
NAMED = {
    "views": ("'view'", (7, 30)), "clicks": ("'click'", (7, 30)),
    "add_to_cart": ("'add_to_cart'", (7, 30)), "purchases": ("'purchase'", (7, 30, 90)),
    "campaigns": ("'campaign_targeted'", (90,)), "pushes_sent": ("'push_sent'", (7, 30)),
    "pushes_displayed": ("'push_displayed'", (7, 30)),
    "pushes_opened": ("'push_opened', 'push_clicked'", (7, 30)),
    "pushes_clicked": ("'push_clicked'", (7, 30)),
    "pushes_dismissed": ("'push_dismissed'", (7, 30)),
}


def main():
    started = time.perf_counter()
    command, *arguments = sys.argv[1:]
    {"ingest": ingest, "profile": profile, "send-times": send_times}[command](*arguments)
    print(json.dumps({"seconds": time.perf_counter() - started}))


def connect():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def ingest(data, lake):
    """Both event files → one Parquet file per UTC day, sorted by user, time and id."""
    connect().execute(INGEST.format(data=data, lake=lake, zone=ZONE, complete=COMPLETE))


def profile(workspace, as_of, out):
    """The lake and the declared tables → one row per user with all columns of smartpush's."""
    connection = connect()
    connection.execute(MACROS.format(as_of=as_of, workspace=workspace, unit=UNIT))
    connection.execute(ACTIVE_HOURS.format(zone=ZONE))
    connection.execute(COUNTS.format(columns=", ".join(count_columns())))
    connection.execute(SESSIONS.format(columns=", ".join(session_columns())))
    connection.execute(ACTIVITY.format(columns=", ".join(activity_columns())))
    decayed = f"sum(weight(last, 90)) / {UNIT}::DOUBLE"
    connection.execute(WEEKS.format(value=decayed, name="hours_of_week"))
    connection.execute(LIFECYCLE)
    connection.execute(CONTENTS.format(workspace=workspace))
    for plural, singular, column, names in (
        ("categories", "category", "category", "category"),
        ("tags", "tag", "tags", "unnest(string_split(tags, ';'))"),
    ):
        connection.execute(INTEREST.format(
            plural=plural, singular=singular, column=column, names=names
        ))
    no_sessions = ", ".join(f"coalesce({name}, 0) AS {name}" for name in SESSION_COLUMNS)
    connection.execute(PROFILES.format(
        workspace=workspace, as_of=as_of, out=out, no_sessions=no_sessions
    ))


def count_columns():
    """Everything that is a sum, a count or a last moment over single events."""
    last = {
        "own_event": "is_own(event)",
        "push": "event IN ('push_sent', 'push_delivered', 'push_displayed')",
        "open": "event IN ('push_opened', 'push_clicked')",
        "purchase": "event = 'purchase'",
    }
    for name, condition in last.items():
        yield f"days_since(max(timestamp) FILTER ({condition})) AS days_since_{name}"
    for days in (1, 7, 30, 90):
        yield f"count(*) FILTER (is_own(event) AND recent(timestamp, {days})) AS events_{days}d"
    for stem, (names, windows) in NAMED.items():
        for days in windows:
            condition = f"event IN ({names}) AND recent(timestamp, {days})"
            yield f"count(*) FILTER ({condition}) AS {stem}_{days}d"
    fatigue = "sum(weight(timestamp, 3)) FILTER (event = 'push_displayed')"
    yield f"coalesce({fatigue}, 0) / {UNIT}::DOUBLE AS fatigue"
    for name, condition in (
        ("30d", "AND recent(timestamp, 30)"), ("90d", "AND recent(timestamp, 90)"), ("total", ""),
    ):
        micros = "sum(round(coalesce(value, 0) * 1000000)::BIGINT)"
        total = f"{micros} FILTER (event = 'purchase' {condition})"
        yield f"coalesce({total}, 0) / 1000000.0::DOUBLE AS revenue_{name}"


def session_columns():
    """Distinct sessions and orders; an order without a session is its own."""
    for days in (1, 7, 30, 90):
        yield f"count(*) FILTER (NOT loose AND recent(last, {days})) AS sessions_{days}d"
    for days in (30, 90):
        yield f"count(*) FILTER (recent(last_purchase, {days})) AS orders_{days}d"


def activity_columns():
    for days in (1, 7, 30, 90):
        distinct = "count(DISTINCT hour::DATE)"
        yield f"{distinct} FILTER (recent(last, {days})) AS active_days_{days}d"
    yield "count(*) FILTER (recent(last, 90)) AS active_hours_90d"
    for days in (1, 7, 30):
        yield f"sum(weight(last, {days})) / {UNIT}::DOUBLE AS activity_half_life_{days}d"


def send_times(workspace, as_of, out):
    """Active hours by user and hour of the week: what a curve is fitted to. Nothing is fitted."""
    connection = connect()
    connection.execute(MACROS.format(as_of=as_of, workspace=workspace, unit=UNIT))
    connection.execute(ACTIVE_HOURS.format(zone=ZONE))
    connection.execute(WEEKS.format(value="count(*)", name="counts"))
    connection.execute(SEND_TIMES.format(out=out))


if __name__ == "__main__":
    main()
