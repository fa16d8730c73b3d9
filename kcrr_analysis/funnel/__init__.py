"""From an impression to a client: promotion and tools, ordered funnels of persons, measures along the client's path."""

from kcrr_analysis.funnel.attraction import Attraction, attraction, attraction_per_employee
from kcrr_analysis.funnel.client_path import path
from kcrr_analysis.funnel.clients import clients
from kcrr_analysis.funnel.contacts import contacts
from kcrr_analysis.funnel.conversion import Conversion, conversion, conversions
from kcrr_analysis.funnel.definition import Definition, Step
from kcrr_analysis.funnel.measures import Measures
from kcrr_analysis.funnel.ordered import OrderedFunnel, ordered
from kcrr_analysis.funnel.outcomes import outcomes
from kcrr_analysis.funnel.partners import partners
from kcrr_analysis.funnel.promotion import Promotion, promotion
from kcrr_analysis.funnel.returns import returns
from kcrr_analysis.funnel.tools import Tools, tools

__all__ = [
    "Attraction",
    "Conversion",
    "Definition",
    "Measures",
    "OrderedFunnel",
    "Promotion",
    "Step",
    "Tools",
    "attraction",
    "attraction_per_employee",
    "clients",
    "contacts",
    "conversion",
    "conversions",
    "ordered",
    "outcomes",
    "partners",
    "path",
    "promotion",
    "returns",
    "tools",
]
