"""The decision on a pilot in words: what to do, on what ground, what it costs and what it would bring."""

from __future__ import annotations

import math

from kcrr_analysis.experiments.decision import Action, Decision, PilotState, Range
from kcrr_analysis.experiments.readout import Effect, Readout
from kcrr_analysis.experiments.withheld import Withheld
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Hidden, KeyFigure, Marked, Missing
from kcrr_analysis.reporting.views.experiments import words
from kcrr_analysis.reporting.views.experiments.words import Measure

ACTIONS: dict[Action, str] = {"adopt": "внедрять", "extend": "продолжить апробацию", "stop": "остановить"}
STATES: dict[PilotState, str] = {
    "developed": "«разработан» (апробация продолжается)",
    "tested": "«апробирован» (дальше не внедряется)",
    "promoted": "«внедрён»",
}
ENOUGH = 100
"""Numbers of people from here on are rounded to two digits that count."""


def sentence(readout: Readout) -> str:
    """«Решение: внедрять …» with its ground."""
    decision = readout.decision
    several = len(readout.primary) > 1
    said = f"Решение по правилу протокола: {ACTIONS[decision.action]}"
    about = words.format_name(readout.protocol, decision.arm)
    if decision.action == "extend":
        said += f" ({about})" if several else ""
    elif decision.action == "stop":
        said += " апробацию" if not several else ", ни один из форматов не внедрять"
    else:
        said += f" {about}"
    said = words.stop(f"{said}. Основание: {grounds(readout)}")
    if readout.deviations:
        number = len(readout.deviations)
        named = formats.count(number, "отступление", "отступления", "отступлений")
        said += f" От протокола есть {named}: см. ниже."
    return said


def grounds(readout: Readout) -> str:
    """What the rule found, in order of weight."""
    return "; ".join(part for reason in readout.decision.reasons if (part := _ground(readout, reason)))


def _ground(readout: Readout, reason: str) -> str:
    protocol, decision = readout.protocol, readout.decision
    effect = own(readout)
    outcome, measure = effect.outcome, Measure.of(effect.outcome, readout.primary)
    name, hidden = f"показатель «{outcome.title}»", math.isnan(effect.estimate)
    alpha = words.smallest(protocol.alpha)
    useful = words.difference_words(outcome, outcome.worthwhile, measure)
    guards = _guards(readout)
    by = words.margin_words(outcome, measure) if outcome.margin else ""
    reached = _reached(effect, useful) if decision.action == "adopt" and not hidden else ""
    texts = {
        "better": f"основной {name} лучше, чем в контрольной группе, и различие показано"
        + ("" if hidden else f" ({words.p_equals(effect.p_adjusted, protocol.alpha)})")
        + reached,
        "worthwhile": f"основной {name} лучше, чем в контрольной группе, и весь интервал эффекта не ниже полезного "
        f"({useful})",
        "not_worse": f"показано, что основной {name} если и хуже, то меньше чем на {by}",
        "equivalent": f"показано, что основной {name} отличается меньше чем на {by}",
        "worse": f"основной {name} хуже, чем в контрольной группе, и это показано",
        "broken": f"основной {name} ухудшился больше чем на {by}, и это показано",
        "not_worthwhile": f"даже лучшее, что допускает интервал, меньше эффекта, ради которого формат стоило бы "
        f"внедрять ({useful}; {name})",
        "not_enough": f"основной {name} лучше, чем в контрольной группе, но "
        + (
            f"не показано, что эффект достигает полезного ({useful})"
            if protocol.rule.adopt == "worthwhile"
            else f"оценка эффекта меньше полезного ({useful})"
        ),
        "unclear": f"различие по основному показателю «{outcome.title}» не показано (это не значит, что его нет)"
        if outcome.aim == "difference"
        else f"основной показатель «{outcome.title}»: {words.verdict(effect)}",
        "cannot_tell": "недостаточно данных: при любом результате этот план не может показать различие (наименьшее "
        f"возможное p = {words.smallest(effect.figure.smallest_p)} больше {alpha})",
        "guardrail_broken": f"защитный показатель {guards['broken']} ухудшился больше допуска, и это показано",
        "guardrail_unclear": f"не показано, что ухудшение защитного показателя {guards['unclear']} меньше допуска",
        "not_randomised": "центры выбраны не по жребию: на таких данных формат не внедряют, апробацию надо "
        "повторить со жребием",
        "invalid": "проверки апробации говорят, что её результатам доверять нельзя, пока не найдена причина",
        "interim": "это промежуточный просмотр, и граница досрочной остановки не пройдена",
        "look_stop": "на промежуточном просмотре пройдена граница досрочной остановки",
        "not_equivalent": f"показано, что основной {name} отличается больше чем на {by}",
    }  # fmt: skip
    return texts.get(reason, "")


def _reached(effect: Effect, useful: str) -> str:
    """How the effect stands to the worthwhile one where the rule asks the estimate only."""
    if not effect.outcome.worthwhile:
        return ""
    low = min(effect.outcome.sign * effect.low, effect.outcome.sign * effect.high)
    if low >= effect.outcome.worthwhile:
        return f", весь интервал не ниже полезного эффекта ({useful})"
    return f"; оценка не меньше полезного эффекта ({useful}), хотя интервал допускает и меньший"


def _guards(readout: Readout) -> dict[str, str]:
    own_arm = [
        effect
        for effect in readout.effects
        if effect.outcome.role == "guardrail" and effect.arm == readout.decision.arm
    ]
    broken = [f"«{effect.outcome.title}»" for effect in own_arm if effect.verdict == "broken"]
    unclear = [f"«{effect.outcome.title}»" for effect in own_arm if effect.verdict in {"unclear", "cannot_tell"}]
    return {"broken": formats.enumeration(broken), "unclear": formats.enumeration(unclear)}


def own(readout: Readout) -> Effect:
    """The primary effect of the format that the decision means."""
    return next(effect for effect in readout.primary if effect.arm == readout.decision.arm)


def advice(readout: Readout) -> str:
    """What to do next where the pilot goes on; empty otherwise."""
    if readout.decision.action != "extend":
        return ""
    effect = own(readout)
    if effect.verdict == "cannot_tell" and readout.protocol.design.cluster is not None:
        return (
            "Что делать: добавить центры. При двух равных группах без страт различие на уровне 5 % можно показать, "
            "начиная с 4 центров в группе; сколько нужно для важного вам эффекта, покажет расчёт мощности."
        )
    if "guardrail_unclear" in readout.decision.reasons:
        return "Что делать: набрать данные, чтобы показать, что защитный показатель не ухудшился; до этого не внедрять."
    if "invalid" in readout.decision.reasons:
        return "Что делать: найти причину расхождения, исправить данные и повторить расчёт."
    if "interim" in readout.decision.reasons:
        until = "следующей волны" if readout.looks else "конца апробации"
        return f"Что делать: дождаться {until}; протокол не менять."
    return (
        "Что делать: расчётом мощности узнать, сколько центров или времени ещё нужно, и продолжать по новому "
        "протоколу, зафиксированному до новых данных."
    )


def cost(made: Withheld) -> str:
    """What an additional person with the outcome costs; empty without costs."""
    readout, decision = made.readout, made.readout.decision
    extra, effect = decision.extra_cost, own(made.readout)
    if extra is None:
        return ""
    source = (
        f" Источник: {readout.protocol.costs.source}."
        if readout.protocol.costs and readout.protocol.costs.source
        else ""
    )
    mark = formats.MARK if made.decision_hidden else ""
    name = words.format_name(readout.protocol, decision.arm)
    if extra <= 0:
        return f"Стоимость: {name} {_cheaper(extra, effect)}.{source}"
    said = f"Стоимость: {name} дороже на {formats.money(extra)} на человека"
    if decision.cost is not None and math.isnan(decision.cost.estimate):
        return f"{said}; цена дополнительного результата скрыта: за ней стоит малое число людей.{source}"
    shown = _price(decision.cost, effect)
    return f"{said}; {shown}{mark}.{source}"


def _cheaper(extra: float, effect: Effect) -> str:
    price = "стоит столько же" if extra == 0 else f"дешевле на {formats.money(-extra)} на человека"
    if effect.verdict in {"better", "not_worse", "equivalent"}:
        return f"{price} и не хуже"
    if effect.verdict in {"worse", "broken"}:
        return f"{price}, но хуже"
    return f"{price}; не хуже ли он, не показано"


def _price(price: Range | None, effect: Effect) -> str:
    if price is None:
        return "дополнительных результатов по оценке нет, поэтому их цена не вычисляется"
    each = f"каждого дополнительного человека с результатом «{effect.outcome.title}»"
    if effect.outcome.kind != "proportion":
        each = f"каждую дополнительную единицу показателя «{effect.outcome.title}»"
    if math.isfinite(price.high):
        limits = f"от{formats.NBSP}{_money(price.low)} до{formats.NBSP}{_money(price.high)}"
        return f"на {each} — {_money(price.estimate)} ({limits})"
    if price.low > 0:
        return f"на {each} — не меньше {_money(price.low)}; сверху цена не ограничена, потому что улучшение не показано"
    return f"цену на {each} указать нельзя: улучшение не показано"


def _money(value: float) -> str:
    """Roubles with three digits that count; kopecks mean nothing here."""
    return formats.money(_rounded(value, 3))


def scaled(made: Withheld) -> str:
    """What the format would bring if it reached all; empty where the protocol does not ask."""
    readout, found = made.readout, made.readout.decision.scaled
    effect, people = own(readout), readout.protocol.rule.scale_to
    if found is None or people is None or effect.outcome.kind not in {"proportion", "count"}:
        return ""
    if readout.decision.action == "stop":
        return ""
    if math.isnan(found.estimate):
        return "Ожидаемый эффект внедрения скрыт: за ним стоит малое число людей."
    reach = f"Если бы формат получили {formats.integer(people)} человек в год"
    if math.isinf(found.low) and math.isinf(found.high):
        return f"{reach}: что это даст, рассчитать нельзя — пределы эффекта неизвестны."
    if not (found.low > 0 or found.high < 0):
        low = "сколь угодно меньше" if math.isinf(found.low) else f"{_people(found.low)} меньше"
        high = "сколь угодно больше" if math.isinf(found.high) else f"{_people(found.high)} больше"
        return (
            f"{reach}, результатов «{effect.outcome.title}» могло бы стать от {low} до {high}: направление эффекта не "
            "показано, и рассчитывать на прирост нельзя."
        )
    way = "больше" if found.estimate > 0 else "меньше"
    least, most = sorted((abs(found.low), abs(found.high)))
    limits = f"не меньше чем на {_people(least)}"
    if math.isfinite(most):
        limits = f"от{formats.NBSP}{_people(least)} до{formats.NBSP}{_people(most)}"
    mark = formats.MARK if made.decision_hidden else ""
    return (
        f"{reach}, результатов «{effect.outcome.title}» стало бы примерно на {_people(found.estimate)} {way} "
        f"({limits}){mark}, если эффект там такой же, как в центрах апробации."
    )


def _people(value: float) -> str:
    size = abs(value)
    return formats.integer(_rounded(size, 2) if size >= ENOUGH else round(size))


def _rounded(value: float, digits: int) -> float:
    if value <= 0 or not math.isfinite(value):
        return value
    step = 10 ** max(0, math.floor(math.log10(value)) + 1 - digits)
    return float(round(value / step) * step)


def state(decision: Decision, service: str) -> str:
    """State of the service that follows."""
    of = f"сервиса {service}" if service else "сервиса"
    return f"Состояние {of} после решения: {STATES[decision.pilot_state]}."


def key_figures(made: Withheld) -> tuple[KeyFigure, ...]:
    """The decision, the effect, what an additional person costs."""
    readout, effect = made.readout, own(made.readout)
    measure = Measure.of(effect.outcome, readout.primary)
    protocol = readout.protocol
    title = protocol.title or protocol.pilot
    found = [
        KeyFigure("pilot_decision", f"Апробация «{title}»: решение", ACTIONS[readout.decision.action], "text"),
        KeyFigure(
            "pilot_effect",
            f"Эффект: {effect.outcome.title}",
            _effect_cell(effect, measure, hidden=made.decision_hidden),
            measure.kind if measure.kind == "points" else "text",
            "",
            _effect_note(readout, effect, measure),
        ),
    ]
    price = readout.decision.cost
    if price is not None and (math.isfinite(price.high) or math.isnan(price.estimate)):
        hidden = made.decision_hidden
        value: Cell = (
            Hidden()
            if math.isnan(price.estimate)
            else Marked(_rounded(price.estimate, 3))
            if hidden
            else _rounded(price.estimate, 3)
        )
        note = "" if math.isnan(price.estimate) else f"от {_money(price.low)} до {_money(price.high)}"
        found.append(KeyFigure("pilot_cost", "Цена дополнительного результата", value, "money", note=note))
    return tuple(found)


def _effect_cell(effect: Effect, measure: Measure, *, hidden: bool) -> Cell:
    if math.isnan(effect.estimate):
        return Hidden() if hidden else Missing()
    if measure.kind != "points":
        return measure.signed(effect.estimate) + (formats.MARK if hidden else "")
    value = round(measure.value(effect.estimate), measure.decimals)
    return Marked(value) if hidden else value


def _effect_note(readout: Readout, effect: Effect, measure: Measure) -> str:
    if math.isnan(effect.estimate):
        return "за показателем стоит малое число людей"
    limits = "интервал не ограничен" if words.unlimited(effect) else measure.limits(effect.low, effect.high)
    both = words.in_both_arms(readout.protocol.design)
    units = formats.integer(max(effect.units) if both else sum(effect.units))
    looks = readout.looks
    waiting = "; граница просмотра не пройдена" if looks and not any(look.crossed for look in looks) else ""
    return (
        f"{limits}, уровень доверия {words.confidence(effect.level)}; "
        f"{words.p_equals(effect.p_adjusted, readout.protocol.alpha)}{waiting}; "
        f"{words.what_assigned(readout.protocol.design, 'of')} — {units}"
    )
