"""Tables of a pilot's results: all outcomes, how many stand behind them, other methods, looks, what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kcrr_analysis.experiments.analysis import Figure
from kcrr_analysis.experiments.readout import Effect, Readout
from kcrr_analysis.experiments.validity.bounds import Bounds
from kcrr_analysis.experiments.withheld import Marks, Withheld, counts_persons
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Hidden, Missing, Table
from kcrr_analysis.reporting.views.cells import count_cell, rows_of
from kcrr_analysis.reporting.views.experiments import words
from kcrr_analysis.reporting.views.experiments.attrition import SCENARIOS
from kcrr_analysis.reporting.views.experiments.words import Measure

FEW = "мало центров: предел не ограничен"


def measures(readout: Readout) -> dict[str, Measure]:
    """How each outcome's values read."""
    by_name: dict[str, list[Effect]] = {}
    for effect in readout.effects:
        by_name.setdefault(effect.outcome.name, []).append(effect)
    return {name: Measure.of(effects[0].outcome, tuple(effects)) for name, effects in by_name.items()}


def outcomes(made: Withheld) -> Table:
    """Every outcome and arm: means, effect, interval, p-value, verdict."""
    readout = made.readout
    several = len(readout.primary) > 1
    shown = measures(readout)
    in_arm = "Опытная" if several else words.arm_name(readout.protocol, readout.protocol.design.names[1])
    return Table(
        title=f"Результаты апробации «{_title(readout)}» по всем показателям",
        columns=(
            Column("Показатель"),
            *((Column("Формат"),) if several else ()),
            Column("Роль"),
            Column(words.capital(in_arm)),
            Column(words.capital(words.arm_name(readout.protocol, readout.protocol.design.control))),
            Column("Эффект"),
            Column("Интервал"),
            Column("p с поправкой" if _adjusted(readout) else "p"),
            Column("Вывод"),
        ),
        rows=tuple(
            (
                effect.outcome.title + (" (меньше — лучше)" if effect.outcome.sign < 0 else ""),
                *((words.arm_name(readout.protocol, effect.arm),) if several else ()),
                words.ROLES[effect.outcome.role],
                *(
                    _text(shown[effect.outcome.name].mean(value), hidden=hidden) if _known(value) else _nothing(hidden)
                    for value, hidden in zip((effect.mean, effect.control_mean), own.means, strict=True)
                ),
                _effect(effect, shown[effect.outcome.name], hidden=own.figures),
                _limits(effect, shown[effect.outcome.name], hidden=own.figures),
                _p(effect, readout.protocol.alpha, hidden=own.figures),
                words.verdict(effect),
            )
            for effect, own in zip(readout.effects, made.marks, strict=True)
        ),
        notes=tuple(_notes(readout)),
        emphasised=tuple(place for place, effect in enumerate(readout.effects) if effect.outcome.role == "primary"),
    )


def _title(readout: Readout) -> str:
    return readout.protocol.title or readout.protocol.pilot


def _adjusted(readout: Readout) -> bool:
    return any(abs(effect.p - effect.p_adjusted) > 1e-12 for effect in readout.effects)


def _notes(readout: Readout) -> list[str]:
    protocol = readout.protocol
    levels = sorted({effect.level for effect in readout.effects})
    said = f"Эффект — разность опытной и контрольной групп, {per_whom(readout)}."
    if words.in_both_arms(protocol.design):
        said += " Различия центров и периодов из него исключены, поэтому он не равен разности средних групп."
    elif readout.assignment.allowed.strata is not None:
        said += " Сравнение идёт внутри страт или пар, поэтому эффект может отличаться от простой разности средних."
    if any(effect.outcome.kind == "ordinal" for effect in readout.effects):
        said += (
            " Для оценок: в скольких парах из 100 «клиент опытной группы и клиент контрольной» оценка первого выше "
            "(равные делятся пополам; 50 — различия нет); в столбцах групп — средняя оценка."
        )
    ends = [words.confidence(level) for level in (levels[0], levels[-1])]
    each = f"Интервалы — с уровнем доверия {ends[0]}"
    if len(levels) > 1:
        each = f"Интервалы — с уровнем доверия от {ends[0]} до {ends[1]}: выше там, где одну ошибку делят несколько "
        each += "просмотров" if readout.looks else "форматов"
    notes = [said, f"{each}. p — как часто такое же или большее различие дал бы один жребий, если бы эффекта не было."]
    if readout.looks and readout.looks[-1].nominal > 0:
        bound = words.p_value(readout.looks[-1].nominal, 0)
        notes.append(
            f"p основного показателя сравнивается с границей просмотра ({bound}), а не с "
            f"{formats.percent(100 * protocol.alpha, 0)}."
        )
    if _adjusted(readout):
        of = {"dunnett": "совместная, по наибольшему различию", "holm": "Холма"}[protocol.multiplicity]
        parts = [f"основного показателя — на число форматов ({of})"] if len(readout.primary) > 1 else []
        if any(effect.outcome.role == "secondary" for effect in readout.effects):
            parts.append("дополнительных — на их число (Холма)")
        notes.append(f"Поправка p: {'; '.join(parts)}.")
    return notes


def per_whom(readout: Readout) -> str:
    """Whom the effect is an average over."""
    if readout.protocol.estimand == "person" and readout.protocol.design.cluster is None:
        return "в среднем на человека"
    if readout.protocol.estimand == "person":
        return "в среднем на человека (каждый человек считается одинаково, крупные центры весят больше)"
    return "в среднем по центрам (каждый центр считается одинаково, сколько бы людей в нём ни было)"


def _known(value: float) -> bool:
    return not math.isnan(value)


def _text(text: str, *, hidden: bool) -> str:
    return text + (formats.MARK if hidden else "")


def _nothing(hidden: bool) -> Cell:
    return Hidden() if hidden else Missing()


def _effect(effect: Effect, measure: Measure, *, hidden: bool) -> Cell:
    if math.isnan(effect.estimate):
        return _nothing(hidden)
    return _text(measure.signed(effect.estimate), hidden=hidden)


def _limits(effect: Effect, measure: Measure, *, hidden: bool) -> Cell:
    if math.isnan(effect.low):
        return _nothing(hidden)
    if words.unlimited(effect):
        return Missing(words.UNLIMITED)
    return _text(measure.limits(effect.low, effect.high), hidden=hidden)


def _p(effect: Effect, alpha: float, *, hidden: bool) -> Cell:
    if math.isnan(effect.p_adjusted):
        return _nothing(hidden)
    return _text(words.p_value(effect.p_adjusted, alpha), hidden=hidden)


def sizes(made: Withheld) -> Table:
    """How many assigned units and persons stand behind each figure."""
    readout = made.readout
    design = readout.protocol.design
    by_unit = design.cluster is not None
    gone = any(
        sum(effect.missing) > 0 or any(own.missing) for effect, own in zip(readout.effects, made.marks, strict=True)
    )
    counted: dict[tuple[str, tuple[Cell, ...]], list[str]] = {}
    for effect, own in zip(readout.effects, made.marks, strict=True):
        for place, arm in enumerate((effect.arm, design.control)):
            cells = (
                *((effect.units[place],) if by_unit else ()),
                *_people(effect, own, place, gone=gone, by_unit=by_unit),
            )
            titles = counted.setdefault((arm, cells), [])
            if effect.outcome.title not in titles:
                titles.append(effect.outcome.title)
    number = len({effect.outcome.name for effect in readout.effects})
    order = {arm: place for place, arm in enumerate((*design.names[1:], design.control))}
    rows: list[tuple[Cell, ...]] = [
        (
            words.arm_name(readout.protocol, arm),
            *(() if number == 1 else ("все" if len(titles) == number else "; ".join(titles),)),
            *cells,
        )
        for (arm, cells), titles in sorted(counted.items(), key=lambda item: order[item[0][0]])
    ]
    return Table(
        title="Сколько единиц и людей за этими результатами",
        columns=(
            Column("Группа"),
            *((Column("Показатель"),) if number > 1 else ()),
            *((Column(f"{words.capital(words.what_assigned(design, 'of'))} с результатом", "int"),) if by_unit else ()),
            Column("Людей с результатом", "int"),
            *((Column("Без результата", "int"),) if gone else ()),
        ),
        rows=tuple(rows),
    )


def _people(effect: Effect, own: Marks, place: int, *, gone: bool, by_unit: bool) -> tuple[Cell, ...]:
    if not counts_persons(effect, clustered=by_unit):
        without = effect.missing[place]
        return (Missing("в данных нет"), *((int(without) if _known(without) else Missing(),) if gone else ()))
    missing = (count_cell(effect.missing[place], own.missing[place]),) if gone else ()
    return (count_cell(effect.persons[place], own.persons[place]), *missing)


def methods(made: Withheld) -> tuple[Table, ...]:
    """The primary effect by other methods, as a check."""
    readout = made.readout
    shown = measures(readout)
    several = len(readout.primary) > 1
    rows: list[tuple[Cell, ...]] = []
    main: list[int] = []
    for effect, own in zip(readout.effects, made.marks, strict=True):
        if effect.outcome.role != "primary" or not effect.checks:
            continue
        main.append(len(rows))
        for figure in (effect.figure, *effect.checks):
            title = figure.method + (" (по нему решение)" if figure is effect.figure else "")
            arm = (words.arm_name(readout.protocol, effect.arm),) if several else ()
            rows.append((title, *arm, *_other(figure, shown[effect.outcome.name], own, readout.protocol.alpha)))
    if not rows:
        return ()
    weak = ""
    if any(effect.verdict == "cannot_tell" for effect in readout.primary):
        weak = (
            " Их малые p держатся на допущениях о распределении, которые при таком числе единиц назначения нечем "
            "проверить."
        )
    return (
        Table(
            title="Основной показатель другими методами — для проверки",
            columns=(
                Column("Метод"),
                *((Column("Формат"),) if several else ()),
                Column("Эффект"),
                Column("Интервал"),
                Column("p без поправки"),
            ),
            rows=tuple(rows),
            notes=(f"Остальные методы — только проверка: решение по ним не принимается.{weak}",),
            emphasised=tuple(main),
        ),
    )


def _other(figure: Figure, measure: Measure, own: Marks, alpha: float) -> tuple[Cell, ...]:
    if math.isnan(figure.estimate):
        if own.figures:
            return (Hidden(),) * 3
        return Missing("не вычисляется"), Missing(figure.reason or "нет данных"), None
    limits: Cell = _text(measure.limits(figure.low, figure.high), hidden=own.figures)
    if math.isinf(figure.low) and math.isinf(figure.high):
        limits = Missing(words.UNLIMITED)
    return (
        _text(measure.signed(figure.estimate), hidden=own.figures),
        limits,
        None if math.isnan(figure.p) else _text(words.p_value(figure.p, alpha), hidden=own.figures),
    )


def looks(readout: Readout) -> tuple[Table, ...]:
    """The looks so far."""
    if not readout.looks:
        return ()
    alpha = readout.protocol.alpha
    rows = tuple(
        (
            str(look.number),
            formats.percent(100 * look.share, 0),
            Hidden() if math.isnan(look.p) else words.p_value(look.p, look.nominal or alpha),
            Missing("остановка невозможна") if look.nominal <= 0 else words.p_value(look.nominal, 0),
            "граница пройдена" if look.crossed else "граница не пройдена",
        )
        for look in readout.looks
    )
    return (
        Table(
            title="Промежуточные просмотры",
            columns=(
                Column("Просмотр"),
                Column("Завершили, % единиц"),
                Column("p"),
                Column("Граница: p не больше"),
                Column("Вывод"),
            ),
            rows=rows,
            notes=(
                "Границы рассчитаны так, чтобы вероятность ложной находки во всех просмотрах вместе не превышала "
                f"{formats.percent(100 * alpha, 0 if float(round(100 * alpha, 6)).is_integer() else 1)}.",
            ),
        ),
    )


def bounds(found: Bounds, measure: Measure) -> Table:
    """The effect under different assumptions about what is missing, in the outcome's unit."""
    level = words.confidence(found.level)
    return Table(
        title="Эффект при разных предположениях о тех, чей результат неизвестен",
        columns=(Column("Предположение"), Column("Эффект или его границы"), Column(f"Интервал {level}")),
        rows=tuple(
            (
                SCENARIOS[row.scenario],
                _bound(measure, (row.lower, row.upper), row.reason, hidden=row.lower_hidden),
                _bound(measure, (row.low, row.high), row.reason, hidden=row.low_hidden),
            )
            for row in rows_of(found.rows)
        ),
        notes=(
            "Границы Ли говорят о тех, о ком запись была бы в любой из групп. Крайние случаи: всем пропущенным "
            "одной группы приписан результат, другой — его отсутствие, и наоборот.",
        ),
    )


def _bound(measure: Measure, ends: Sequence[float], reason: str, *, hidden: bool) -> Cell:
    low, high = ends
    if math.isnan(low) or math.isnan(high):
        return Hidden() if hidden else Missing(reason or "нет данных")
    if math.isinf(low) and math.isinf(high):
        return Missing(FEW)
    return _text(measure.signed(low) if low == high else measure.limits(low, high), hidden=hidden)
