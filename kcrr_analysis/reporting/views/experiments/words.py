"""How effects, p-values, arms and verdicts of a pilot read: the words never exceed the figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.outcomes import Outcome
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.experiments.readout import Effect, Verdict
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Kind
from kcrr_analysis.tables.contracts import TABLES

ROLES = {"primary": "основной", "secondary": "дополнительный", "guardrail": "защитный"}
UNLIMITED = "не ограничен"

METHODS = {
    "complete": "полностью случайное назначение",
    "stratified": "случайное назначение внутри страт",
    "matched_pairs": "случайное назначение внутри подобранных пар",
    "rerandomised": "случайное назначение с условием равновесия групп",
    "stepped_wedge": "ступенчатое внедрение: по жребию назначена очередь начала",
    "crossover": "перекрёстный план: по жребию назначена очерёдность форматов в центре",
    "switchback": "переключение форматов: по жребию назначен формат каждого блока времени",
    "not_randomised": "без жребия",
}

_LARGE = ((1e12, "триллиона"), (1e9, "миллиарда"), (1e6, "миллиона"))
_RATHER = 0.1
_HALF = 0.5


@dataclass(frozen=True)
class Measure:
    """How the values of one outcome read.

    Attributes:
        factor: What values are multiplied by to be shown.
        kind: Of a difference.
        level: Of an arm's mean.
        decimals: Digits after the comma of a difference.
        unit: After a difference, where the kind brings none.
        centre: What is added to a difference: an ordinal effect is shown as a win probability.
    """

    factor: float
    kind: Kind
    level: Kind
    decimals: int
    unit: str = ""
    centre: float = 0.0

    @classmethod
    def of(cls, outcome: Outcome, effects: tuple[Effect, ...] = ()) -> Measure:
        """The measure of an outcome; digits follow from the standard errors of its effects."""
        if outcome.kind == "proportion":
            return cls(100, "points", "percent", 1)
        if outcome.kind == "ordinal":
            return cls(100, "number", "number", 0, "из 100", _HALF)
        errors = [effect.figure.se for effect in effects if effect.figure.se > 0]
        finest = min(errors, default=float("nan"))
        decimals = 2 if math.isnan(finest) else min(5, max(0, -math.floor(math.log10(finest))))
        return cls(1, "number", "number", decimals, outcome.unit)

    @property
    def header(self) -> str:
        """The unit as a column's title or a chart's axis has it."""
        return "п. п." if self.kind == "points" else self.unit

    def value(self, effect: float) -> float:
        """The effect as it is shown, within what is possible."""
        shown = (effect + self.centre) * self.factor
        if self.kind == "points" and math.isfinite(shown):
            return min(max(shown, -100.0), 100.0)
        return shown

    def size(self, effect: float) -> str:
        """A difference without sign, with its unit: «7,3 п. п.»."""
        return f"{self.bare(effect)}{self.after}"

    def bare(self, effect: float) -> str:
        """The same without the unit."""
        return formats.number(abs(self.value(effect)), self.decimals)

    def signed(self, effect: float) -> str:
        """A difference with its sign; of an ordinal outcome, the win probability."""
        return formats.number(self.value(effect), self.decimals, signed=not self.centre) + self.after

    def limits(self, low: float, high: float) -> str:
        """«от −2,1 до 9,3 п. п.», infinite limits in words."""
        ends = [formats.number(self.value(end), self.decimals) if math.isfinite(end) else "" for end in (low, high)]
        match ends:
            case ["", ""]:
                return UNLIMITED
            case ["", top]:
                return f"не больше {top}{self.after}"
            case [bottom, ""]:
                return f"не меньше {bottom}{self.after}"
            case _:
                return f"от{formats.NBSP}{ends[0]} до{formats.NBSP}{ends[1]}{self.after}"

    def mean(self, value: float) -> str:
        """An arm's mean with its unit."""
        if self.level == "percent":
            return formats.percent(100 * value)
        unit = f"{formats.NBSP}{self.unit}" if self.unit and not self.centre else ""
        return formats.number(value, 2 if self.centre else self.decimals) + unit

    @property
    def after(self) -> str:
        """The unit with the space before it."""
        unit = "п.\N{NO-BREAK SPACE}п." if self.kind == "points" else self.unit.replace(" ", formats.NBSP)
        return f"{formats.NBSP}{unit}" if unit else ""


def arm_name(protocol: Protocol, arm: str) -> str:
    """How an arm is called in a table."""
    if arm in protocol.arm_titles:
        return protocol.arm_titles[arm]
    if arm == protocol.design.control:
        return "контрольная группа"
    return "опытная группа" if len(protocol.design.names) == 2 else f"формат {arm}"


def format_name(protocol: Protocol, arm: str) -> str:
    """How the format of an arm is called in a sentence."""
    if arm in protocol.arm_titles:
        return f"формат «{protocol.arm_titles[arm]}»"
    return "новый формат" if len(protocol.design.names) == 2 else f"формат «{arm}»"


def unlimited(effect: Effect) -> bool:
    """Whether the design has too few assignments for an interval."""
    if effect.outcome.kind == "ordinal":
        return effect.low <= -_HALF and effect.high >= _HALF and effect.figure.smallest_p > 1 - effect.level + 1e-9
    return math.isinf(effect.low) and math.isinf(effect.high)


def p_value(p: float, alpha: float = 0.05) -> str:
    """«0,014», «0,97», «меньше 0,001»; a digit more where rounding would put it on the other side of alpha."""
    if p < 0.0005:
        return "меньше 0,001"
    decimals = 2 if p >= _RATHER else 3
    while decimals < 6 and (round(p, decimals) <= alpha) != (p <= alpha + 1e-9):
        decimals += 1
    return formats.number(p, decimals)


def p_equals(p: float, alpha: float = 0.05) -> str:
    """«p = 0,014», «p меньше 0,001»."""
    shown = p_value(p, alpha)
    return f"p {shown}" if shown.startswith("меньше") else f"p = {shown}".replace(" ", formats.NBSP)


def smallest(p: float) -> str:
    """A smallest attainable p-value with two digits that count: «0,10», «0,029», «0,0001»."""
    if p <= 0:
        return formats.number(0, 2)
    return formats.number(p, min(6, max(2, 1 - math.floor(math.log10(p))))).rstrip("0").ljust(4, "0")


def assignments(count: int | None) -> str:
    """How many assignments the design could have given."""
    if count is None:
        return "число допустимых назначений неизвестно (их отсекает условие равновесия)"
    for bound, word in _LARGE:
        if count >= bound:
            return f"допустимых назначений больше {word}"
    return f"допустимых назначений {formats.integer(count)}"


def confidence(level: float) -> str:
    """«95 %», «99,8 %», «99,99 %»."""
    percent = 100 * level
    decimals = next((d for d in (0, 1, 2) if abs(round(percent, d) - percent) < 0.05 * (100 - percent) + 1e-9), 2)
    return formats.percent(percent, decimals)


def what_assigned(design: Design, case: str = "many") -> str:
    """Assigned units in words: «центры», «люди», «блоки времени»."""
    words = {
        "many": ("центры", "люди", "блоки времени в центрах"),
        "of": ("центров", "человек", "блоков времени"),
    }[case]
    return words[2 if design.method == "switchback" else 0 if design.cluster is not None else 1]


def in_both_arms(design: Design) -> bool:
    """Whether each centre is in both arms, one after the other."""
    return design.ordered


def compared(effect: Effect, measure: Measure) -> str:
    """«на 7,3 п. п. выше, чем в контрольной группе (от 1,6 до 13,0 п. п. с уровнем доверия 95 %)»."""
    if effect.outcome.kind == "ordinal":
        return _won(effect, measure)
    spread = _spread(effect, measure)
    if round(measure.value(effect.estimate), measure.decimals) == 0:
        return f"по оценке такой же, как в контрольной группе ({spread})"
    sure = effect.low > 0 or effect.high < 0
    way = "выше" if effect.estimate > 0 else "ниже"
    said = f"на {measure.size(effect.estimate)} {way}, чем в контрольной группе ({spread})"
    return said if sure else f"по оценке {said}"


def _spread(effect: Effect, measure: Measure) -> str:
    low, high = effect.low, effect.high
    if unlimited(effect):
        return "пределы указать нельзя: допустимых назначений слишком мало"
    sure = f" с уровнем доверия {confidence(effect.level)}"
    if effect.outcome.kind == "ordinal":
        return measure.limits(low, high) + sure
    if low > 0 or high < 0:
        ends = sorted((abs(low), abs(high)))
        return measure.limits(*ends) + sure
    below = f"{measure.size(low)} ниже" if math.isfinite(low) else "сколь угодно ниже"
    above = f"{measure.size(high)} выше" if math.isfinite(high) else "сколь угодно выше"
    return f"от {below} до {above}{sure}"


def _won(effect: Effect, measure: Measure) -> str:
    return (
        f"если наугад взять по клиенту из опытной и контрольной групп, в {measure.bare(effect.estimate)} случаях из "
        f"100 оценка выше у клиента опытной ({_spread(effect, measure)}; равные оценки делятся пополам, 50 — различия "
        "нет)"
    )


def of_hundred(effect: Effect, measure: Measure) -> str:
    """The effect on a proportion as persons of each 100; empty where no difference is shown."""
    if measure.kind != "points" or effect.verdict not in {"better", "worse"} or not (effect.low > 0 or effect.high < 0):
        return ""
    more = "больше" if effect.estimate > 0 else "меньше"
    ends = sorted(abs(measure.value(end)) for end in (effect.low, effect.high))
    if not all(map(math.isfinite, ends)):
        return ""
    count, low, high = (round(value) for value in (abs(measure.value(effect.estimate)), *ends))
    if not count:
        return ""
    return f" Иначе говоря, из каждых 100 человек — примерно на {count} {more} (от {low} до {high})."


def verdict(effect: Effect) -> str:
    """What may be said of an effect."""
    margin = Measure.of(effect.outcome)
    by = "" if effect.outcome.margin is None else margin_words(effect.outcome, margin)
    texts: dict[Verdict, str] = {
        "better": "различие показано: лучше контрольной группы",
        "worse": "различие показано: хуже контрольной группы",
        "unclear": "различие не показано (это не значит, что его нет)",
        "cannot_tell": "недостаточно данных: при любом результате этот план не может показать различие",
        "not_worse": f"показано: если и хуже контрольной группы, то меньше чем на {by}",
        "broken": f"показано: хуже контрольной группы больше чем на {by}",
        "equivalent": f"показано: отличается от контрольной группы меньше чем на {by}",
        "not_equivalent": f"показано: отличается от контрольной группы больше чем на {by}",
    }
    if effect.outcome.aim == "difference":
        return texts[effect.verdict]
    asked = f"различие меньше {by}" if effect.outcome.aim == "equivalent" else f"ухудшение меньше {by}"
    if effect.verdict == "unclear":
        return f"не показано, что {asked} (и обратное не показано)"
    if effect.verdict == "cannot_tell":
        return f"недостаточно данных: при любом результате этот план не может показать, что {asked}"
    return texts[effect.verdict]


def margin_words(outcome: Outcome, measure: Measure) -> str:
    """The margin in the outcome's unit."""
    return difference_words(outcome, float(outcome.margin or 0), measure)


def difference_words(outcome: Outcome, size: float, measure: Measure) -> str:
    """A difference that the protocol names, without sign: «3,0 п. п.», «5 из 100»."""
    if outcome.kind == "ordinal":
        return f"{formats.number(100 * size, 0 if abs(100 * size - round(100 * size)) < 1e-9 else 1)} из 100"
    if outcome.kind == "proportion":
        return measure.size(size)
    text = formats.number(size, 6).rstrip("0").rstrip(",")
    return f"{text}{measure.after}"


@cache
def _titles() -> dict[str, str]:
    found: dict[str, str] = {
        "wave": "Волна", "past_share": "Доля в прошлом", "past_n": "Людей в прошлом", "past_total": "Случаев в прошлом",
    }  # fmt: skip
    for table in TABLES.values():
        for column in table.columns.values():
            found.setdefault(column.name, column.title)
    return found


def column_title(name: str) -> str:
    """Russian title of a column of the data contracts; other columns keep their name."""
    return _titles().get(str(name), str(name))


def column_titles(names: Sequence[str]) -> str:
    """The titles listed."""
    return formats.enumeration([f"«{column_title(name)}»" for name in names])


def stop(text: str) -> str:
    """The text with a full stop, unless an abbreviation ends it with one."""
    return text if text.endswith(".") else f"{text}."


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
