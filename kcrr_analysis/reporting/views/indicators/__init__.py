"""Views of the indicators: the official ten, levels, coverage, premises, plan, consistency, market, background."""

from kcrr_analysis.reporting.views.indicators import (
    background,
    building,
    change_log,
    consistency,
    coverage,
    levels,
    market,
    official,
    plan,
)

__all__ = [
    "background",
    "building",
    "change_log",
    "consistency",
    "coverage",
    "levels",
    "market",
    "official",
    "plan",
]
