"""Views of the funnel: promotion and tools, ordered funnels, measures along the client's path."""

from kcrr_analysis.reporting.views.funnel import attraction, conversion, measures, ordered, tools

__all__ = ["attraction", "conversion", "measures", "ordered", "tools"]
