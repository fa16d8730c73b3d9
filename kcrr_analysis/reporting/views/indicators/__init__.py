"""Views of the official indicators: levels by group, coverage, labour-market background."""

from kcrr_analysis.reporting.views.indicators import background, coverage, levels

__all__ = ["background", "coverage", "levels"]
