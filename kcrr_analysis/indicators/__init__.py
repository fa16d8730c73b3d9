"""Official indicators of the client flow, coverage and the labour-market background."""

from kcrr_analysis.indicators.background import Background, background
from kcrr_analysis.indicators.coverage import Coverage, coverage
from kcrr_analysis.indicators.flow import FlowLevels, applicants, levels

__all__ = ["Background", "Coverage", "FlowLevels", "applicants", "background", "coverage", "levels"]
