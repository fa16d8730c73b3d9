"""The packaged dictionaries say what the recommendations say, and nothing in them dangles."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kcrr_analysis import methodology
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.contracts import TABLES


def columns() -> set[str]:
    return {f"{table}.{column}" for table, contract in TABLES.items() for column in contract.columns}


def test_dictionaries_cannot_be_changed() -> None:
    tools = methodology.tools()
    with pytest.raises(TypeError):
        tools["x"] = next(iter(tools.values()))  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        tools["open_day"].title = "Другое"  # type: ignore[misc]
    with pytest.raises(TypeError):
        methodology.groups()["school"].needs["x"] = "y"  # type: ignore[index]


def test_stages_are_the_five_of_the_cycle() -> None:
    assert list(methodology.stages()) == ["0", "1", "2", "3", "4"]
    used = {tool.stage for tool in methodology.tools().values()}
    assert used == set(methodology.stages())


def test_ten_official_indicators() -> None:
    indicators = methodology.indicators()
    assert [indicator.number for indicator in indicators.values()] == list(range(1, 11))
    assert list(indicators) == [
        "registered",
        "applied",
        "measure_applicants",
        "measures_delivered",
        "svo_measure_applicants",
        "teen_guidance_coverage",
        "disability_coverage",
        "graduates_coverage",
        "visits_per_m2",
        "services_per_employee",
    ]
    assert all(indicator.starts_2026 == "unknown" for indicator in indicators.values())
    assert all(indicator.keep_or_grow.kept_within_percent == 2 for indicator in indicators.values())
    assert all(indicator.keep_or_grow.min_history_months == 24 for indicator in indicators.values())


def test_indicator_1_is_a_stock_and_2_a_flow() -> None:
    indicators = methodology.indicators()
    assert (indicators["registered"].kind, indicators["registered"].numerator) == ("stock", "flow.registered_stock")
    assert (indicators["applied"].kind, indicators["applied"].numerator) == ("flow", "flow.applied")


def test_family_members_are_not_in_indicator_5() -> None:
    assert methodology.indicators()["svo_measure_applicants"].client_group == "svo_participants"
    assert methodology.groups()["svo_family"].parent == "svo"


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("teen_guidance_coverage", "teen_14_17"),
        ("disability_coverage", "disability"),
        ("graduates_coverage", "graduates"),
    ],
)
def test_coverage_divides_a_group_by_its_own_population(name: str, group: str) -> None:
    indicator = methodology.indicators()[name]
    assert (indicator.client_group, indicator.denominator_group) == (group, group)
    assert indicator.denominator == "population.population"
    assert (indicator.unit, indicator.scale) == ("%", 100)


def test_area_of_indicator_9_is_a_choice() -> None:
    indicator = methodology.indicators()["visits_per_m2"]
    assert indicator.numerator == "flow.visits"
    assert indicator.denominator == "center_months.floor_area_m2"
    assert indicator.denominator_options == ("center_months.floor_area_m2", "center_months.client_area_m2")


def test_columns_named_by_indicators_measures_and_tools_exist() -> None:
    named: set[str] = set()
    for indicator in methodology.indicators().values():
        named |= {indicator.numerator, *indicator.numerator_options, *indicator.denominator_options}
        named |= {indicator.denominator} if indicator.denominator else set()
    for measure in methodology.measures().values():
        named |= set(measure.source)
        assert set(measure.denominators) <= set(measure.source)
        assert measure.numerator is None or measure.numerator in measure.source
    assert named <= columns()
    tables = {table for tool in methodology.tools().values() for table in tool.recorded_in}
    assert tables <= set(TABLES)


def test_measures_need_data() -> None:
    assert all(measure.source for measure in methodology.measures().values())


def test_weight_classes_named_by_the_source_are_not_assumed() -> None:
    tools = methodology.tools()
    named = {
        3: ("gala_reception", "career_day", "employer_visit", "mass_event"),
        2: ("webinar", "seminar", "youth_contest", "impression_contest", "svo_employer_contest", "online_test"),
        1: ("mailing", "outdoor_ads", "smm", "viral_social", "flyer", "poll_qr", "client_survey"),
    }
    for weight, names in named.items():
        for name in names:
            assert (tools[name].default_weight, tools[name].weight_assumed) == (weight, False), name


@pytest.mark.parametrize("name", ["job_fair", "open_day", "proftour", "group_chat", "personal_meeting"])
def test_weight_classes_that_the_source_leaves_open_are_assumed(name: str) -> None:
    tool = methodology.tools()[name]
    assert tool.weight_assumed
    assert tool.default_weight in {1, 2, 3}
    assert tool.weight_reason


def test_interaction_beats_channel() -> None:
    tools = methodology.tools()
    chat, posts = tools["group_chat"].default_weight, tools["smm"].default_weight
    assert chat is not None
    assert posts is not None
    assert chat > posts


def test_every_event_format_has_a_weight_with_its_reason() -> None:
    for name, tool in methodology.tools().items():
        assert ("events" in tool.recorded_in) == (tool.default_weight is not None), name
        assert (tool.default_weight is None) == (tool.weight_reason == ""), name


def test_tools_of_attention_tell_their_cost_and_a_conversion() -> None:
    conversions = {
        "participant_conversion", "applications", "registrations", "subscriptions", "cost_per_lead",
        "partner_conversion", "partner_count", "priority_placement", "building_fill",
    }  # fmt: skip
    for name, tool in methodology.tools().items():
        if tool.stage == "1" and name != "svo_partnership":
            assert "contact_cost" in tool.indicators, name
            assert conversions & set(tool.indicators), name


def test_groups_of_the_contracts() -> None:
    groups = methodology.groups()
    assert next(iter(groups)) == "all"
    assert set(groups) == {
        "all", "youth", "school", "students", "graduates", "teen_14_17", "svo", "svo_participants", "svo_veterans",
        "donbass_defenders", "svo_family", "disability", "broad",
    }  # fmt: skip
    assert [name for name, group in groups.items() if group.kind == "residual"] == ["broad"]
    assert [name for name, group in groups.items() if group.special_category] == ["disability"]
    assert methodology.load().subgroups("svo") == (
        "svo_participants", "svo_veterans", "donbass_defenders", "svo_family",
    )  # fmt: skip


def test_every_need_and_task_is_answered_by_a_chain() -> None:
    for name, group in methodology.groups().items():
        assert {chain.need for chain in group.chains} == set(group.needs), name
        assert {chain.task for chain in group.chains} == set(group.tasks), name
        assert group.outcomes or name == "all", name


def test_tools_of_a_group_are_named_once() -> None:
    tools = methodology.groups()["youth"].tools
    assert len(tools) == len(set(tools))
    assert {"online_stream", "youth_contest", "job_fair"} <= set(tools)


def test_a_groups_tools_are_meant_for_it() -> None:
    groups, tools = methodology.groups(), methodology.tools()
    subgroups = methodology.load().subgroups
    for name, group in groups.items():
        kin = {"all", name, group.parent, *subgroups(name)}
        if group.kind == "age":
            kin |= set(subgroups(group.parent or ""))
        for tool in group.tools:
            assert set(tools[tool].groups) & kin, (name, tool)


def test_special_category_measures() -> None:
    health = {name for name, measure in methodology.measures().items() if measure.special_category}
    assert {"psychological_support", "labour_market_integration", "accompanied_placement", "accessibility"} <= health


def test_departments_are_the_rows_of_the_matrix() -> None:
    departments = methodology.departments()
    rows = [department.number for department in departments.values()]
    assert rows == [*range(1, 12), None]
    marketing = departments["marketing"]
    assert marketing.optional
    assert "строку 8" in marketing.note
    assert len(departments["client_experience"].units) == 2
    assert not any(department.optional for name, department in departments.items() if name != "marketing")


def test_no_text_leads_outside() -> None:
    text = repr(methodology.load())
    assert not re.search(r"https?://|www\.", text)


def test_weights_are_three_two_one() -> None:
    scheme = methodology.index_scheme()
    assert {code: weight.value for code, weight in scheme.weights.items()} == {1: 1, 2: 2, 3: 3}
    assert {code: weight.class_id for code, weight in scheme.weights.items()} == {1: "low", 2: "medium", 3: "high"}


def test_bands_are_those_of_the_source() -> None:
    scheme = methodology.index_scheme()
    assert {name: (band.low, band.high) for name, band in scheme.bands.items()} == {
        "low": (0.5, 0.7),
        "medium": (0.8, 1.2),
        "high": (1.3, 1.5),
    }
    assert (scheme.engagement_low, scheme.engagement_high) == (0.5, 1.5)
    assert (scheme.cut_medium, scheme.cut_high) == (0.75, 1.25)
    assert (scheme.rating_low, scheme.rating_neutral, scheme.rating_high) == (1, 3, 5)
    assert scheme.min_events_for_interval == 5


@pytest.mark.parametrize(
    ("value", "band", "between"),
    [
        (0.5, "low", False), (0.7, "low", False), (0.71, "low", True), (0.749, "low", True), (0.75, "medium", True),
        (0.8, "medium", False), (1.2, "medium", False), (1.2499, "medium", True), (1.25, "high", True),
        (1.3, "high", False), (1.5, "high", False),
    ],
)  # fmt: skip
def test_place_of_an_engagement(value: float, band: str, between: bool) -> None:
    placed = methodology.index_scheme().place(value)
    assert (placed.band.band_id, placed.between) == (band, between)


@given(st.floats(0.5, 1.5))
def test_every_accepted_engagement_has_one_band(value: float) -> None:
    scheme = methodology.index_scheme()
    placed = scheme.place(value)
    ends = [end for band in scheme.bands.values() for end in (band.low, band.high)]
    assume(value in ends or min(abs(value - end) for end in ends) > 1e-8)
    inside = [band for band in scheme.bands.values() if band.low <= value <= band.high]
    assert placed.between == (not inside)
    assert not inside or placed.band == inside[0]


def test_noise_of_averaging_is_no_gap() -> None:
    averaged = 7 * 0.1
    assert averaged != 0.7
    assert not methodology.index_scheme().place(averaged).between
    assert not methodology.index_scheme().place(1.2000000000000002).between
    assert methodology.index_scheme().place(1.5000000000000002).band.band_id == "high"


@pytest.mark.parametrize("value", [0.49, 1.51, 0.0, -1.0, float("nan"), float("inf")])
def test_engagement_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(ParameterError, match="от 0,5 до 1,5"):
        methodology.index_scheme().place(value)
