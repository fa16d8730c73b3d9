"""View of the measures along the client's path: what differs, one table of shares, tables by level, what is missing."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.funnel.measures import COMPLETE_COUNT, MeasureDefinition, Measures
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Hidden,
    Interval,
    KeyFigure,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, point, rows_of
from kcrr_analysis.reporting.views.funnel.measure_words import conclusions

LONGEST = 15
"""Rows of one table; of further levels those with the largest denominators are kept."""

CHARTED = 3
"""Levels with a shown interval that make a chart worth drawing."""

CHARTED_PERSONS = 10
"""Persons under whom an interval is too wide to draw."""

HEADLINES: dict[str, tuple[tuple[str, str], ...]] = {
    "clients": (("services_per_client", "all"), ("path_completion", "whole"), ("inbound_conversion", "")),
    "returns": (("return_rate", ""), ("return_rate", "gap"), ("additional_service_return", "")),
    "contacts": (("proactive_contact_rate", ""), ("call_attempted_share", ""), ("call_reached_share", "")),
    "outcomes": (("outcome_known_share", ""), ("placement", ""), ("placement", "known")),
    "partners": (("partner_count", ""), ("partner_conversion", "")),
}
"""Key figures of each theme: the rows of everybody together."""

HIDDEN_LEVELS = "Скрыто (малые числа и те, что их раскрывают)"

CHARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "clients": (("path_completion", "whole"), ("services_per_client", "all")),
    "returns": (("return_rate", "gap"),),
    "contacts": (("call_reached_share", ""),),
    "outcomes": (("placement", ""),),
    "partners": (("partner_conversion", ""),),
}
"""Measures drawn by level, at most two a theme."""


BY = {
    "client_group": "по клиентским группам",
    "partner_kind": "по видам партнёров",
    "tool": "по инструментам",
    "source": "по источникам сведений",
    "step": "по шагам",
    "transition": "по переходам",
}
"""How a table's or chart's title names its levels."""


@build.register
def measures(result: Measures) -> Section:
    """Conclusions, a table of the measures with one figure, a table and a chart for those with levels, the reasons."""
    rows = result.rows
    period = formats.month_range(result.month - (result.months - 1), result.month)
    single: list[pd.DataFrame] = []
    tables: list[Block] = []
    withheld: list[str] = []
    for (measure_id, variant), part in rows[rows["reason"] == ""].groupby(["measure_id", "variant"], sort=False):
        definition = result.definitions[str(measure_id), str(variant)]
        shown, silent = _kept(part)
        if measure_id == "partner_group_map":
            tables.append(_map(definition, part, period))
            continue
        if len(shown) > 1:
            tables += _by_level(result, definition, shown, silent, period)
            continue
        single.append(shown)
        withheld += [f"«{definition.title}» ({formats.enumeration(silent)})"] if silent else []
    blocks: list[Block] = [Paragraph(words, "conclusion") for words in conclusions(result)]
    blocks += _summary(result, single, withheld, period)
    blocks += tables
    blocks += _reasons(rows)
    blocks.append(Paragraph(_reading(result), "definition"))
    figures = tuple(_key_figure(result, *key, period) for key in HEADLINES[result.topic] if key in result.definitions)
    return Section(title=result.title, blocks=tuple(blocks), key_figures=figures)


def _reading(result: Measures) -> str:
    """What holds for all tables of the section: settings, methods, flags."""
    rows = result.rows
    methods = [method for method in dict.fromkeys(rows["method"]) if method and method != COMPLETE_COUNT]
    said = [*result.notes]
    if methods:
        computed = rows[rows["reason"] == ""]
        used = dict.fromkeys(zip(computed["measure_id"], computed["variant"], strict=True))
        meaning = dict.fromkeys(result.definitions[key].interval for key in used)
        said.append(f"{' '.join(meaning)} Методы: {'; '.join(methods)}.")
    if rows["flags"].str.contains("small_base").any():
        said.append("Малая база — в знаменателе меньше 30 человек: интервал широк, сравнивать группы нельзя.")
    if _waits(rows):
        said.append("Окно не прошло — срок наблюдения не кончился к концу периода: в доли эти люди не входят.")
    settings = "; ".join(f"{name[:1].lower()}{name[1:]} — {value}" for name, value in result.settings.items())
    return f"{' '.join(said)} Параметры: {settings}."


def _summary(result: Measures, single: list[pd.DataFrame], withheld: list[str], period: str) -> list[Block]:
    """Measures with one figure: shares in one table, counts in another."""
    blocks: list[Block] = []
    rows = [row for part in single for row in rows_of(part)]
    shares = [row for row in rows if row.unit == "%"]
    rest = [row for row in rows if row.unit != "%"]
    silent = (f"{HIDDEN_LEVELS}: {'; '.join(withheld)}.",) if withheld else ()
    if shares:
        waiting = any(not math.isnan(row.immature) or row.immature_hidden for row in shares)
        blocks.append(
            Table(
                title=f"Доли людей, {period}",
                columns=(
                    Column("Мера"),
                    Column("Числитель, чел.", "int"),
                    Column("Знаменатель, чел.", "int"),
                    Column("Доля", "percent"),
                    Column(_interval_title(result), "percent"),
                    *((Column("Окно не прошло, чел.", "int"),) if waiting else ()),
                ),
                rows=tuple(
                    (_name(result, row), *_figures(row), *((_waiting(row),) if waiting else ())) for row in shares
                ),
                notes=(*_counted(result, shares), *silent),
            )
        )
    if rest:
        blocks.append(
            Table(
                title=f"Числа и средние, {period}",
                columns=(Column("Мера"), Column("Значение"), Column(_interval_title(result))),
                rows=tuple((_name(result, row), _worded(row), _worded_interval(row)) for row in rest),
                notes=(*_counted(result, rest), *(() if shares else silent)),
            )
        )
    return blocks


def _counted(result: Measures, rows: list[Any]) -> tuple[str, ...]:
    named = dict.fromkeys(result.definitions[row.measure_id, row.variant] for row in rows)
    return tuple(f"{one.title}. {one.counted}" for one in named)


def _worded(row: Any) -> Cell:
    """A value of any unit in a column of texts."""
    if math.isnan(row.value):
        return Hidden()
    whole = formats.number(row.value, 2 if row.unit == "ед./чел." else 0)
    of = f" ({formats.integer(row.numerator)} / {formats.integer(row.denominator)})" if row.denominator > 0 else ""
    return f"{whole} {row.unit}{of}" + (formats.MARK if row.value_hidden else "")


def _worded_interval(row: Any) -> Cell:
    cell = _interval(row)
    return formats.interval(cell.low, cell.high, "number", 2) if isinstance(cell, Interval) else cell


def _by_level(
    result: Measures, definition: MeasureDefinition, shown: pd.DataFrame, silent: list[str], period: str
) -> list[Block]:
    """Table of one measure by level, with its chart."""
    mean = definition.unit == "ед./чел."
    kinds = [kind for kind in dict.fromkeys(shown["kind"]) if kind != "all"]
    heads = dict.fromkeys(shown.loc[shown["kind"] != "all", "kind_title"])
    head = next(iter(heads)) if len(heads) == 1 and kinds[0] != "union" else "Уровень"
    by = f" {BY[kinds[0]]}" if len(kinds) == 1 and kinds[0] in BY else ""
    notes = [definition.counted]
    if definition.whole:
        columns: tuple[Column, ...] = (
            Column(head),
            Column(_headed(definition.part, mean=mean), "int"),
            Column(_headed(definition.whole, mean=mean), "int"),
            Column("На человека", "number", 2) if mean else Column("Доля", "percent"),
            Column(_interval_title(result), "number", 2) if mean else Column(_interval_title(result), "percent"),
        )
        cells: list[tuple[Cell, ...]] = [(_level(row), *_figures(row)) for row in rows_of(shown)]
        notes += _waiting_words(shown)
    else:
        columns = (Column(head), Column(f"Число, {definition.unit}", "int"))
        cells = [(row.level_title, count_cell(row.value, row.value_hidden)) for row in rows_of(shown)]
        notes.append("Сплошной учёт.")
    if silent:
        notes.append(f"{HIDDEN_LEVELS}: {formats.enumeration(silent)}.")
    if len(shown) > LONGEST:
        size = shown["denominator"].fillna(shown["numerator"]).fillna(0).mask(shown["kind"] == "all", math.inf)
        kept = sorted(size.reset_index(drop=True).sort_values(ascending=False, kind="stable").index[:LONGEST])
        notes.append(f"Показано {LONGEST} уровней с наибольшими знаменателями из {len(shown)}.")
        shown, cells = shown.iloc[kept], [cells[place] for place in kept]
    if definition.special_category:
        notes.append("Сведения о здоровье: только сводные числа, малые скрываются.")
    table = Table(
        title=f"{definition.title}{by}, {period}",
        columns=columns,
        rows=tuple(cells),
        notes=tuple(notes),
        emphasised=tuple(place for place, row in enumerate(rows_of(shown)) if row.kind == "all"),
    )
    charted = (definition.measure_id, definition.variant) in CHARTS[result.topic]
    return [table, *(_chart(definition, shown, period) if charted else ())]


def _waiting_words(shown: pd.DataFrame) -> list[str]:
    """How many persons wait, where everybody's row says so."""
    row: Any = next(rows_of(shown[shown["immature"].notna() & ~shown["immature_hidden"]]), None)
    if row is None or not row.immature:
        return []
    return [f"Окно не прошло: {formats.people(row.immature)} ({row.level_title.lower()})."]


def _map(definition: MeasureDefinition, part: pd.DataFrame, period: str) -> Table:
    """Which partners help with which group; groups without a partner stay with an empty list."""
    named = (
        part[part["kind"] == "pair"].groupby(part["level"].str.partition(">")[0], sort=False)["level_title"].agg(list)
    )
    groups = part[part["kind"] == "client_group"]
    return Table(
        title=f"{definition.title}, {period}",
        columns=(Column("Клиентская группа"), Column("Партнёров", "int"), Column("Кто")),
        rows=tuple(
            (row.level_title, int(row.value), "; ".join(named.get(row.level, ["партнёра нет"])))
            for row in rows_of(groups)
        ),
        notes=(definition.counted, "Сплошной учёт."),
    )


def _headed(words: str, *, mean: bool) -> str:
    head = words[:1].upper() + words[1:]
    return head if mean or words.startswith("сервисов") else f"{head}, чел."


def _kept(part: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Rows to show, and names of the levels whose figure is withheld; one row always stays."""
    silent = part["value"].isna() & (part["kind"] != "all")
    if silent.all():
        silent.iloc[0] = False
    return part[~silent], list(dict.fromkeys(part.loc[silent, "level_title"]))


def _figures(row: Any) -> tuple[Cell, ...]:
    return (
        count_cell(row.numerator, row.numerator_hidden),
        count_cell(row.denominator, row.denominator_hidden),
        derived_cell(row.value, row.value_hidden),
        _interval(row),
    )


def _interval(row: Any) -> Cell:
    if math.isnan(row.low):
        if row.low_hidden:
            return Hidden()
        return Missing(COMPLETE_COUNT if row.method == COMPLETE_COUNT else "нет: мало людей")
    if row.low_hidden:
        kind, decimals = ("percent", 1) if row.unit == "%" else ("number", 2)
        return formats.interval(row.low, row.high, kind, decimals) + formats.MARK  # type: ignore[arg-type]
    return Interval(row.low, row.high)


def _waiting(row: Any) -> Cell:
    if math.isnan(row.immature) and not row.immature_hidden:
        return None
    return count_cell(row.immature, row.immature_hidden)


def _waits(part: pd.DataFrame) -> bool:
    return bool((part["immature"].notna() | part["immature_hidden"]).any())


def _name(result: Measures, row: Any) -> str:
    title = result.definitions[row.measure_id, row.variant].title
    name = title if row.kind == "all" else f"{title}: {row.level_title}"
    return f"{name} (малая база)" if "small_base" in row.flags else name


def _level(row: Any) -> str:
    return f"{row.level_title} (малая база)" if "small_base" in row.flags else str(row.level_title)


def _interval_title(result: Measures) -> str:
    return f"Интервал {formats.percent(100 * result.level, 0)}"


def _reasons(rows: pd.DataFrame) -> list[Block]:
    """Why there is no figure; of a measure that has figures, an empty client group needs no line."""
    lacking = rows["reason"] != ""
    silent = (rows["kind"] == "client_group") & ~lacking.groupby([rows["measure_id"], rows["variant"]]).transform("all")
    missing = rows[lacking & ~silent]
    if missing.empty:
        return []
    return [
        Table(
            title="Что не вычисляется и почему",
            columns=(Column("Мера"), Column("Почему")),
            rows=tuple(
                (row.title if row.kind == "all" else f"{row.title}: {row.level_title}", row.reason)
                for row in rows_of(missing)
            ),
        )
    ]


def _chart(definition: MeasureDefinition, shown: pd.DataFrame, period: str) -> list[Block]:
    """Estimates with intervals by level; the figure for everybody is the reference line."""
    levels = shown[(shown["kind"] != "all") & shown["low"].notna() & ~shown["value_hidden"]]
    levels = levels[levels["kind"] == levels["kind"].mode().iloc[0]] if len(levels) else levels
    levels = levels[levels["n"] >= CHARTED_PERSONS]
    if len(levels) < CHARTED or not levels["value"].any():
        return []
    by = BY.get(levels["kind"].iloc[0], "по уровням")
    ordered = levels.sort_values("value", ascending=False, kind="stable")
    total = shown[(shown["kind"] == "all") & shown["value"].notna() & ~shown["value_hidden"]]
    mean = definition.unit != "%"
    kind, unit = ("number", definition.unit) if mean else ("percent", "%")
    series = Series(
        name=definition.title,
        x=tuple(ordered["level_title"]),
        y=tuple(point(value) for value in ordered["value"]),
        low=tuple(point(value) for value in ordered["low"]),
        high=tuple(point(value) for value in ordered["high"]),
    )
    reference = None if total.empty else (float(total["value"].iloc[0]), "все")
    low, high = ordered["value"].min(), ordered["value"].max()
    said = [formats.value(value, kind) for value in (low, high)]  # type: ignore[arg-type]
    panel = Panel(shape="interval", series=(series,), unit=unit, kind=kind, reference=reference)  # type: ignore[arg-type]
    return [
        Chart(
            title=f"{definition.title} {by}, {period}",
            panels=(panel,),
            alt=f"Точки с интервалами {by}: от {said[0]} до {said[1]}.",
            notes=("Уровни со скрытыми числами и меньше чем с 10 людьми не показаны.",),
        )
    ]


def _key_figure(result: Measures, measure_id: str, variant: str, period: str) -> KeyFigure:
    rows = result.rows[(result.rows["measure_id"] == measure_id) & (result.rows["variant"] == variant)]
    definition = result.definitions[measure_id, variant]
    kind = {"%": "percent", "ед./чел.": "number"}.get(definition.unit, "int")
    row: Any = next(rows_of(rows[rows["kind"] == "all"]), next(rows_of(rows)))
    note = [period]
    if kind == "percent" and not math.isnan(row.denominator + row.numerator):
        note.append(f"{formats.integer(row.numerator)} из {formats.integer(row.denominator)}")
    if not math.isnan(row.low) and not row.low_hidden:
        note.append(formats.interval(row.low, row.high, kind, 1 if kind == "percent" else 2))  # type: ignore[arg-type]
    elif row.method == COMPLETE_COUNT:
        note.append(COMPLETE_COUNT)
    return KeyFigure(
        key="_".join(filter(None, (measure_id, variant))),
        label=definition.title,
        value=derived_cell(row.value, row.value_hidden, row.reason) if kind != "int" else _count(row),
        kind=kind,  # type: ignore[arg-type]
        unit="" if kind == "percent" else definition.unit,
        note="; ".join(filter(None, note)),
    )


def _count(row: Any) -> Cell:
    return Missing(row.reason) if row.reason else count_cell(row.value, row.value_hidden)
