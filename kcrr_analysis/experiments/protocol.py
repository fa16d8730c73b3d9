"""The protocol: what is decided before the data, so that the data cannot choose the analysis.

It is saved as YAML with a hash of its content. Whoever changes a line afterwards changes the hash; the readout says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml

from kcrr_analysis import paths, yaml_files
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.boundaries import spending
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.outcomes import Estimand, Outcome
from kcrr_analysis.experiments.protocol_file import ProtocolFile
from kcrr_analysis.experiments.several import Multiplicity

if TYPE_CHECKING:
    import pandas as pd

    from kcrr_analysis.experiments.assignment import Assignment
    from kcrr_analysis.experiments.readout import Readout

_HEAD = (
    "# Протокол апробации. Он фиксируется до жребия и до данных: отчёт проверяет строку hash и называет всё, что\n"
    "# изменено после неё. Новый протокол — новый файл.\n"
)


@dataclass(frozen=True)
class Looks:
    """Planned looks at the running pilot, one as each wave of units finishes.

    Attributes:
        kind: Spending of the error: `lan_demets_obrien_fleming`, `obrien_fleming`, `pocock` or `power`.
        wave: Column of the wave of each unit, from 1; it belongs to the design's strata.
    """

    kind: str = "lan_demets_obrien_fleming"
    wave: str = "wave"


@dataclass(frozen=True)
class Costs:
    """What a person costs in each arm.

    Attributes:
        per_person: Roubles a person of the outcome's denominator, by arm.
        source: Where the numbers come from.
    """

    per_person: Mapping[str, float]
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "per_person", MappingProxyType(dict(self.per_person)))
        for arm, roubles in self.per_person.items():
            if not _amount(roubles):
                raise ParameterError(
                    f"Протокол: costs: {arm}: «{roubles}». Ожидается стоимость на человека в рублях: число от 0."
                )


@dataclass(frozen=True)
class Rule:
    """What decides: read from the interval of the primary outcome and from the guardrails.

    Attributes:
        adopt: `better`: the whole interval is on the good side of zero and the estimate reaches `worthwhile`;
            `worthwhile`: the whole interval reaches it.
        scale_to: Persons a year whom the format would reach if adopted; None leaves the expected effect out.
    """

    adopt: Literal["better", "worthwhile"] = "better"
    scale_to: float | None = None

    def __post_init__(self) -> None:
        if self.adopt not in {"better", "worthwhile"}:
            raise ParameterError(f"Протокол: rule.adopt: «{self.adopt}» не допускается. Допустимы: better, worthwhile.")
        if self.scale_to is not None and not (_amount(self.scale_to) and self.scale_to > 0):
            raise ParameterError(
                f"Протокол: rule.scale_to: «{self.scale_to}». Ожидается число людей в год больше 0; если оно не "
                "известно, уберите строку."
            )


@dataclass(frozen=True)
class Protocol:
    """A pilot's protocol.

    Attributes:
        pilot: Code of the pilot (table `pilots`).
        design: How units go to arms.
        outcomes: What is measured; exactly one is primary.
        title: Russian title.
        question: The question in one Russian sentence.
        estimand: Average over persons (`person`) or over centres (`centre`); they differ where the effect depends on
            size.
        alpha: Error of the primary outcome, two-sided, all arms together.
        multiplicity: How several arms share it: `dunnett` or `holm`.
        looks: Planned looks before the end; None means one analysis at the end.
        rule: What decides.
        costs: Costs by arm; None where they are not known.
        service_id: The service whose `pilot_state` follows the decision.
        arm_titles: Russian names of the arms.
        recorded: The hash in the file that it was read from; None for a protocol that was never saved.

    Raises:
        ParameterError: Parts that do not go together.
    """

    pilot: str
    design: Design
    outcomes: Sequence[Outcome]
    title: str = ""
    question: str = ""
    estimand: Estimand = "person"
    alpha: float = 0.05
    multiplicity: Multiplicity = "dunnett"
    looks: Looks | None = None
    rule: Rule = field(default_factory=Rule)
    costs: Costs | None = None
    service_id: str = ""
    arm_titles: Mapping[str, str] = field(default_factory=dict)
    recorded: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _parts_given(self)
        object.__setattr__(self, "outcomes", tuple(self.outcomes))
        object.__setattr__(self, "arm_titles", MappingProxyType(dict(self.arm_titles)))
        if not _amount(self.alpha) or not 0 < self.alpha < 1:
            raise ParameterError(f"{self._named}: alpha: «{self.alpha}». Ожидается число от 0 до 1, обычно 0.05.")
        _one_of(self, "estimand", ("person", "centre"))
        _one_of(self, "multiplicity", ("dunnett", "holm"))
        self._check_outcomes()
        self._check_arms()
        self._check_in_time()
        if self.looks is not None:
            spending(self.looks.kind, 2, self.alpha)
            if self.looks.wave not in self.design.strata or self.design.in_time:
                raise ParameterError(
                    f"{self._named}: просмотры по волнам требуют, чтобы жребий шёл внутри волн. Добавьте столбец "
                    f"«{self.looks.wave}» в strata (метод stratified)."
                )
            if len(self.design.names) != 2 or self.design.method == "rerandomised" or self.primary.kind == "ordinal":
                raise ParameterError(
                    f"{self._named}: просмотры до конца возможны при двух группах, не для rerandomised и не для "
                    "порядкового показателя. Уберите looks."
                )

    @property
    def primary(self) -> Outcome:
        """The outcome that decides."""
        return next(outcome for outcome in self.outcomes if outcome.role == "primary")

    @property
    def hash(self) -> str:
        """SHA-256 of the content; wording of titles belongs to it."""
        text = json.dumps(_numbers_alike(self.to_dict()), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def altered(self) -> bool:
        """Whether the file was changed after its hash was written."""
        return self.recorded is not None and self.recorded != self.hash

    def arm_title(self, arm: str) -> str:
        """Russian name of an arm, its code where there is none."""
        return self.arm_titles.get(arm, arm)

    def to_dict(self) -> dict[str, Any]:
        """The content of the file, without the hash; what is default is left out."""
        design = {name: value for name, value in _plain_fields(self.design).items() if not name.startswith("_")}
        content: dict[str, Any] = {"pilot": self.pilot.strip()}
        for name in ("title", "question", "service_id"):
            if getattr(self, name).strip():
                content[name] = getattr(self, name).strip()
        content |= {"design": design, "estimand": self.estimand, "alpha": self.alpha, "multiplicity": self.multiplicity}
        content["outcomes"] = [_plain_fields(outcome) for outcome in self.outcomes]
        if self.arm_titles:
            content["arm_titles"] = _plain(self.arm_titles)
        for name in ("looks", "rule", "costs"):
            if getattr(self, name) is not None:
                content[name] = _plain_fields(getattr(self, name))
        return content

    def save(self, path: str | Path) -> Path:
        """Writes the protocol with its hash.

        Args:
            path: A YAML file, from the project's folder; folders are made.

        Raises:
            ParameterError: The file exists and holds another protocol.
        """
        target = paths.resolve(path)
        if target.exists():
            before = Protocol.load(target)
            if before.recorded == self.hash and not before.altered:
                return target
            raise ParameterError(
                f"Протокол {target.name} уже зафиксирован и отличается от этого. Сохраните новый под другим именем: "
                "менять протокол после жребия нельзя."
            )
        content = {**self.to_dict(), "hash": self.hash}
        text = _HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
        written = yaml_files.validate(ProtocolFile, yaml_files.parse(text, target.name), target.name)
        if _protocol(written).altered:
            raise ParameterError(
                f"{self._named}: столбец или группу с названием null или ~ в файле не записать. Переименуйте их."
            )
        aside = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(text, encoding="utf-8")
            aside.replace(target)
        except OSError as error:
            raise ParameterError(f"Протокол не записан в {target}: {error.strerror}. Укажите другой путь.") from error
        return target

    @classmethod
    def load(cls, path: str | Path) -> Protocol:
        """Reads a protocol; `altered` tells whether it was changed after it was fixed.

        Args:
            path: A YAML file, from the project's folder.

        Raises:
            ParameterError: The file is absent, or its content cannot be a protocol: every fault at once.
        """
        source = paths.resolve(path)
        written = yaml_files.read_model(source, ProtocolFile)
        try:
            return _protocol(written)
        except ParameterError as error:
            raise ParameterError(f"{source.name}: {error}") from error

    def analyze(
        self,
        assignment: Assignment | pd.DataFrame,
        outcomes: pd.DataFrame,
        *,
        look: int | None = None,
        draws: int | None = None,
    ) -> Readout:
        """Reads the pilot out as the protocol says.

        Args:
            assignment: What `Design.assign` gave, or its frame as it was kept.
            outcomes: Rows with the outcomes: a row a person, or a row an assigned unit (and period) with sums.
            look: Number of the look; None is the final analysis.
            draws: Assignments drawn where there are too many to enumerate; None for the default.

        Raises:
            ParameterError: An assignment that the design could not have produced, an arm without units or outcomes, a
                primary outcome that is not in the data.
        """
        from kcrr_analysis.experiments.reading import analyze

        return analyze(self, assignment, outcomes, look=look, draws=draws)

    @property
    def _named(self) -> str:
        return f"Протокол «{self.pilot}»"

    def _check_outcomes(self) -> None:
        names = [outcome.name for outcome in self.outcomes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ParameterError(f"{self._named}: показатель «{twice[0]}» описан дважды.")
        primary = [outcome.name for outcome in self.outcomes if outcome.role == "primary"]
        if len(primary) != 1:
            raise ParameterError(
                f"{self._named}: основных показателей (role: primary) {len(primary)}"
                f"{': ' + ', '.join(primary) if primary else ''}. Должен быть ровно один: по нему принимается решение; "
                "остальные отметьте secondary или guardrail."
            )

    def _check_in_time(self) -> None:
        """Refuses what the methods in time do not do."""
        for outcome in self.outcomes if self.design.in_time else ():
            if outcome.covariates:
                raise ParameterError(
                    f"{self._named}: показатель «{outcome.name}»: при методе {self.design.method} центр сравнивается "
                    "с самим собой, поправка на covariates не применяется. Уберите covariates."
                )
            if outcome.kind == "ordinal" and self.design.method != "switchback":
                raise ParameterError(
                    f"{self._named}: показатель «{outcome.name}»: kind: ordinal при методе {self.design.method} не "
                    "поддерживается. Укажите kind: mean (средний балл)."
                )

    def _check_arms(self) -> None:
        known = self.design.names
        given = {"arm_titles": self.arm_titles, "costs": self.costs.per_person if self.costs else {}}
        for name, values in given.items():
            unknown = [arm for arm in values if arm not in known]
            if unknown:
                raise ParameterError(
                    f"{self._named}: {name}: группы «{unknown[0]}» нет в дизайне. Есть: {', '.join(known)}."
                )
        if self.costs is not None and set(self.costs.per_person) != set(known):
            missing = ", ".join(arm for arm in known if arm not in self.costs.per_person)
            raise ParameterError(
                f"{self._named}: costs: нет стоимости для групп: {missing}. Укажите её для каждой группы."
            )


def _protocol(written: ProtocolFile) -> Protocol:
    return Protocol(
        pilot=written.pilot,
        title=written.title,
        question=written.question,
        service_id=written.service_id,
        design=Design(**written.design.model_dump()),
        outcomes=[Outcome(**outcome.model_dump(exclude_none=True)) for outcome in written.outcomes],
        estimand=written.estimand,
        alpha=written.alpha,
        multiplicity=written.multiplicity,
        looks=None if written.looks is None else Looks(**written.looks.model_dump()),
        rule=Rule(**written.rule.model_dump()),
        costs=None if written.costs is None else Costs(**written.costs.model_dump()),
        arm_titles=written.arm_titles,
        recorded=written.hash,
    )


def _amount(value: object) -> bool:
    """Whether it is a finite number from 0."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return number and 0 <= float(value) < float("inf")  # type: ignore[arg-type]


def _parts_given(protocol: Protocol) -> None:
    """Refuses parts of another type than the protocol's."""
    parts: tuple[tuple[str, Any, type, bool], ...] = (
        ("design", protocol.design, Design, False),
        ("looks", protocol.looks, Looks, True),
        ("rule", protocol.rule, Rule, False),
        ("costs", protocol.costs, Costs, True),
    )
    for name, value, wanted, may_be_none in parts:
        if not isinstance(value, wanted) and not (may_be_none and value is None):
            raise ParameterError(f"Протокол: {name}: ожидается {wanted.__name__}(...), а передано «{value}».")
    given = protocol.outcomes
    if isinstance(given, (str, Outcome)) or not all(isinstance(outcome, Outcome) for outcome in given):
        raise ParameterError("Протокол: outcomes: ожидается список Outcome(...).")
    if not isinstance(protocol.pilot, str) or not protocol.pilot.strip():
        raise ParameterError(f"Протокол: pilot: «{protocol.pilot}». Укажите код апробации текстом.")


def _one_of(protocol: Protocol, name: str, allowed: tuple[str, ...]) -> None:
    value = getattr(protocol, name)
    if value not in allowed:
        raise ParameterError(
            f"Протокол «{protocol.pilot}»: {name}: «{value}» не допускается. Допустимы: {', '.join(allowed)}."
        )


def _numbers_alike(value: Any) -> Any:
    """300 and 300.0 are the same content."""
    if isinstance(value, Mapping):
        return {key: _numbers_alike(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_numbers_alike(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _plain_fields(value: Any) -> dict[str, Any]:
    """Fields that differ from their defaults, as plain values for YAML; a field without a default is always there."""
    content = {}
    for item in fields(value):
        own = getattr(value, item.name)
        plain = _plain(own)
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        if plain != default and item.init:
            content[item.name] = plain
    return content


def _plain(value: Any) -> Any:
    """As YAML keeps it and gives it back: no tuples, no numpy numbers, no blanks round text."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, str):
        return value.strip()
    return value.item() if isinstance(value, np.generic) else value
