"""Reading and protecting a large `flow`: 89 regions, beside a bare pandas read that checks nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from kcrr_analysis import demo, disclosure, tables
from tests.bench.measure import table, timed


def run() -> str:
    """Read, check and protect the flow of 89 regions as CSV and as Parquet."""
    made = demo.make(regions=89)
    with tempfile.TemporaryDirectory() as name:
        csv, parquet = Path(name, "csv"), Path(name, "parquet")
        for folder, form in ((csv, "csv"), (parquet, "parquet")):
            folder.mkdir()
            for needed in ("centers", "flow"):
                _write(made.tables[needed], folder / f"{needed}.{form}")
        rows = len(made.tables["flow"])
        loaded = tables.load(parquet)
        rule = disclosure.Rule()
        return table(
            f"flow of 89 regions, {rows} rows",
            [
                timed("pandas.read_csv, nothing checked", lambda: pd.read_csv(csv / "flow.csv")),
                timed("tables.load, CSV, every check", lambda: tables.load(csv)),
                timed("tables.load, Parquet, every check", lambda: tables.load(parquet)),
                timed("disclosure.protect", lambda: disclosure.protect(loaded, rule)),
            ],
        )


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame = frame.assign(**{name: frame[name].astype(str) for name in frame if str(frame[name].dtype) == "period[M]"})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
