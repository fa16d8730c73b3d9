"""View of a protocol: what is decided before the data, in words fit for approval."""

from __future__ import annotations

from kcrr_analysis.experiments.outcomes import Aim, Kind, Outcome
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments import words
from kcrr_analysis.reporting.views.experiments.words import Measure

KINDS: dict[Kind, str] = {
    "proportion": "доля людей",
    "mean": "среднее",
    "count": "число случаев на человека",
    "ratio": "отношение двух сумм",
    "ordinal": "оценка по шкале",
}
AIMS: dict[Aim, str] = {
    "difference": "различие",
    "not_worse": "ухудшение меньше допуска",
    "equivalent": "различие в пределах допуска",
}
BOUNDARIES = {
    "lan_demets_obrien_fleming": "Лана — Деметса, как у О'Брайена — Флеминга (рано — строго, в конце — почти как без "
    "просмотров)",
    "obrien_fleming": "О'Брайена — Флеминга (рано — строго)",
    "pocock": "Покока (одинаково строго на всех просмотрах)",
    "power": "степенная",
}


@build.register
def protocol(result: Protocol) -> Section:
    """Question, plan, outcomes, decision rule, costs, hash."""
    return Section(
        title=f"Протокол апробации «{result.title or result.pilot}»",
        blocks=(
            *((Paragraph(f"Вопрос: {result.question}", "conclusion"),) if result.question else ()),
            *(
                (
                    Paragraph(
                        "Протокол изменён после фиксации: содержание не соответствует контрольной сумме.", "warning"
                    ),
                )
                if result.altered
                else ()
            ),
            _plan(result),
            _outcomes(result),
            Paragraph(f"Правило решения. {_rule(result)}", "plain"),
            Paragraph(_kept(result), "definition"),
        ),
    )


def _plan(result: Protocol) -> Table:
    design = result.design
    rows: list[tuple[str, str]] = [("Код апробации", result.pilot)]
    if result.service_id:
        rows.append(("Сервис", result.service_id))
    rows += [
        ("Что назначается", f"{words.what_assigned(design)} (столбец {design.assigned})"),
        ("Кто измеряется", "назначенные люди" if design.cluster is None else "клиенты назначенных центров"),
        (
            "Группы и их доли",
            "; ".join(
                f"{words.arm_name(result, arm)} — {_percent(share)}{' (контрольная)' if _named(result, arm) else ''}"
                for arm, share in design.shares.items()
            ),
        ),
        ("Как назначается", _method(result)),
        (
            "Чей эффект",
            "в среднем на человека: каждый человек считается одинаково"
            if result.estimand == "person"
            else "в среднем по центрам: каждый центр считается одинаково",
        ),
        ("Допустимая ошибка", f"{_percent(result.alpha)}, двусторонняя{_shared(result)}"),
        ("Промежуточные просмотры", _looks(result)),
        ("Стоимость на человека", _costs(result)),
        ("Масштаб внедрения", _scale(result)),
    ]
    return Table(
        title=f"План апробации «{result.title or result.pilot}»",
        columns=(Column("Пункт"), Column("Содержание")),
        rows=tuple(rows),
    )


def _named(result: Protocol, arm: str) -> bool:
    return arm == result.design.control and arm in result.arm_titles


def _percent(share: float) -> str:
    percent = 100 * share
    return formats.percent(percent, 0 if abs(percent - round(percent)) < 1e-6 else 1)


def _method(result: Protocol) -> str:
    design = result.design
    said = words.METHODS[design.method]
    if design.strata:
        said += f"; страты — {words.column_titles(design.strata)}"
    if design.pairs:
        said += f"; пары — столбец {design.pairs}"
    if design.balance:
        use = {"matched_pairs": "пары подбираются по", "rerandomised": "выравнивается по"}.get(
            design.method, "равновесие проверяется по"
        )
        said += f"; {use}: {words.column_titles(design.balance)}"
    if design.waves:
        said += f"; волн — {design.waves}"
    if design.method in {"crossover", "switchback"}:
        said += f"; формат держится {formats.count(design.block, 'период', 'периода', 'периодов')}"
        if design.washout:
            first = "первый" if design.washout == 1 else f"первые {design.washout}"
            said += f", {first} из них не в счёт"
    if design.randomised:
        said += f"; число для жребия (seed) — {design.seed}"
    return said


def _shared(result: Protocol) -> str:
    arms = len(result.design.names) - 1
    if arms == 1:
        return ""
    how = {"dunnett": "совместно, по наибольшему различию", "holm": "поправкой Холма"}[result.multiplicity]
    return f"; на {formats.count(arms, 'формат', 'формата', 'форматов')} вместе ({how})"


def _looks(result: Protocol) -> str:
    if result.looks is None:
        return "нет: один анализ в конце"
    return (
        f"по мере завершения волн (столбец {result.looks.wave}); граница досрочной остановки — "
        f"{BOUNDARIES.get(result.looks.kind, result.looks.kind)}"
    )


def _costs(result: Protocol) -> str:
    if result.costs is None:
        return "не задана: цена дополнительного результата не рассчитывается"
    each = "; ".join(
        f"{words.arm_name(result, arm)} — {formats.money(price, 0 if float(price).is_integer() else 2)}"
        for arm, price in result.costs.per_person.items()
    )
    return f"{each}{f' (источник: {result.costs.source})' if result.costs.source else ''}"


def _scale(result: Protocol) -> str:
    if result.rule.scale_to is None:
        return "не задан: эффект внедрения не пересчитывается"
    return f"{formats.integer(result.rule.scale_to)} человек в год"


def _outcomes(result: Protocol) -> Table:
    return Table(
        title="Показатели и их пороги",
        columns=(
            Column("Показатель"),
            Column("Роль"),
            Column("Вид"),
            Column("Лучше"),
            Column("Что надо показать"),
            Column("Порог"),
            Column("Столбцы данных"),
        ),
        rows=tuple(_row(outcome) for outcome in result.outcomes),
        notes=(
            "Решение принимается по основному показателю; защитный не должен ухудшиться больше допуска; дополнительные "
            "поясняют и решения не меняют.",
            *_missing(result),
        ),
        emphasised=tuple(place for place, outcome in enumerate(result.outcomes) if outcome.role == "primary"),
    )


def _row(outcome: Outcome) -> tuple[Cell, ...]:
    measure = Measure.of(outcome)
    marks = []
    if outcome.worthwhile:
        marks.append(f"полезно от {words.difference_words(outcome, outcome.worthwhile, measure)}")
    if outcome.margin:
        marks.append(f"допуск {words.margin_words(outcome, measure)}")
    columns = f"сумма {outcome.column} / {outcome.of}" if outcome.of else outcome.column
    if outcome.covariates:
        columns += f"; поправка на {', '.join(outcome.covariates)}"
    return (
        outcome.title,
        words.ROLES[outcome.role],
        KINDS[outcome.kind],
        "больше" if outcome.sign > 0 else "меньше",
        AIMS[outcome.aim or "difference"],
        "; ".join(marks) or None,
        columns,
    )


def _missing(result: Protocol) -> tuple[str, ...]:
    titles = [f"«{outcome.title}»" for outcome in result.outcomes if outcome.missing == "not_reached"]
    if not titles:
        return ()
    return (f"{formats.enumeration(titles)}: о ком нет записи, тот считается не достигшим результата.",)


def _rule(result: Protocol) -> str:
    outcome = result.primary
    measure = Measure.of(outcome)
    name = f"«{outcome.title}»"
    useful = words.difference_words(outcome, outcome.worthwhile, measure)
    if outcome.aim != "difference":
        by = words.margin_words(outcome, measure)
        shown = f"весь интервал показывает, что {name} " + (
            f"отличается меньше чем на {by}" if outcome.aim == "equivalent" else f"если и хуже, то меньше чем на {by}"
        )
    elif result.rule.adopt == "worthwhile":
        shown = f"весь интервал эффекта на {name} не ниже полезного ({useful})"
    else:
        shown = f"улучшение показателя {name} показано"
        shown += f", а оценка эффекта не меньше полезной ({useful})" if outcome.worthwhile else ""
    guards = any(one.role == "guardrail" for one in result.outcomes)
    adopt = f"Внедрять, если {shown}" + (
        " и по каждому защитному показателю показано, что ухудшение меньше допуска" if guards else ""
    )
    stop = f"Остановить, если показано ухудшение {name}"
    if outcome.aim == "difference" and outcome.worthwhile:
        stop += f", или весь интервал эффекта меньше полезного ({useful})"
    if guards:
        stop += ", или показано ухудшение защитного показателя больше допуска"
    return f"{words.stop(adopt)} {words.stop(stop)} Во всех остальных случаях — продолжить апробацию."


def _kept(result: Protocol) -> str:
    fixed = (
        "протокол зафиксирован"
        if result.recorded is not None and not result.altered
        else "протокол ещё не зафиксирован: сохраните его до жребия и до данных"
        if result.recorded is None
        else "записанная сумма другая"
    )
    return f"Контрольная сумма содержания (начало строки hash): {result.hash[:12]}; {fixed}."
