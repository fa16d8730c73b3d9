"""Client attraction of the employment centres «Работа России»: measure it, explain it, hand it in.

`import kcrr_analysis as kcrr` is the one way in. What is public:

    kcrr.tables        load(folder), check(folder): the data contracts and their readers
    kcrr.methodology   the recommendations as data: stages, tools, groups, indicators, measures, regions
    kcrr.disclosure    Rule, protect: which small cells may be shown
    kcrr.indicators    official, coverage, building, plan, market, consistency ...: the official indicators
    kcrr.ipk           score, overview, compare, reward: the client attraction index (ИПК)
    kcrr.funnel        conversion, tools, ordered, path, clients, returns, contacts, outcomes, partners
    kcrr.experiments   Design, Protocol, boundaries, power, pool ...: pilots from the draw to the decision
    kcrr.costs         Rates, contact_cost, scenario: what a contact costs and returns
    kcrr.attribution   attribute, per_employee: who counts as converted
    kcrr.stats         wilson, newcombe, miettinen_nurminen, poisson, ratio, rank_intervals ...
    kcrr.reporting     Report and its blocks; HTML, Word, JSON
    kcrr.demo          make, write: the synthetic data set with a known truth

For notebooks: `kcrr.open_chapter`, `kcrr.show`, `kcrr.key_figures`.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = (
    "attribution", "costs", "demo", "disclosure", "experiments", "funnel", "indicators", "ipk", "methodology",
    "reporting", "stats", "tables",
)  # fmt: skip
_FOR_NOTEBOOKS = ("key_figures", "open_chapter", "show")

__all__ = [*_ROOMS, *_FOR_NOTEBOOKS, "__version__"]  # noqa: PLE0604 - names of rooms are loaded on first use


def __getattr__(name: str) -> Any:
    """Rooms are imported on first use, so that the command line starts at once."""
    if name in _ROOMS:
        return importlib.import_module(f"kcrr_analysis.{name}")
    if name in _FOR_NOTEBOOKS:
        return getattr(importlib.import_module("kcrr_analysis.reporting.chapters"), name)
    raise AttributeError(f"module 'kcrr_analysis' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
