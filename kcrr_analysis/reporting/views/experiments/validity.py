"""View of a pilot's checks: what was asked, what was seen, whether the pilot can be trusted, what to do."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from kcrr_analysis.experiments.validity.checks import Check, Validity, Verdict
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Hidden,
    KeyFigure,
    Marked,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, number_cell, point, rows_of

VERDICTS: dict[Verdict, str] = {
    "passed": "расхождений не видно",
    "warning": "есть вопросы",
    "failed": "доверять нельзя",
    "not_checked": "не проверено",
}

ADVICE = {
    "sample_ratio": (
        "если расхождение не случайно, часть людей потеряна или попала не в свою группу. Найдите причину в записи и "
        "выгрузке; до этого эффект не толкуйте."
    ),
    "recruitment": (
        "в центры разных групп пришло разное число людей. Если это сделал сам новый сервис, состав клиентов групп "
        "различается, и показатели в расчёте на человека сравнивать нельзя; смотрите число клиентов на центр."
    ),
    "center_attrition": (
        "часть центров осталась без результатов. Восстановите данные этих центров; иначе сравнение идёт уже не между "
        "теми группами, которые назначил жребий."
    ),
    "person_attrition": (
        "результаты известны не о всех. Восстановите данные; рядом с эффектом приводите его границы при худших "
        "предположениях о пропущенных."
    ),
    "balance": (
        "группы различались ещё до начала больше, чем обычно даёт жребий. Проверьте, выполнено ли назначение так, "
        "как описано; эффект приводите с поправкой на эти признаки."
    ),
    "placebo": (
        "запланированный расчёт находит эффект там, где его не было, чаще обещанного. Замените способ расчёта до "
        "чтения результатов."
    ),
    "contamination": (
        "люди бывали в центрах обеих групп, поэтому разность между группами может быть занижена. Сравнение по "
        "назначению остаётся главным, эффект с поправкой на смешение приводите рядом."
    ),
    "simultaneous": (
        "на тех же единицах шла другая апробация, и её группы распределены по нашим неравномерно. Эффекты двух "
        "новшеств не разделить; по возможности сравните единицы вне другой апробации."
    ),
}

METHODS = {
    "planned": "Запланированный расчёт",
    "centre_means": "Критерий Стьюдента по средним центров",
    "person_test": "Критерий по отдельным людям (для сравнения)",
}


@build.register
def validity(result: Validity) -> Section:
    """Conclusion, table of checks, what to do, and the tables behind the checks."""
    done = [one for one in result.checks if one.verdict != "not_checked"]
    troubled = [one for one in result.checks if one.verdict in {"failed", "warning"}]
    table = Table(
        title="Проверки апробации",
        columns=(Column("Проверка"), Column("Вывод"), Column("Что видно"), Column("p")),
        rows=tuple((one.title, VERDICTS[one.verdict], _seen(one), _p(one)) for one in result.checks),
        notes=(
            "p — как часто одна случайность дала бы такое же или большее расхождение, если бы всё шло по плану.",
            "«Расхождений не видно» не значит, что их нет: при малом числе центров заметны только крупные.",
        ),
    )
    return Section(
        title="Можно ли доверять апробации",
        blocks=(
            Paragraph(_conclusion(result), "conclusion"),
            *(Paragraph(f"{one.title}: {ADVICE[one.code]}", "warning") for one in troubled),
            table,
            *(block for one in result.checks for block in _behind(one)),
            Paragraph(_definition(done), "definition"),
        ),
        key_figures=(
            KeyFigure(
                key="validity",
                label="Проверки апробации",
                value=VERDICTS[result.verdict],
                kind="text",
                note=f"выполнено {len(done)} из {len(result.checks)}",
            ),
        ),
    )


@build.register
def check(result: Check) -> Section:
    """A single check."""
    return validity(Validity((result,)))


def _conclusion(result: Validity) -> str:
    def titles(verdict: Verdict) -> str:
        return formats.enumeration([f"«{one.title}»" for one in result.checks if one.verdict == verdict])

    match result.verdict:
        case "failed":
            said = f"Результатам апробации доверять нельзя: {titles('failed')}."
            said += f" Есть вопросы: {titles('warning')}." if titles("warning") else ""
        case "warning":
            said = f"Результаты апробации надо читать с оговорками: {titles('warning')}."
        case "passed":
            said = "Проверки не нашли причин не доверять результатам апробации."
        case _:
            return "Ни одна проверка не выполнена: судить, можно ли доверять результатам, не по чему."
    return said + (f" Не проверено: {titles('not_checked')}." if titles("not_checked") else "")


def _definition(done: list[Check]) -> str:
    methods = list(dict.fromkeys(one.method for one in done if one.method))
    said = f"Способы проверки: {'; '.join(methods)}. " if methods else ""
    drawn = any(not one.exact for one in done if "рандомизационный" in one.method)
    return said + (
        "Там, где назначали центры, расхождение сравнивается с тем, что дали бы другие назначения, допустимые по плану"
        + (" (случайная выборка таких назначений)." if drawn else ".")
    )


def _p(one: Check) -> Cell:
    if math.isnan(one.p):
        return Hidden() if one.hidden and one.code != "contamination" else None
    if one.hidden:
        return Marked(round(one.p, 3))
    return "меньше 0,001" if one.p < 0.0005 else formats.number(one.p, 3)


def _seen(one: Check) -> Cell:
    if one.hidden and math.isnan(one.statistic):
        return Hidden()
    if one.rows.empty and one.reason:
        return Missing(one.reason)
    return f"{_SEEN[one.code](one)} {one.reason}".rstrip()


def _limits(one: Check, form: Callable[[float], str]) -> str:
    if math.isnan(one.low):
        return ""
    if math.isinf(one.low) or math.isinf(one.high):
        return " (центров слишком мало, чтобы указать пределы)"
    return f" (от {form(one.low)} до {form(one.high)})"


def _signed(decimals: int) -> Callable[[float], str]:
    return lambda value: formats.number(value, decimals, signed=True)


def _each(one: Check, column: str, form: Callable[[float], str]) -> str:
    pairs = zip(one.rows["arm"], one.rows[column], strict=True)
    return "; ".join(f"{arm} — {formats.HIDDEN if math.isnan(value) else form(value)}" for arm, value in pairs)


def _ratio(one: Check) -> str:
    planned = _each(one, "share_planned", formats.percent)
    return f"По плану: {planned}. На деле: {_each(one, 'share', formats.percent)}."


def _recruited(one: Check) -> str:
    said = f"Человек на центр: {_each(one, 'per_cluster', formats.number)}."
    if math.isnan(one.estimate):
        return said
    form = _signed(1)
    return f"{said} Разность {form(one.estimate)}{_limits(one, form)}."


def _lost_centres(one: Check) -> str:
    if not one.estimate:
        return "Результаты есть по всем центрам."
    lost = [f"{row.arm} — {row.lost} из {row.clusters}" for row in rows_of(one.rows)]
    return f"Без результатов: {'; '.join(lost)}."


def _lost_people(one: Check) -> str:
    if not one.hidden and not one.rows["missing"].any():
        return "Результаты есть о всех."
    difference = f"Разность {formats.points(one.estimate)}{_limits(one, formats.points)}."
    return f"Без результата: {_each(one, 'share', formats.percent)}. {difference}"


def _balanced(one: Check) -> str:
    rows = one.rows[one.rows["standardised"].notna()]
    count = formats.count(one.rows["covariate"].nunique(), "признаку", "признакам", "признакам")
    if rows.empty:
        return f"По {count} единицы не различаются."
    top = next(rows_of(rows.loc[[rows["standardised"].abs().idxmax()]]))
    form = _signed(2)
    return (
        f"Вместе по {count}. Наибольшая разность: «{top.covariate}», {form(top.standardised)} стандартного "
        f"отклонения (жребий обычно даёт от {form(top.chance_low)} до {form(top.chance_high)})."
    )


def _placebo(one: Check) -> str:
    rate = one.rows.set_index("method")["rate"]
    return (
        f"Ложных срабатываний {formats.percent(rate['planned'])} при обещанных {formats.percent(100 * one.warn, 0)}; у "
        f"расчёта по отдельным людям было бы {formats.percent(rate['person_test'])}."
    )


def _crossed(one: Check) -> str:
    said = f"Побывали в центрах обеих групп: {_each(one, 'share', formats.percent)}."
    if math.isnan(one.estimate):
        return said
    form = _signed(3)
    return f"{said} Эффект с поправкой на смешение — до {form(one.estimate)}{_limits(one, form)}."


def _other_pilots(one: Check) -> str:
    if one.rows.empty:
        return "Других апробаций на тех же единицах в это время нет."
    names = [f"«{name}»" for name in one.rows["pilot_id"].unique()]
    return f"В то же время на тех же единицах: {formats.enumeration(names)}."


_SEEN: dict[str, Callable[[Check], str]] = {
    "sample_ratio": _ratio,
    "recruitment": _recruited,
    "center_attrition": _lost_centres,
    "person_attrition": _lost_people,
    "balance": _balanced,
    "placebo": _placebo,
    "contamination": _crossed,
    "simultaneous": _other_pilots,
}


def _behind(one: Check) -> tuple[Block, ...]:
    """The tables and the picture behind a check."""
    rows = one.rows
    found: tuple[Block, ...] = ()
    if rows.empty:
        return found
    match one.code:
        case "balance":
            found = (_balance_table(rows), *_balance_chart(rows))
        case "placebo":
            found = (_placebo_table(one),)
        case "person_attrition":
            found = (people_table("Люди без результатов по группам", "Без результата, чел.", "missing", rows),)
        case "contamination":
            title = "Люди, побывавшие в центрах обеих групп"
            found = (people_table(title, "Из них в обеих, чел.", "crossed", rows),)
        case "simultaneous":
            found = (_pilots_table(rows),)
    return found


def people_table(title: str, part: str, column: str, rows: pd.DataFrame) -> Table:
    """Persons of each arm and those among them with a mark."""
    return Table(
        title=title,
        columns=(Column("Группа"), Column("Всего, чел.", "int"), Column(part, "int"), Column("Доля, %", "percent")),
        rows=tuple(
            (
                row.arm,
                count_cell(row.persons, row.persons_hidden),
                count_cell(getattr(row, column), getattr(row, f"{column}_hidden")),
                derived_cell(row.share, row.share_hidden),
            )
            for row in rows_of(rows)
        ),
    )


def _placebo_table(one: Check) -> Table:
    tried = (
        "Перебраны все допустимые назначения."
        if one.exact
        else "Назначения случайные; пределы — погрешность их выборки."
    )
    return Table(
        title="Ложные срабатывания на прошлых данных",
        columns=(
            Column("Способ расчёта"),
            Column("Ложных срабатываний", "percent"),
            Column("от", "percent"),
            Column("до", "percent"),
            Column("Назначений", "int"),
        ),
        rows=tuple(
            (METHODS[row.method], row.rate, *((None, None) if one.exact else (row.low, row.high)), int(row.runs))
            for row in rows_of(one.rows)
        ),
        notes=(
            f"Сервиса ещё не было, поэтому любая находка — ложная. {tried}",
            f"Одна случайность даёт разность до {formats.number(one.estimate, 3)} в "
            f"{formats.percent(100 * (1 - one.warn), 0)} назначений.",
        ),
    )


def _balance_table(rows: pd.DataFrame) -> Table:
    several = rows["arm"].nunique() > 1
    columns = ["mean", "mean_first", "standardised", "chance_low", "chance_high"]
    return Table(
        title="Группы до начала апробации",
        columns=(
            Column("Признак"),
            Column("Группа"),
            Column("Среднее", "number", 2),
            Column("Среднее первой группы", "number", 2),
            Column("Разность, станд. откл.", "number", 2),
            Column("Обычно от", "number", 2),
            Column("до", "number", 2),
        ),
        rows=tuple(
            (row.covariate, row.arm, *(number_cell(getattr(row, name)) for name in columns)) for row in rows_of(rows)
        ),
        notes=(
            "Разность — в стандартных отклонениях признака между единицами"
            + (", каждой группы с первой" if several else "")
            + "; «обычно» — что даёт жребий в 95 % назначений. По отдельным признакам вывод не делается: из двадцати "
            "один вышел бы за пределы случайно.",
        ),
    )


def _balance_chart(rows: pd.DataFrame) -> tuple[Chart, ...]:
    known = rows[rows["standardised"].notna()]
    if len(known) < 2:
        return ()
    several = known["arm"].nunique() > 1
    names = tuple(f"{row.covariate} ({row.arm})" if several else str(row.covariate) for row in rows_of(known))
    value, low, high = (tuple(map(point, known[name])) for name in ("standardised", "chance_low", "chance_high"))
    outside = int((~known["standardised"].between(known["chance_low"], known["chance_high"])).sum())
    series = Series("Разность групп", names, value, low, high)
    return (
        Chart(
            title="Разности групп до начала и обычный разброс жребия",
            panels=(Panel(shape="interval", series=(series,), unit="станд. откл.", reference=(0.0, "")),),
            alt=(
                f"Точки — стандартизованные разности по признакам ({len(known)}), отрезки — обычный разброс жребия; за "
                f"его пределами {outside}."
            ),
            notes=("Точка — разность групп; отрезок — пределы, в которых она лежит в 95 % допустимых назначений.",),
        ),
    )


def _pilots_table(rows: pd.DataFrame) -> Table:
    return Table(
        title="Группы одновременных апробаций",
        columns=(
            Column("Апробация"),
            Column("Общих дней", "int"),
            Column("Наша группа"),
            Column("Её группа"),
            Column("Единиц", "int"),
            Column("Связь (V Крамера)", "number", 2),
            Column("p с поправкой", "number", 3),
        ),
        rows=tuple(
            (
                row.pilot_id,
                "без конца" if math.isinf(row.days) else int(row.days),
                row.arm,
                row.other_arm,
                count_cell(row.units, row.units_hidden),
                derived_cell(row.v, row.units_hidden),
                derived_cell(row.p, row.units_hidden),
            )
            for row in rows_of(rows)
        ),
        notes=("Связь: 0 — группы распределены равномерно, 1 — совпадают полностью, и эффекты неразделимы.",),
    )
