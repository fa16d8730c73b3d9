"""View of a pilot's results: the decision and its ground first, then the effect, the method, the checks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from kcrr_analysis.experiments.readout import Effect, Readout
from kcrr_analysis.experiments.validity.checks import Check, Validity
from kcrr_analysis.experiments.withheld import Withheld, withheld
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments import charts, decision, tables, words
from kcrr_analysis.reporting.views.experiments import validity as checks


@build.register
def readout(result: Readout) -> Section:
    """A readout without disclosure control; publish `withheld(readout, rule)`."""
    return published(withheld(result))


@build.register
def published(made: Withheld) -> Section:
    """Decision, effect, method; tables and picture; checks; what it costs; deviations."""
    result = made.readout
    return Section(
        title=f"Апробация «{result.protocol.title or result.protocol.pilot}»: что показала и что решено",
        blocks=(
            *_question(result),
            Paragraph(decision.sentence(result), "conclusion"),
            *(Paragraph(said, "conclusion") for said in _effects(made)),
            *(Paragraph(said, "conclusion") for said in (decision.advice(result),) if said),
            *(Paragraph(said, "warning") for said in _warnings(result)),
            *(
                Paragraph(said, "plain")
                for said in (
                    decision.cost(made),
                    decision.scaled(made),
                    decision.state(result.decision, result.protocol.service_id) if result.protocol.service_id else "",
                )
                if said
            ),
            *charts.effects(made),
            tables.outcomes(made),
            tables.sizes(made),
            *tables.looks(result),
            *(Paragraph(said, "plain") for said in _guardrails(result)),
            *_missing(made),
            *_validity(result),
            *tables.methods(made),
            Paragraph(_deviations(result), "warning" if result.deviations else "plain"),
            Paragraph(_method(result), "definition"),
        ),
        key_figures=decision.key_figures(made),
    )


def _question(result: Readout) -> tuple[Paragraph, ...]:
    return (Paragraph(f"Вопрос апробации: {result.protocol.question}"),) if result.protocol.question else ()


def _effects(made: Withheld) -> Iterator[str]:
    """The primary effect in words, one sentence a format."""
    result = made.readout
    shown = tables.measures(result)
    for effect in result.primary:
        measure = shown[effect.outcome.name]
        name = f"Основной показатель «{effect.outcome.title}»"
        if len(result.primary) > 1:
            name += f", {words.arm_name(result.protocol, effect.arm)}"
        if math.isnan(effect.estimate):
            yield f"{name}: {words.verdict(effect)}. Размер эффекта скрыт: за ним стоит малое число людей."
            continue
        said = f"{name}: {words.compared(effect, measure)}. {_verdict(effect)}"
        yield said + words.of_hundred(effect, measure) + _behind(result, effect)


def _behind(result: Readout, effect: Effect) -> str:
    """How many stand behind an effect."""
    design = result.protocol.design
    if words.in_both_arms(design):
        return f" Центров — {formats.integer(max(effect.units))}, каждый побывал в обеих группах."
    what = "Людей" if design.cluster is None else words.capital(words.what_assigned(design, "of"))
    arm, control = (formats.integer(units) for units in effect.units)
    if design.cluster is None and any(map(math.isnan, effect.persons)):
        return ""
    return f" {what}: в опытной группе {arm}, в контрольной {control}."


def _verdict(effect: Effect) -> str:
    return words.stop(words.capital(words.verdict(effect)))


def _warnings(result: Readout) -> Iterator[str]:
    primary = decision.own(result)
    least, alpha = primary.figure.smallest_p, result.protocol.alpha
    if primary.verdict == "cannot_tell":
        count = primary.figure.assignments or 0
        ways = "Допустимых назначений сравниваемых единиц слишком мало"
        if count and round(least * count, 6) <= 2:
            ways = f"Жребий мог дать только {formats.count(count, 'назначение', 'назначения', 'назначений')}"
        yield (
            f"Недостаточно данных. {ways}, поэтому наименьшее возможное p — {words.smallest(least)}, больше "
            f"{words.smallest(alpha)}: при любом результате этот план не может показать различие. Причина — в числе "
            "единиц назначения, а не в числе людей."
        )
    if any(one.code == "look_unplanned" for one in result.deviations):
        yield (
            "Этот промежуточный просмотр протоколом не предусмотрен: p и интервал на нём обещанной ошибки не "
            "удерживают, и вывод о различии предварительный."
        )
    if result.looks and result.looks[-1].share < 1:
        yield (
            f"Промежуточный просмотр {result.looks[-1].number}: завершили "
            f"{formats.percent(100 * result.looks[-1].share, 0)} единиц. Интервал основного показателя построен с "
            f"уровнем доверия {words.confidence(primary.level)}, чтобы просмотры не увеличивали ошибку."
        )


def _guardrails(result: Readout) -> Iterator[str]:
    """One sentence a guardrail and format."""
    shown = tables.measures(result)
    for effect in result.effects:
        if effect.outcome.role != "guardrail":
            continue
        measure = shown[effect.outcome.name]
        name = f"Защитный показатель «{effect.outcome.title}»"
        if len(result.primary) > 1:
            name += f", {words.arm_name(result.protocol, effect.arm)}"
        if math.isnan(effect.estimate):
            yield f"{name}: {words.verdict(effect)}; размер изменения скрыт."
        else:
            yield f"{name}: {words.compared(effect, measure)}. {_verdict(effect)}"


def _missing(made: Withheld) -> Iterator[Block]:
    """Whose outcome is unknown, and what that could change."""
    result = made.readout
    shown = tables.measures(result)
    for effect, own in zip(result.effects, made.marks, strict=True):
        if effect.outcome.role != "primary" or effect.bounds is None:
            continue
        measure = shown[effect.outcome.name]
        name = f"«{effect.outcome.title}»"
        if len(result.primary) > 1:
            name += f", {words.arm_name(result.protocol, effect.arm)}"
        counted = (
            "они посчитаны как не достигшие результата"
            if effect.outcome.missing == "not_reached"
            else "они не входят в основной расчёт"
        )
        yield Paragraph(f"Результат {name} известен не о всех: {_gone(effect, own.missing)}; {counted}.", "plain")
        yield tables.bounds(effect.bounds, measure)


def _gone(effect: Effect, hidden: tuple[bool, bool]) -> str:
    each = []
    for name, value, small in zip(("в опытной группе", "в контрольной"), effect.missing, hidden, strict=True):
        number = formats.HIDDEN if math.isnan(value) else formats.people(value) + (formats.MARK if small else "")
        each.append(f"{name} — {number}")
    return ", ".join(each)


def _validity(result: Readout) -> Iterator[Block]:
    """What the checks of the pilot itself found, from their own view."""
    if not result.validity.checks:
        return
    named = Validity(tuple(_with_titles(check, result) for check in result.validity.checks))
    for block in checks.validity(named).blocks:
        if isinstance(block, Paragraph):
            if block.role != "definition":
                yield Paragraph(block.text, "plain" if block.role == "conclusion" else block.role)
        elif isinstance(block, Table):
            yield block


def _with_titles(check: Check, result: Readout) -> Check:
    if "arm" not in check.rows:
        return check
    titles = {arm: words.arm_name(result.protocol, arm) for arm in result.protocol.design.names}
    rows = check.rows.assign(arm=check.rows["arm"].map(lambda arm: titles.get(arm, arm)))
    if "covariate" in rows:
        rows["covariate"] = rows["covariate"].map(words.column_title)
    return replace(check, rows=rows)


def _deviations(result: Readout) -> str:
    if not result.deviations:
        return "Отступлений от протокола нет."
    persons = result.protocol.design.cluster is None
    said = []
    for number, one in enumerate(result.deviations, start=1):
        # Identifiers of persons are not published.
        text = _NAMELESS.get(one.code, one.text) if persons else one.text
        if one.code == "outcome_missing":
            text = text.partition(" не измерен.")[0] + " не измерен: в данных нет его столбцов"
        said.append(f"{number}) {text.rstrip('.')}")
    return f"Отступления от протокола: {'; '.join(said)}."


_NAMELESS = {
    "units_missing": "Нет данных о части назначенных людей",
    "units_unknown": "В данных есть люди, которых нет в назначении; они не учтены",
}


def _method(result: Readout) -> str:
    """The method, why it, how many assignments, the smallest attainable p-value, the estimand."""
    effect = decision.own(result)
    figure, design = effect.figure, result.protocol.design
    said = f"Метод: {figure.method}; {figure.reason}. План: {words.METHODS[design.method]}."
    if figure.exact is not None:
        drawn = (
            "перебраны все"
            if figure.exact
            else f"взята случайная выборка — {formats.integer(round(1 / figure.smallest_p))}, наблюдавшееся в их числе"
            if figure.smallest_p
            else "взята случайная выборка"
        )
        said += (
            f" {words.capital(words.assignments(figure.assignments))}, {drawn}. Наименьшее возможное p — "
            f"{words.smallest(figure.smallest_p)}."
        )
        said += (
            " Интервал — все значения эффекта, которые этот критерий не отвергает."
            if effect.outcome.kind != "ordinal"
            else ""
        )
    if effect.outcome.covariates:
        said += f" Поправка на известное до жребия: {words.column_titles(effect.outcome.covariates)}."
    said += f" Эффект — {tables.per_whom(result)}."
    return said + f" Протокол «{result.protocol.pilot}», контрольная сумма {result.protocol.hash[:12]}."
