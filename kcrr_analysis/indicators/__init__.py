"""Official indicators of the client flow, coverage, premises, plan and fact, and the labour-market background."""

from kcrr_analysis.indicators.background import Background, background
from kcrr_analysis.indicators.building import Building, building
from kcrr_analysis.indicators.change_log import ChangeLog, change_log
from kcrr_analysis.indicators.consistency import Consistency, consistency
from kcrr_analysis.indicators.coverage import Coverage, coverage
from kcrr_analysis.indicators.flow import FlowLevels, applicants, levels
from kcrr_analysis.indicators.market import Market, market
from kcrr_analysis.indicators.official import Official, official
from kcrr_analysis.indicators.plan import PlanFact, plan

__all__ = [
    "Background",
    "Building",
    "ChangeLog",
    "Consistency",
    "Coverage",
    "FlowLevels",
    "Market",
    "Official",
    "PlanFact",
    "applicants",
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
