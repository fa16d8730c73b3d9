"""Random tables `flow` for the tests: additive, or with people who return and who go to two centres."""

from __future__ import annotations

import numpy as np
import pandas as pd


def random_flow(
    seed: int,
    *,
    centres: int = 4,
    months: int = 12,
    groups: int = 3,
    regions: int = 1,
    years: int = 1,
    scale: float = 4.0,
    overlap: float = 0.0,
    columns: tuple[str, ...] = ("applied",),
    nested: bool = False,
) -> pd.DataFrame:
    """Counts of all regions, centres, months and periods; `all` and `g0` hold the other groups if `nested`."""
    chance = np.random.default_rng(seed)
    names = ["all", *(f"g{n}" for n in range(groups - 1))]
    rows = []
    for r in range(regions):
        size = chance.gamma(1.0, scale, (groups, centres, 1)) * np.ones((1, 1, months * years))
        data = {}
        for column in columns:
            x = chance.poisson(size)
            if nested:
                # g1, g2, ... inside g0; all holds g0 and others
                if groups > 2:
                    x[1] = x[2:].max(axis=0) + chance.poisson(0.5, x[1].shape)
                x[0] = x[1:].max(axis=0) + chance.poisson(scale, x[0].shape)
            stock = column == "registered_stock"
            y = np.zeros_like(x)
            for t in range(x.shape[2]):
                new = x[:, :, t] - chance.binomial(x[:, :, t], overlap)
                y[:, :, t] = x[:, :, t] if stock or t % months == 0 else np.maximum(y[:, :, t - 1] + new, x[:, :, t])
            total, total_year = x.sum(axis=1), y.sum(axis=1)
            if overlap and not stock:
                total = np.maximum(total - chance.binomial(total, overlap / 2), x.max(axis=1))
                total_year = np.maximum(total_year - chance.binomial(total_year, overlap / 2), y.max(axis=1))
                total_year = np.maximum.accumulate(
                    np.maximum(total_year.reshape(groups, years, months), total.reshape(groups, years, months)), axis=2
                ).reshape(groups, -1)
                total_year[:, ::months] = total[:, ::months]
            data[column] = (x, y, total, total_year)
        for t in range(months * years):
            month = pd.Period(year=2024 + t // months, month=t % months + 1, freq="M")
            for g, name in enumerate(names):
                for c in range(centres + 1):
                    for p, period in enumerate(("month", "year_to_date")):
                        row = {
                            "month": month, "period": period, "scope": "center" if c else "region",
                            "region_code": f"{r + 1:02d}", "center_id": f"c{r:02d}-{c:02d}" if c else pd.NA,
                            "client_group": name,
                        }  # fmt: skip
                        for column in columns:
                            row[column] = data[column][p][g, c - 1, t] if c else data[column][2 + p][g, t]
                        rows.append(row)
    frame = pd.DataFrame(rows)
    frame["center_id"] = frame["center_id"].astype("string")
    frame["month"] = frame["month"].astype("period[M]")
    return frame.astype(dict.fromkeys(columns, "Int64"))
