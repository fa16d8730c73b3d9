"""Synthetic data with a known truth: `make` them, `write` them into a folder.

`refuse_foreign` says beforehand whether a folder may be replaced.
"""

from kcrr_analysis.demo.data_set import DemoData, make
from kcrr_analysis.demo.folder import refuse_foreign, write
from kcrr_analysis.demo.truth import Truth

__all__ = ["DemoData", "Truth", "make", "refuse_foreign", "write"]
