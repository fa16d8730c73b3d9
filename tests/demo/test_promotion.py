from __future__ import annotations

import numpy as np

from kcrr_analysis import methodology
from kcrr_analysis.demo import DemoData, Truth

STEPS = (
    ("click", "clicks", "impressions"),
    ("session", "sessions", "clicks"),
    ("bounce", "bounces", "sessions"),
    ("registration", "registrations", "sessions"),
    ("application", "applications", "registrations"),
    ("customer", "customers", "applications"),
)


def test_funnel_narrows(full: DemoData) -> None:
    table = full.tables["promotion"]
    for _, part, whole in STEPS:
        assert (table[part] <= table[whole]).all(), part
    assert (table["registrations"] <= table["leads"]).all()
    assert (table["full_views"].dropna() <= table["video_starts"].dropna()).all()
    assert (table["period_start"] < table["period_end"]).all()


def test_true_rates_are_recovered_by_tool(full: DemoData) -> None:
    """Mean of the campaigns' own rates; their spread gives the error."""
    truth, table = Truth(), full.tables["promotion"]
    assert {tool.tool_id for tool in truth.promotion_tools} <= set(methodology.tools())
    for tool in truth.promotion_tools:
        rows = table[table["tool_id"] == tool.tool_id]
        assert len(rows) > 50
        for name, part, whole in STEPS:
            used = rows[rows[whole] > 0]
            count, base = used[part].to_numpy(float), used[whole].to_numpy(float)
            rate = count.sum() / base.sum()
            error = np.sqrt(((count - rate * base) ** 2).sum()) / base.sum()
            assert abs(rate - getattr(tool, name)) < 4.5 * error, (tool.tool_id, name)
