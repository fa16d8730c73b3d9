"""The ordered funnel beside hand-written DuckDB and polars: one question, identical totals, seconds and peak memory.

The question: 5 steps, first touch, the first later action of each step within 30 days of the entry, persons by step
for every region x channel of the entry action (about 1,000 groups). Each run is a process of its own; its peak is the
process' largest resident set. `python -m tests.bench.funnel large` counts 10, 30 and 100 million actions with the kit.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pandas as pd

STEPS = ("contact", "registration", "application", "service", "repeat_service")
BY = ("region_code", "channel")
DAYS = 30
RUNS = 3
FIGURES = ("seconds", "busy", "whole", "peak")


def make(path: Path, rows: int) -> None:
    """Actions of about `rows / 4` persons in no order, written by DuckDB itself; pseudonyms of 16 characters."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET memory_limit = '4GB'")
        connection.execute(f"SET temp_directory = '{path.parent.as_posix()}'")
        connection.execute(f"""
            COPY (
                WITH r AS (
                    SELECT i, hash(i, 1) % {rows // 4} AS person, (hash(i, 2) % 1000000) / 1e6 AS u,
                        (hash(i, 3) % 1000000) / 1e6 AS v, (hash(i, 5) % 11)::INT AS channel
                    FROM range({rows}) AS t(i)
                ), s AS (
                    SELECT *, hash(person, 4) % 335 AS day, (hash(person, 6) % 89 + 1)::INT AS region, CASE
                        WHEN u < 0.45 THEN 0 WHEN u < 0.67 THEN 1 WHEN u < 0.82 THEN 2 WHEN u < 0.93 THEN 3 ELSE 4
                    END AS k FROM r
                )
                SELECT printf('A%010d', i) AS action_id, printf('%016x', hash(person, 9)) AS person_id,
                    TIMESTAMPTZ '2024-11-01 00:00:00+00'
                        + to_seconds(((day + least(-ln(1 - v) * (8 + 6 * k), 60)) * 86400)::BIGINT) AS time,
                    ['contact', 'registration', 'application', 'service', 'repeat_service'][k + 1] AS action,
                    printf('%02d', region) AS region_code,
                    ['phone', 'office', 'offsite', 'messenger', 'social', 'event', 'site', 'ads', 'partner', 'mail',
                        'state'][channel + 1] AS channel,
                    printf('tool_%02d', (hash(i, 7) % 40)::INT) AS tool_id,
                    printf('%02d-%02d', region, (hash(i, 8) % 12 + 1)::INT) AS center_id
                FROM s
            ) TO '{path.as_posix()}' (FORMAT parquet)
        """)


def kit(path: Path) -> pd.DataFrame:
    """`funnel.ordered`: the same persons with shares, intervals and days to convert."""
    from kcrr_analysis import funnel

    rows = funnel.ordered(path, STEPS, DAYS, BY).to_frame()
    return rows.pivot(index=list(BY), columns="step", values="persons")[list(STEPS)].reset_index()


def duckdb_exact(path: Path) -> pd.DataFrame:
    """What an expert writes: entry by arg_min, then a join and a minimum for every step; ties settled as by the kit."""
    return _duckdb(path, "(time, region_code, channel)")


def duckdb_quick(path: Path) -> pd.DataFrame:
    """The same with a plain arg_min: of several first contacts at one moment any may name the channel."""
    return _duckdb(path, "time")


def _duckdb(path: Path, first: str) -> pd.DataFrame:
    import duckdb

    steps = ""
    for k in range(2, len(STEPS) + 1):
        steps += f""", s{k} AS MATERIALIZED (
            SELECT p.person_id, any_value(p.t1) AS t1, any_value(p.region_code) AS region_code,
                any_value(p.channel) AS channel, min(a.time) AS t
            FROM s{k - 1} AS p JOIN log AS a USING (person_id)
            WHERE a.action = '{STEPS[k - 1]}' AND a.time >= p.t AND a.time <= p.t1 + INTERVAL {DAYS * 24} HOURS
            GROUP BY p.person_id)"""
    counts = " UNION ALL ".join(
        f"SELECT region_code, channel, '{step}' AS step, count(*) AS n FROM s{k} GROUP BY ALL"
        for k, step in enumerate(STEPS, 1)
    )
    sums = ", ".join(f"coalesce(sum(n) FILTER (step = '{step}'), 0) AS {step}" for step in STEPS)
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false; SET TimeZone = 'UTC'")
        return connection.execute(f"""
            WITH log AS (SELECT person_id, time, action, region_code, channel FROM read_parquet('{path.as_posix()}')),
            s1 AS MATERIALIZED (
                SELECT person_id, min(time) AS t1, arg_min(region_code, {first}) AS region_code,
                    arg_min(channel, {first}) AS channel, min(time) AS t
                FROM log WHERE action = '{STEPS[0]}' GROUP BY person_id){steps}
            SELECT region_code, channel, {sums} FROM ({counts}) GROUP BY ALL ORDER BY ALL
        """).df()


def polars(path: Path) -> pd.DataFrame:
    """Lazy and streaming, stage by stage; the moment and the group of the entry packed into one integer."""
    import polars as pl

    log = pl.scan_parquet(path)
    first = log.filter(pl.col("action") == STEPS[0]).select("person_id", "time", *BY)
    groups = first.select(BY).unique().sort(BY).with_row_index("group").collect(engine="streaming")
    bits = 4096
    packed = pl.col("time").dt.epoch("us") * bits + pl.col("group").cast(pl.Int64)
    persons = (
        first.join(groups.lazy(), on=BY)
        .select("person_id", code=packed)
        .group_by("person_id")
        .agg(pl.col("code").min())
        .with_columns(t=pl.from_epoch(pl.col("code") // bits, "us").dt.replace_time_zone("UTC"))
        .select("person_id", "t", t1="t", group=(pl.col("code") % bits).cast(pl.UInt32))
        .collect(engine="streaming")
    )
    found = groups
    for number, step in enumerate(STEPS):
        if number:
            persons = (
                log.filter(pl.col("action") == step)
                .select("person_id", "time")
                .join(persons.lazy(), on="person_id")
                .filter(pl.col("time").is_between(pl.col("t"), pl.col("t1") + pl.duration(days=DAYS)))
                .group_by("person_id")
                .agg(pl.col("time").min().alias("t"), pl.col("t1", "group").first())
                .collect(engine="streaming")
            )
        found = found.join(persons.group_by("group").agg(pl.len().alias(step)), on="group", how="left")
    columns = found.drop("group").fill_null(0).to_dict(as_series=False)
    return pd.DataFrame(columns)


WAYS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "kit": kit,
    "duckdb": duckdb_exact,
    "duckdb_quick": duckdb_quick,
    "polars": polars,
}
TITLES = {
    "kit": "funnel.ordered (with intervals, medians, checks)",
    "duckdb": "DuckDB by hand",
    "duckdb_quick": "DuckDB by hand, ties of the entry left to chance",
    "polars": "polars by hand, streaming",
}


def once(way: str, path: Path, out: Path) -> dict[str, float]:
    """One run in a process of its own; the table goes to `out`.

    Returns:
        seconds and busy (elapsed and of all processors, from the call to the table), whole (the process with its
        imports), peak (GiB).
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.funnel", way, str(path), str(out)],
        check=True,
        capture_output=True,
        text=True,
    )
    return {**json.loads(done.stdout.splitlines()[-1]), "whole": time.perf_counter() - start}


def child(way: str, path: Path, out: Path) -> None:
    """Runs one way and prints what it took."""
    import resource

    import_module({"kit": "kcrr_analysis.funnel", "polars": "polars"}.get(way, "duckdb"))
    start, busy = time.perf_counter(), time.process_time()
    table = WAYS[way](path)
    took = {"seconds": time.perf_counter() - start, "busy": time.process_time() - busy}
    took["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    table.sort_values(list(BY)).astype(dict.fromkeys(STEPS, "int64")).to_csv(out, index=False)
    print(json.dumps(took))  # noqa: T201


def run(rows: int = 10_000_000, ways: tuple[str, ...] = tuple(WAYS)) -> str:
    """Medians of three runs each, in turn, beside each other."""
    with tempfile.TemporaryDirectory(prefix="kcrr-bench-") as name:
        path = Path(name, "actions.parquet")
        make(path, rows)
        taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(RUNS):
            for way in ways:
                taken[way].append(once(way, path, Path(name, f"{way}.csv")))
        tables = {way: pd.read_csv(Path(name, f"{way}.csv"), dtype=dict.fromkeys(BY, str)) for way in ways}
    medians = {
        way: {key: statistics.median(run[key] for run in runs) for key in FIGURES} for way, runs in taken.items()
    }
    exact = [way for way in ways if way != "duckdb_quick"]
    fastest = (
        min(medians[way]["seconds"] for way in ways if way != "kit") if len(ways) > 1 else medians["kit"]["seconds"]
    )
    title = f"Ordered funnel, {rows:,} actions, {len(STEPS)} steps, {DAYS} days, {len(tables['kit'])} groups"
    lines = [title, "-" * len(title)]
    lines += [
        f"{TITLES[way]:<50} {m['seconds']:7.2f} s  {m['seconds'] / fastest:5.2f} x  {m['busy']:7.2f} s of processor  "
        f"{m['whole']:7.2f} s with start and imports  {m['peak']:5.2f} GiB"
        for way, m in medians.items()
    ]
    same = all(tables[way].equals(tables["kit"]) for way in exact)
    sums = ", ".join(f"{step} {tables['kit'][step].sum():,}" for step in STEPS)
    lines.append(f"totals of every group {'identical' if same else 'DIFFER'} ({', '.join(exact)}): {sums}")
    return "\n".join(lines) + "\n"


def run_large(sizes: tuple[int, ...] = (10_000_000, 30_000_000, 100_000_000)) -> str:
    """The kit alone on growing logs: seconds, peak and seconds for a million actions."""
    lines = ["Ordered funnel, growing logs", "----------------------------"]
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="kcrr-bench-") as name:
            path = Path(name, "actions.parquet")
            make(path, rows)
            took = once("kit", path, Path(name, "kit.csv"))
            lines.append(
                f"{rows:>12,} actions  {took['seconds']:7.1f} s  {took['busy']:7.1f} s of processor  "
                f"{took['peak']:5.2f} GiB  {1e6 * took['busy'] / rows:5.2f} s of processor for a million"
            )
            print(lines[-1], flush=True)  # noqa: T201
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["large"]:
        run_large()
    elif len(sys.argv) == 4:
        child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        print(run())  # noqa: T201
