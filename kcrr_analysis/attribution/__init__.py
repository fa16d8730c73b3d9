"""Who counts as converted, and by what: touches, conversions, window and model, stated with every figure."""

from kcrr_analysis.attribution.credit import Attribution, attribute
from kcrr_analysis.attribution.employees import AttractionPerEmployee, per_employee

__all__ = ["AttractionPerEmployee", "Attribution", "attribute", "per_employee"]
