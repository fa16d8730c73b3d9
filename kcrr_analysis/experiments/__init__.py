"""Pilots of new services and formats: design, assign, fix the protocol, read out, decide.

design            `Design(...)`: unit, cluster, arms, method, seed; `.assign(units)` -> `Assignment`, `.power(...)`
protocol          `Protocol(...)`, `.save(path)`, `Protocol.load(path)`; its parts `Outcome`, `Looks`, `Costs`, `Rule`
readout           `Protocol.analyze(assignment, outcomes)` -> `Readout`; an earlier assignment: `read_assignment`
the data tables   `pilot`, `by_region`, `pipeline`; before a pilot: `plan`, `draw`
power             `power` -> `Power`, on past data `simulated_power`; `icc` -> `Icc`, `autocorrelation`, `design_effect`
looks             `boundaries`, `spending`, `crossing`
can it be trusted `placebo` (A/A on the past), `contamination`, `simultaneous`, `bounds` of what is missing
deeper            `segment_effects` (exploratory), `pool` (several regions) -> `Pooled`
without a draw    `after_the_fact`; `panel`, `difference_in_differences`, `event_study`, `staggered`,
                  `synthetic_control`
"""

from kcrr_analysis.experiments.assignment import Assignment, read_assignment
from kcrr_analysis.experiments.boundaries import boundaries, crossing, spending
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.not_randomised.after_the_fact import after_the_fact
from kcrr_analysis.experiments.not_randomised.did import difference_in_differences
from kcrr_analysis.experiments.not_randomised.event_study import event_study
from kcrr_analysis.experiments.not_randomised.panel import panel
from kcrr_analysis.experiments.not_randomised.staggered import staggered
from kcrr_analysis.experiments.not_randomised.synthetic import synthetic_control
from kcrr_analysis.experiments.outcomes import Outcome
from kcrr_analysis.experiments.pilots import by_region, pilot
from kcrr_analysis.experiments.pipeline import pipeline
from kcrr_analysis.experiments.planning import draw, plan
from kcrr_analysis.experiments.pool import Pooled, pool
from kcrr_analysis.experiments.protocol import Costs, Looks, Protocol, Rule
from kcrr_analysis.experiments.readout import Readout
from kcrr_analysis.experiments.segments import segment_effects
from kcrr_analysis.experiments.sizing.autocorrelation import autocorrelation
from kcrr_analysis.experiments.sizing.closed_form import Power, power
from kcrr_analysis.experiments.sizing.icc import Icc, design_effect, icc
from kcrr_analysis.experiments.sizing.simulated import simulated_power
from kcrr_analysis.experiments.validity.aa_test import placebo
from kcrr_analysis.experiments.validity.bounds import bounds
from kcrr_analysis.experiments.validity.interference import contamination, simultaneous

__all__ = [
    "Assignment",
    "Costs",
    "Design",
    "Icc",
    "Looks",
    "Outcome",
    "Pooled",
    "Power",
    "Protocol",
    "Readout",
    "Rule",
    "after_the_fact",
    "autocorrelation",
    "boundaries",
    "bounds",
    "by_region",
    "contamination",
    "crossing",
    "design_effect",
    "difference_in_differences",
    "draw",
    "event_study",
    "icc",
    "panel",
    "pilot",
    "pipeline",
    "placebo",
    "plan",
    "pool",
    "power",
    "read_assignment",
    "segment_effects",
    "simulated_power",
    "simultaneous",
    "spending",
    "staggered",
    "synthetic_control",
]
