"""A format begun of the centres' own will, read from the flow: what is computed, what disclosure control forbids."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.not_randomised.after_the_fact import after_the_fact, phased_in

CENTRES = [f"01{n:03d}" for n in range(1, 9)]
MONTHS = pd.period_range("2023-01", "2025-06", freq="M")


def tables(effect: float = 0.0, centres: list[str] = CENTRES, months: pd.PeriodIndex = MONTHS) -> SimpleNamespace:
    """Sizes 40 to 300, common growth and season, the first two centres with an effect from 2025-01 on."""
    chance = np.random.default_rng(1)
    rows = []
    for place, centre in enumerate(centres):
        size = 40 + 260 * place / max(len(centres) - 1, 1)
        for at, month in enumerate(months):
            expected = size * (1 + 0.01 * at) * (1 + 0.2 * np.sin(at / 2))
            expected *= 1 + effect * (place < 2 and month >= pd.Period("2025-01", freq="M"))
            rows.append({"center_id": centre, "month": month, "applied": int(chance.poisson(expected))})
    frame = pd.DataFrame(rows).assign(scope="center", period="month", client_group="all", region_code="01")
    other = frame.assign(region_code="02", center_id="02" + frame["center_id"].str[2:])
    group = frame.assign(client_group="youth", applied=1)
    flow = pd.concat([frame, other, group], ignore_index=True)
    flow["applied"] = flow["applied"].astype("Int64")
    names = pd.DataFrame({"center_id": centres, "center_name": [f"Центр {code[-1]}" for code in centres]})
    return SimpleNamespace(flow=flow, get=lambda name: names if name == "centers" else None)


def read(data: SimpleNamespace, **settings):
    arguments = {"treated": CENTRES[:2], "start": "2025-01"} | settings
    return after_the_fact(
        data, "01", settings.pop("month", None), **{k: v for k, v in arguments.items() if k != "month"}
    )


def test_an_effect_is_found_in_percent_of_the_own_past() -> None:
    found = read(tables(0.4), rule=Rule())
    assert found.names == ("Центр 1", "Центр 2")
    assert found.title == "Обратилось за содействием"
    assert found.did.scale == "relative"
    assert found.did.low <= 40 * 1.25 <= found.did.high  # the base is the past, before the common growth
    assert found.did.significant
    assert found.did.choices == 28
    assert len(found.did.controls) == 6
    assert found.twin is not None
    assert found.twin.rank == 1
    assert found.study is not None
    assert found.study.length == 3
    flow = tables(0.4).flow
    counted = flow["center_id"].isin(CENTRES[:2]) & (flow["client_group"] == "all") & (flow["month"] >= "2025-01")
    assert found.count_after == pytest.approx(flow.loc[counted, "applied"].astype(float).mean())
    frame = found.to_frame()
    assert frame["method"].tolist() == ["difference_in_differences", "synthetic_control"]
    assert set(frame["start"]) == {"2025-01"}


def test_nothing_is_found_where_nothing_happened_and_the_month_ends_the_data() -> None:
    found = read(tables(), month="2025-03")
    assert str(found.month) == "2025-03"
    assert found.did.after == 3
    assert not found.did.significant


def test_one_centre_by_its_code() -> None:
    found = read(tables(3.0), treated=CENTRES[0])
    assert not found.did.attainable


def test_a_short_history_has_no_event_study_and_one_other_centre_no_twin() -> None:
    short = read(tables(months=MONTHS[20:]), start="2025-01")
    assert short.study is None
    pair = read(tables(centres=CENTRES[:2]), treated=CENTRES[:1])
    assert pair.twin is None
    assert len(pair.to_frame()) == 1


def test_small_counts_leave_other_centres_out_and_forbid_treated_ones() -> None:
    data = tables()
    small = (data.flow["center_id"] == CENTRES[4]) & (data.flow["month"] == MONTHS[3])
    data.flow.loc[small & (data.flow["client_group"] == "all"), "applied"] = 3
    found = read(data, rule=Rule())
    assert found.did.left_out == (CENTRES[4],)
    assert not found.small
    assert read(data).did.left_out == ()
    inside = read(data, rule=Rule(mode="internal"))
    assert inside.did.left_out == ()
    assert inside.small
    with pytest.raises(NotComputableError, match=f"У центров {CENTRES[4]} есть месяцы с малыми числами"):
        read(data, treated=[CENTRES[4]], rule=Rule())


def test_counts_that_were_hidden_before_stay_hidden() -> None:
    data = tables()
    data.flow["applied_hidden"] = (data.flow["center_id"] == CENTRES[5]) & (data.flow["month"] == MONTHS[3])
    data.flow["applied"] = data.flow["applied"].mask(data.flow["applied_hidden"])
    assert read(data, rule=Rule()).did.left_out == (CENTRES[5],)


def test_centres_that_began_at_different_times() -> None:
    starts = {CENTRES[0]: "2024-10", CENTRES[1]: "2025-01"}
    found = phased_in(tables(0.4), "01", starts=starts, rule=Rule())
    assert found.names == ("Центр 1", "Центр 2")
    assert found.effects.groups["units"].tolist() == [1, 1]
    assert found.effects.control == "not_yet"
    assert found.effects.never == 6
    frame = found.to_frame()
    assert frame["definition"].nunique() == 1
    assert len(frame) == len(found.effects.to_frame())
    with pytest.raises(NotComputableError, match="малыми числами"):
        phased_in(tables(), "01", starts=starts, rule=Rule(threshold=500))


def test_faults() -> None:
    data = tables()
    with pytest.raises(ParameterError, match="Показателя «month» нет среди чисел"):
        read(data, outcome="month")
    with pytest.raises(ParameterError, match="нет в данных: 99"):
        read(data, treated=["99"])
    with pytest.raises(NotComputableError, match="нет помесячных строк центров региона 77"):
        after_the_fact(data, "77", treated=["77001"], start="2025-01")


def test_without_a_table_of_centres_codes_name_them() -> None:
    data = tables()
    data.get = lambda name: None
    assert read(data).names == tuple(CENTRES[:2])
