"""Who went to which arm: the draw, its balance, and whether the design could have produced it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.extra_columns import numbers
from kcrr_analysis.experiments.labels import identifiers, in_order
from kcrr_analysis.experiments.mechanism import Allowed, Codes, Criterion, imbalance
from kcrr_analysis.experiments.pairing import nearest_pairs

if TYPE_CHECKING:
    from kcrr_analysis.experiments.design import Design
    from kcrr_analysis.stats.estimate import FloatArray

Positions: TypeAlias = NDArray[np.intp]

ARM, WAVE, SEQUENCE, PAIR, BLOCK = "arm", "wave", "sequence", "pair", "block"

_GROUP_IN = {"stepped_wedge": "в волне", "crossover": "в очерёдности"}
_CRITERION_DRAWS = 5_000
_ATTEMPTS = 200
_ROUNDING = 1e-9
_INTENDED = (
    "Передайте назначение, которое дал жребий, даже если потом часть единиц работала иначе: анализ ведётся по "
    "назначению. Если жребий шёл с другими долями групп, исправьте доли arms в протоколе."
)


@dataclass(frozen=True, eq=False)
class Assignment:
    """An assignment and what is needed to analyse it.

    Attributes:
        design: The design.
        units: One row an assigned unit, sorted: its identifier; `arm` (stepped wedge: `wave` from 1, crossover:
            `sequence` 0 or 1, the one with the control first; switchback: one row a cluster and block, with `block`);
            its strata, `pair`, and the columns of `balance`.
        allowed: The assignments that could have happened.
        redrawn: Whether the design's seed gives this very assignment; None where that cannot be told.
    """

    design: Design
    units: pd.DataFrame
    allowed: Allowed
    redrawn: bool | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Identifiers of the assigned units, in the order of `units`."""
        return tuple(self.units[self.design.assigned])

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of assigned units by arm (wave, sequence)."""
        column = self.design.group_column
        found = self.units[column].value_counts()
        names = self.design.names if column == ARM else sorted(found.index)
        return {str(name): int(found.get(name, 0)) for name in names}

    @cached_property
    def balance(self) -> pd.DataFrame:
        """Balance before the pilot: `covariate`, `arm`, `mean`, `control_mean`, `difference` (standardised).

        The standardised difference is (mean - control mean) / pooled standard deviation of units.
        """
        column = self.design.group_column
        groups = list(self.counts) if column == ARM else [int(name) for name in self.counts]
        rows = []
        for covariate in self.design.balance:
            values = [self.units.loc[self.units[column] == group, covariate].astype(float) for group in groups]
            base = values[0]
            for group, own in zip(groups[1:], values[1:], strict=True):
                spread = (
                    float(np.sqrt((own.var(ddof=1) + base.var(ddof=1)) / 2)) if min(own.size, base.size) > 1 else np.nan
                )
                gap = float(own.mean() - base.mean())
                scaled = gap / spread if spread else (0.0 if gap == 0 else np.nan)
                rows.append((covariate, str(group), float(own.mean()), float(base.mean()), scaled))
        return pd.DataFrame(rows, columns=["covariate", "arm", "mean", "control_mean", "difference"])

    def to_frame(self) -> pd.DataFrame:
        """One row an assigned unit, as it is handed out and read back."""
        return self.units.copy()


def assign(design: Design, units: pd.DataFrame) -> Assignment:
    """Draws an assignment by the design's method and seed; see `Design.assign`."""
    if not design.randomised:
        raise ParameterError(
            "Дизайн: метод not_randomised ничего не назначает по жребию. Передайте таблицу с готовым столбцом arm "
            "в experiments.read_assignment."
        )
    if design.seed is None:
        raise ParameterError(
            "Дизайн: для жребия нужно целое число seed: по нему назначение можно повторить и проверить."
        )
    frame = _assigned_units(design, units)
    chance = np.random.default_rng(design.seed)
    blocks = _blocks(design, frame)
    if design.method == "matched_pairs":
        frame[PAIR] = blocks
    names, shares = _groups(design)
    _enough(design, frame, blocks, len(names))
    codes: Codes = _drawn(_members(blocks, len(frame)), shares, len(frame), chance)
    for code in set(range(len(names))) - set(codes.tolist()):
        raise ParameterError(
            f"Назначение: группе «{names[code]}» с долей {shares[code]:g} из {len(frame)} единиц не досталось ни "
            "одной. Увеличьте долю группы или число единиц."
        )
    criterion = _criterion(design, frame, codes, blocks)
    if criterion is not None:
        codes = _balanced(Allowed(codes, blocks, criterion), chance)
    frame.insert(1 + (design.method == "switchback"), design.group_column, [names[code] for code in codes])
    return Assignment(design, frame, Allowed(codes, blocks, criterion), redrawn=True)


def read_assignment(design: Design, assigned: pd.DataFrame) -> Assignment:
    """An assignment made earlier, checked against the design.

    Args:
        design: The design of the protocol.
        assigned: Rows with the identifier, `arm` (or `wave`, `sequence`), and the strata, pairs and balance columns.

    Raises:
        ParameterError: An unknown arm, an arm without units, or an assignment that the design could not have produced.
    """
    column = design.group_column
    _present(assigned, [column], "Назначение: нет столбца")
    frame = _assigned_units(design, assigned, keep=column)
    blocks = _blocks(design, frame, given=assigned)
    if design.method == "matched_pairs":
        frame[PAIR] = blocks
    names, shares = _groups(design)
    known = {str(name): code for code, name in enumerate(names)}
    arms = identifiers(frame[column])
    wrong = frame.loc[~arms.isin(list(known)), design.assigned]
    if len(wrong):
        raise ParameterError(
            f"Назначение: у единицы «{wrong.iloc[0]}» значение {column} «{arms.fillna('')[wrong.index[0]]}» не описано "
            f"в протоколе. Есть: {', '.join(known)}. Исправьте название в назначении или в протоколе."
        )
    codes: Codes = np.asarray(arms.map(known), dtype=np.int16)
    frame[column] = [names[code] for code in codes]
    for code, name in enumerate(names):
        if not (codes == code).any():
            raise ParameterError(
                f"Назначение: {_GROUP_IN.get(design.method, 'в группе')} «{name}» нет ни одной единицы, сравнивать не "
                "с чем. Проверьте назначение; если группа отменена, исправьте протокол."
            )
    criterion = _criterion(design, frame, codes, blocks)
    allowed = Allowed(codes, blocks, criterion)
    if design.randomised:
        _could_happen(design, frame, allowed, shares)
    return Assignment(design, frame, allowed, _same_as_drawn(design, frame, column, assigned))


def _groups(design: Design) -> tuple[list[Any], FloatArray]:
    if design.method == "stepped_wedge":
        waves = int(design.waves or 0)
        return list(range(1, waves + 1)), np.full(waves, 1 / waves)
    if design.method == "crossover":
        return [0, 1], np.array([0.5, 0.5])
    return list(design.names), np.array(list(design.shares.values()))


def _assigned_units(design: Design, units: pd.DataFrame, keep: str | None = None) -> pd.DataFrame:
    """One row an assigned unit, sorted by its identifier, with the columns that the design names."""
    if not isinstance(units, pd.DataFrame):
        raise ParameterError("Единицы назначения: ожидается таблица (DataFrame), строка на единицу.")
    if design.method == "switchback":
        units = _with_blocks(design, units)
    key = _key(design)
    wanted = [*key, *([keep] if keep else []), *_design_columns(design)]
    if keep and design.method == "matched_pairs" and design.pairs is None and PAIR in units:
        wanted.append(PAIR)
    wanted = list(dict.fromkeys(wanted))
    _present(units, wanted, "Единицы назначения: нет столбца")
    frame = units[wanted].reset_index(drop=True)
    texts = [column for column in wanted if column not in {keep, BLOCK, *design.balance}]
    frame[texts] = frame[texts].apply(identifiers)
    for column in [column for column in wanted if column != keep and column not in design.balance]:
        empty = frame[column].isna()
        if empty.any():
            raise ParameterError(
                f"Единицы назначения: в строке {int(np.flatnonzero(empty)[0]) + 1} таблицы не заполнен столбец "
                f"{column}. Заполните его."
            )
    frame = frame.drop_duplicates()
    twice = frame.duplicated(key)
    if twice.any():
        raise ParameterError(
            f"Единицы назначения: «{frame.loc[twice, design.assigned].iloc[0]}» встречается с разными значениями "
            f"столбцов {', '.join(column for column in wanted if column not in key)}. Оставьте одно."
        )
    for column in design.balance:
        values = numbers(frame[column])[0]
        bad = ~np.isfinite(values)
        if bad.any():
            raise ParameterError(
                f"Единицы назначения: в столбце {column} нет числа у «{frame.loc[bad, design.assigned].iloc[0]}». "
                "Заполните его или уберите столбец из balance."
            )
        frame[column] = values
    return frame.sort_values(key, kind="stable").reset_index(drop=True)


def _key(design: Design) -> list[str]:
    return [design.assigned, *([BLOCK] if design.method == "switchback" else [])]


def _with_blocks(design: Design, units: pd.DataFrame) -> pd.DataFrame:
    """Blocks of consecutive periods, numbered from 0, where the table names periods."""
    if BLOCK in units and design.period not in units:
        return units
    _present(units, [design.period], "Единицы назначения: нет столбца")
    return units.assign(**{BLOCK: block_numbers(design, units[design.period])})


def block_numbers(design: Design, periods: pd.Series) -> Positions:
    """Number of the block of each period: `block` consecutive ones of those that occur, in their order."""
    order = {period: number // design.block for number, period in enumerate(in_order(periods))}
    return np.asarray(periods.map(order), dtype=np.intp)


def _design_columns(design: Design) -> list[str]:
    return [*design.strata, *([design.pairs] if design.pairs else []), *design.balance]


def _present(frame: pd.DataFrame, columns: list[str], said: str) -> None:
    twice = [column for column in columns if list(frame.columns).count(column) > 1]
    if twice:
        raise ParameterError(f"Единицы назначения: столбец «{twice[0]}» есть в таблице дважды. Оставьте один.")
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ParameterError(f"{said}: {', '.join(missing)}. Есть: {', '.join(map(str, frame.columns))}.")


def _blocks(design: Design, frame: pd.DataFrame, given: pd.DataFrame | None = None) -> Any:
    """Stratum of each assigned unit; None where all units form one."""
    if design.method == "matched_pairs":
        return _pairs(design, frame, given)
    columns = list(design.strata)
    if design.method == "switchback":
        columns.append(design.assigned)
    return frame.groupby(columns, sort=True).ngroup().to_numpy() if columns else None


def _pairs(design: Design, frame: pd.DataFrame, given: pd.DataFrame | None) -> Any:
    """Pair of each unit, given or formed; where the design names strata, a pair lies within one."""
    size = len(design.names)
    strata = frame.groupby(list(design.strata)).ngroup() if design.strata else pd.Series(0, index=frame.index)
    column = design.pairs or (PAIR if given is not None and PAIR in frame else None)
    if column is not None:
        sizes = frame[column].value_counts()
        wrong = sizes[sizes != size]
        if len(wrong):
            raise ParameterError(
                f"Пары: в наборе «{wrong.index[0]}» единиц: {int(wrong.iloc[0])}, а групп {size}. В каждом наборе "
                "должно быть по одной единице на группу."
            )
        across = strata.groupby(frame[column]).nunique()
        if (across > 1).any():
            raise ParameterError(
                f"Пары: единицы набора «{across.index[across > 1][0]}» в разных стратах ({', '.join(design.strata)}). "
                "Исправьте столбец набора или уберите strata."
            )
        return frame[column].astype(str).to_numpy()
    pair = np.empty(len(frame), dtype=np.intp)
    formed = 0
    for member in _members(strata.to_numpy(), len(frame)):
        if len(member) % 2:
            raise ParameterError(
                f"Пары: число единиц {'страты ' if design.strata else ''}нечётное ({len(member)}), единица "
                f"«{frame[design.assigned].iloc[member[-1]]}» или другая остаётся без пары. Уберите одну до жребия или "
                "добавьте ещё одну."
            )
        pair[member] = formed + nearest_pairs(frame[list(design.balance)].to_numpy(dtype=float)[member])
        formed += len(member) // 2
    return pair


def _members(blocks: Any, units: int) -> list[Positions]:
    if blocks is None:
        return [np.arange(units)]
    return [np.flatnonzero(blocks == name) for name in dict.fromkeys(blocks.tolist())]


def _enough(design: Design, frame: pd.DataFrame, blocks: Any, groups: int) -> None:
    least = min((len(member) for member in _members(blocks, len(frame))), default=0)
    if len(frame) < groups or (design.method == "stratified" and least < 2):
        where = "в самой малой страте" if len(frame) >= groups else "всего"
        raise ParameterError(
            f"Назначение: единиц {where} {least if len(frame) >= groups else len(frame)}, а групп {groups}. "
            "Сравнивать будет нечего: объедините страты, уберите группу или добавьте единицы."
        )


def _drawn(members: list[Positions], shares: FloatArray, units: int, chance: np.random.Generator) -> Codes:
    """Random codes with the arms' shares in each stratum; what does not divide goes to arms drawn by chance."""
    codes = np.empty(units, dtype=np.int16)
    for member in members:
        whole, rest = _parts(shares, len(member))
        left = len(member) - int(whole.sum())
        more: NDArray[Any] = np.empty(0, dtype=int)
        if left:
            more = chance.choice(len(shares), size=left, replace=False, p=rest / rest.sum())
        given = np.concatenate([np.repeat(np.arange(len(shares)), whole), more])
        codes[member] = chance.permutation(given)
    return codes


def _parts(shares: FloatArray, units: int) -> tuple[NDArray[np.intp], FloatArray]:
    """Whole units of each arm, and the fractions left."""
    exact = shares * units
    whole = np.floor(exact + _ROUNDING).astype(np.intp)
    return whole, np.maximum(exact - whole, 0)


def _balanced(allowed: Allowed, chance: np.random.Generator) -> Codes:
    """The first of random permutations that meets the criterion."""
    for _ in range(_ATTEMPTS):
        drawn = allowed.draw(_CRITERION_DRAWS, chance)
        accepted = drawn if allowed.criterion is None else drawn[allowed.criterion.accepts(drawn)]
        if len(accepted):
            return np.asarray(accepted[0])
    raise ParameterError("Дизайн: условию равновесия (accept) не удовлетворяет ни одно назначение. Увеличьте accept.")


def _criterion(design: Design, frame: pd.DataFrame, codes: Codes, blocks: Any) -> Criterion | None:
    """Balance that the design demands: the best `accept` share of permutations, found without looking at the draw."""
    if design.method != "rerandomised":
        return None
    covariates = frame[list(design.balance)].to_numpy(dtype=float)
    ordered = codes.copy()
    for member in _members(blocks, len(frame)):
        ordered[member] = np.sort(codes[member])
    possible, _ = Allowed(ordered, blocks).reference(_CRITERION_DRAWS, seed=design.reference_seed)
    return Criterion(covariates, float(np.quantile(imbalance(possible, covariates), design.accept)))


def _could_happen(design: Design, frame: pd.DataFrame, allowed: Allowed, shares: FloatArray) -> None:
    """Refuses an assignment that the design never gives."""
    names = _groups(design)[0]
    for member in _members(allowed.strata, len(frame)):
        whole, rest = _parts(shares, len(member))
        found = np.bincount(allowed.codes[member], minlength=len(shares))
        bad = (found < whole) | (found > whole + (rest > _ROUNDING))
        if bad.any():
            code = int(np.flatnonzero(bad)[0])
            most = int(whole[code] + (rest[code] > _ROUNDING))
            may = f"{whole[code]}" if most == whole[code] else f"{whole[code]} или {most}"
            raise ParameterError(
                f"Назначение: {_where(design, frame, member)}{_GROUP_IN.get(design.method, 'в группе')} "
                f"«{names[code]}» единиц: {found[code]}, а по протоколу могло быть {may}. Такое назначение дизайн дать "
                f"не мог. {_INTENDED}"
            )
    if allowed.criterion is not None and not allowed.criterion.accepts(allowed.codes[None])[0]:
        raise ParameterError(
            f"Назначение: группы различаются по столбцам {', '.join(design.balance)} сильнее, чем допускает условие "
            f"равновесия протокола. Такое назначение дизайн дать не мог. {_INTENDED}"
        )


def _where(design: Design, frame: pd.DataFrame, member: Positions) -> str:
    if design.method == "matched_pairs":
        return f"в паре {', '.join(frame[design.assigned].iloc[member])} "
    columns = list(design.strata) if design.method != "switchback" else [design.assigned]
    if not columns:
        return ""
    return f"в страте «{' / '.join(frame[columns].iloc[member[0]].astype(str))}» "


def _same_as_drawn(design: Design, assignment: pd.DataFrame, column: str, given: pd.DataFrame) -> bool | None:
    if not design.randomised or design.seed is None:
        return None
    again = assign(design, given.drop(columns=[PAIR], errors="ignore") if design.pairs != PAIR else given)
    return bool((again.units[column].astype(str).to_numpy() == assignment[column].astype(str).to_numpy()).all())
