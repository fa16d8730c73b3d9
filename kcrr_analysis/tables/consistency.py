"""What the tables demand of each other and of a row as a whole: keys, periods, centres, sums, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import Fault
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.tables.contracts import ALL, TABLES
from kcrr_analysis.tables.keys import first_of, fitting, group_numbers, plain
from kcrr_analysis.tables.places import center_regions, row_regions
from kcrr_analysis.tables.records import Stack

_NOT_MORE = {
    "center_months": (("client_area_m2", "floor_area_m2"),),
    "flow": (("measure_recipients", "measure_applicants"),),
    "events": (("reviews", "participants"), ("new_clients", "participants")),
    "promotion": (
        ("clicks", "impressions"), ("bounces", "sessions"), ("full_views", "video_starts"), ("customers", "leads"),
    ),
}  # fmt: skip
_PERIODS = {
    "promotion": ("period_start", "period_end"), "pilots": ("period_start", "period_end"),
    "partners": ("since", "until"),
}  # fmt: skip
_REFERENCES = {
    "event_id": "events", "service_id": "services", "partner_id": "partners",
}  # fmt: skip
_SERIES = {
    "flow": ("period", "scope", "center_id", "region_code", "client_group"),
    "external_series": ("region_code", "series_id"),
    "vacancies": ("region_code", "center_id"),
    "center_months": ("center_id",),
    "plan": ("center_id", "client_group"),
}


def inconsistencies(
    stacks: Mapping[str, Stack], dictionaries: Methodology, *, partial: bool = False
) -> Iterator[Fault]:
    """Every fault that shows only when a row, a table or the tables are seen as a whole.

    Args:
        stacks: Tables by name.
        dictionaries: Groups, tools and regions that are known.
        partial: Only one region's rows are there: a reference may well lead to another region's row.
    """
    centers = center_regions(stacks)
    for name, stack in stacks.items():
        yield from _keys(stack)
        yield from _periods(name, stack)
        yield from _not_more(name, stack)
        regions = row_regions(stack.frame, centers)
        yield from _unknown_words(stack, dictionaries, regions)
        yield from _centers(stack, stacks)
        yield from _references(stack, stacks, regions, partial=partial)
        yield from _gaps(name, stack)
    if "flow" in stacks:
        yield from _scopes(stacks["flow"])
        yield from _totals(stacks["flow"])
    if "events" in stacks:
        yield from _ratings(stacks["events"])


def _keys(stack: Stack) -> Iterator[Fault]:
    key = list(stack.table.key)
    frame = stack.frame
    whole = np.ones(len(frame), dtype=bool)
    for name in key:
        if not stack.table.columns[name].nullable:
            whole &= frame[name].notna().to_numpy()
        whole &= ~stack.unread(name) | frame[name].notna().to_numpy()
    numbers = group_numbers(frame, key)
    again = whole & pd.Series(numbers).where(whole, -1).duplicated().to_numpy()
    if not again.any():
        return
    first = dict(zip(numbers[whole][::-1].tolist(), np.flatnonzero(whole)[::-1].tolist(), strict=True))
    titles = ", ".join(f"«{stack.table.columns[name].title}»" for name in key)
    for at in np.flatnonzero(again):
        origin, row = stack.place(first[int(numbers[at])])
        value = " · ".join(str(frame[name].iloc[at]) for name in key if pd.notna(frame[name].iloc[at]))
        message = f"строка повторяет ключ ({titles}): он уже есть в {origin.label}, строка {origin.rows[row]}"
        yield stack.fault(int(at), key[0], message, "Оставьте одну из строк.", value=value)


def _periods(name: str, stack: Stack) -> Iterator[Fault]:
    if name not in _PERIODS:
        return
    start, end = _PERIODS[name]
    late = (stack.frame[end] < stack.frame[start]).to_numpy(dtype=bool)
    for at in np.flatnonzero(late):
        begun = stack.frame[start].iloc[at].date().isoformat()
        yield stack.fault(int(at), end, f"конец периода раньше начала ({begun})", "Исправьте дату начала или конца.")


def _not_more(name: str, stack: Stack) -> Iterator[Fault]:
    for less, more in _NOT_MORE.get(name, ()):
        left, right = _floats(stack.frame[less]), _floats(stack.frame[more])
        columns = stack.table.columns
        for at in np.flatnonzero(left > right):
            yield stack.fault(
                int(at), less, f"«{columns[less].title}» больше, чем «{columns[more].title}»",
                "Проверьте обе величины.", "warning", other=_plain(right[at]),
            )  # fmt: skip


def _plain(number: float) -> str:
    """A number as an analyst writes it: no exponent, decimal comma."""
    return np.format_float_positional(number, trim="-").replace(".", ",")


def _floats(values: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(values.astype("Float64").to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)


def _unknown_words(stack: Stack, dictionaries: Methodology, regions: pd.Series[Any]) -> Iterator[Fault]:
    known: dict[str, Iterable[str]] = {
        "groups": dictionaries.groups, "tools": dictionaries.tools, "regions": dictionaries.regions,
    }  # fmt: skip
    titles = {
        "groups": ("клиентской группы нет в словаре", "groups"),
        "tools": ("инструмента нет в словаре", "tools"),
        "regions": ("такого кода региона нет", "regions"),
    }
    for column in stack.table.columns.values():
        if column.dictionary is None or not known[column.dictionary]:
            continue
        message, file = titles[column.dictionary]
        remedy = f"Исправьте код или добавьте его в methodology/{file}.yaml в папке данных."
        values = stack.frame[column.name]
        if column.pattern:
            values = values.where(fitting(values, column.pattern))
        yield from _once_each(stack, column.name, values, regions, set(known[column.dictionary]), (message, remedy))


def _once_each(  # noqa: PLR0917 - what to say comes last
    stack: Stack, column: str, values: pd.Series[Any], regions: pd.Series[Any], known: set[str], words: tuple[str, str]
) -> Iterator[Fault]:  # fmt: skip
    """One warning for each unknown value and region, at its first row, with the number of rows."""
    unknown = [value for value in values.dropna().unique() if value not in known]
    if not unknown:
        return
    message, remedy = words
    rows = np.flatnonzero(values.isin(unknown).to_numpy(dtype=bool, na_value=False))
    pairs = pd.DataFrame({"value": values.iloc[rows].to_numpy(), "region": regions.iloc[rows].to_numpy()})
    numbers = group_numbers(pairs, ["value", "region"])
    counts = np.bincount(numbers)
    for number, at in enumerate(rows[first_of(numbers)].tolist()):
        more = f" (строк: {counts[number]})" if counts[number] > 1 else ""
        yield stack.fault(at, column, message + more, remedy, "warning", value=values.iloc[at])


def _centers(stack: Stack, stacks: Mapping[str, Stack]) -> Iterator[Fault]:
    columns = stack.table.columns
    if "center_id" not in columns or stack.table.name == "centers":
        return
    frame = stack.frame
    if "centers" not in stacks:
        if "region_code" not in columns and len(frame):
            part = stack.parts[0]
            yield part.fault(
                None, "", None, "нет таблицы «Кадровые центры» (centers), регион строк неизвестен",
                "Добавьте файл centers.csv или centers.xlsx.", "warning",
            )  # fmt: skip
        return
    centers = stacks["centers"].frame.dropna(subset=["center_id"]).drop_duplicates("center_id")
    region = pd.Series(centers["region_code"].to_numpy(), index=centers["center_id"].to_numpy(), dtype="string")
    has = frame["center_id"].notna()
    lost = has & ~frame["center_id"].isin(region.index)
    for at in np.flatnonzero(lost.to_numpy(dtype=bool)):
        yield stack.fault(
            int(at), "center_id", "такого центра нет в таблице «Кадровые центры» (centers)",
            "Исправьте код центра или добавьте центр в centers.",
        )  # fmt: skip
    if "region_code" in columns:
        due = frame["center_id"].map(region).astype("string")
        differs = (due != frame["region_code"]).fillna(False).to_numpy(dtype=bool)
        for at in np.flatnonzero(differs):
            yield stack.fault(
                int(at), "region_code",
                f"центр {frame['center_id'].iloc[at]} по таблице centers относится к региону {due.iloc[at]}",
                "Исправьте код региона или код центра.",
            )  # fmt: skip


def _references(
    stack: Stack, stacks: Mapping[str, Stack], regions: pd.Series[Any], *, partial: bool
) -> Iterator[Fault]:
    for column, target in _REFERENCES.items():
        if column not in stack.table.columns or target == stack.table.name or target not in stacks:
            continue
        if partial and "region_code" in TABLES[target].columns:
            continue
        known = set(stacks[target].frame[column].dropna())
        message = f"такого кода нет в таблице «{TABLES[target].title}» ({target})"
        remedy = f"Исправьте код или добавьте строку в {target}."
        yield from _once_each(stack, column, stack.frame[column], regions, known, (message, remedy))


def _gaps(name: str, stack: Stack) -> Iterator[Fault]:
    """Months missing inside a series: one warning a series.

    The least distance between two months of a series is its step, so that yearly or quarterly series have no gaps.
    """
    if name not in _SERIES:
        return
    keys = list(_SERIES[name])
    frame = stack.frame
    use = frame["month"].notna().to_numpy()
    if name == "flow":
        use &= (frame["client_group"] == ALL).to_numpy(dtype=bool, na_value=False)
    rows = np.flatnonzero(use)
    if not len(rows):
        return
    series = group_numbers(frame, keys)[rows]
    months = plain(frame["month"]).to_numpy()[rows]
    order = np.lexsort((months, series))
    rows, series, months = rows[order], series[order], months[order]
    steps = np.diff(months)
    inside = (np.diff(series) == 0) & (steps > 0)
    step = pd.Series(steps[inside]).groupby(series[1:][inside]).transform("min").to_numpy()
    wide = np.flatnonzero(inside)[steps[inside] > step]
    sizes = dict(zip(series[1:][inside].tolist(), step.tolist(), strict=True))
    for number in dict.fromkeys(series[wide].tolist()):
        own = np.flatnonzero(series == number)
        have = set(months[own].tolist())
        span = range(int(months[own[0]]), int(months[own[-1]]) + 1, int(sizes[number]))
        absent = [str(pd.Period(ordinal=month, freq="M")) for month in span if month not in have]
        shown = ", ".join(absent[:6]) + (f" и ещё {len(absent) - 6}" if len(absent) > 6 else "")
        at = int(rows[own[0]])
        title = " · ".join(str(frame[key].iloc[at]) for key in keys if pd.notna(frame[key].iloc[at]))
        yield stack.fault(
            at, "month", f"в ряду «{title}» пропущены месяцы: {shown}",
            "Добавьте строки за эти месяцы или учтите пропуск в выводах.", "warning", value="",
        )  # fmt: skip


def _scopes(stack: Stack) -> Iterator[Fault]:
    frame = stack.frame
    center = (frame["scope"] == "center").fillna(False).to_numpy(dtype=bool)
    region = (frame["scope"] == "region").fillna(False).to_numpy(dtype=bool)
    has_center, has_region = frame["center_id"].notna().to_numpy(), frame["region_code"].notna().to_numpy()
    unread = stack.unread("center_id") | stack.unread("region_code")
    for at in np.flatnonzero(center & ~has_center & ~unread):
        yield stack.fault(
            int(at), "center_id", "в строке уровня «центр» нет кода центра", "Заполните код центра.", value=""
        )
    for at in np.flatnonzero(region & ~has_region & ~unread):
        yield stack.fault(
            int(at), "region_code", "в строке уровня «регион» нет кода региона", "Заполните код региона.", value=""
        )
    for at in np.flatnonzero(region & has_center):
        yield stack.fault(
            int(at), "center_id", "в строке уровня «регион» указан центр",
            "Очистите код центра или укажите уровень «центр».",
        )  # fmt: skip


def _totals(stack: Stack) -> Iterator[Fault]:
    """Months of groups without a row for all clients: groups overlap, so the total cannot be added up."""
    frame = stack.frame
    units = ["period", "scope", "center_id", "region_code"]
    cells = group_numbers(frame, ["month", *units])
    total = (frame["client_group"] == ALL).to_numpy(dtype=bool, na_value=False)
    with_total = np.isin(cells, np.unique(cells[total]))
    lacking = np.flatnonzero(~with_total & frame["client_group"].notna().to_numpy() & frame["month"].notna().to_numpy())
    if not len(lacking):
        return
    of_unit = group_numbers(frame, units)[lacking]
    for number in dict.fromkeys(of_unit.tolist()):
        own = lacking[of_unit == number]
        months = sorted(set(plain(frame["month"]).to_numpy()[own].tolist()))
        first, last = (str(pd.Period(ordinal=month, freq="M")) for month in (months[0], months[-1]))
        span = first if first == last else f"{first} — {last}"
        yield stack.fault(
            int(own[0]), "client_group",
            f"нет строки «all» (все клиенты), итог вычислить нельзя; месяцы: {span} (число месяцев: {len(months)})",
            "Добавьте строки с группой all: группы пересекаются, и складывать их нельзя.", "warning", value="",
        )  # fmt: skip


def _ratings(stack: Stack) -> Iterator[Fault]:
    frame = stack.frame
    stars = frame[[f"rating_{n}" for n in range(1, 6)]].astype("Float64")
    given = stars.notna().any(axis=1).to_numpy(dtype=bool)
    counted = stars.fillna(0).sum(axis=1).to_numpy(dtype="float64")
    reviews, mean = _floats(frame["reviews"]), _floats(frame["mean_rating"])
    for at in np.flatnonzero(given & ~np.isnan(reviews) & (counted != reviews)):
        yield stack.fault(
            int(at), "reviews", "число отзывов не равно сумме оценок от 1 до 5",
            "Проверьте число отзывов и оценки.", "warning", other=_plain(counted[at]),
        )  # fmt: skip
    weights = np.arange(1, 6)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (stars.fillna(0).to_numpy(dtype="float64") * weights).sum(axis=1) / counted
    for at in np.flatnonzero(given & (counted > 0) & (np.abs(mean - own) > 0.0501)):
        yield stack.fault(
            int(at), "mean_rating", "средняя оценка не сходится с оценками от 1 до 5",
            "Проверьте среднюю оценку и оценки.", "warning", other=f"{own[at]:.2f}".replace(".", ","),
        )  # fmt: skip
    for at in np.flatnonzero((reviews > 0) & np.isnan(mean) & ~given):
        yield stack.fault(
            int(at), "mean_rating", "есть отзывы, но нет ни средней оценки, ни оценок от 1 до 5",
            "Добавьте среднюю оценку или число оценок каждого балла.", "warning", value="",
        )  # fmt: skip
