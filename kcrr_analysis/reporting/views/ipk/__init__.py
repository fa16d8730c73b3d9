"""Views of the client attraction index (ИПК): a region's chapter, regions compared, one cut, the basis for reward."""

from kcrr_analysis.reporting.views.ipk import comparison, overview

__all__ = ["comparison", "overview"]
