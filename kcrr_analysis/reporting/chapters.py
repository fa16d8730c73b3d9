"""What a notebook calls: open a chapter on the data, compute its results, show them, publish one report.

chapter = kcrr.open_chapter("02_indicators", "Показатели клиентопотока", data=data, region=region, ...)
applied = chapter.compute(kcrr.indicators.applicants, title="Обращения за содействием")
kcrr.show(applied)
chapter.publish(applied)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from kcrr_analysis import methodology, paths
from kcrr_analysis.disclosure import Rule, protect, shown
from kcrr_analysis.errors import DataError, MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.reporting import formats, views
from kcrr_analysis.reporting.blocks import Block, KeyFigure, Paragraph, Report, Section
from kcrr_analysis.tables import ALL, CheckResult, Tables, check

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from kcrr_analysis.reporting.display import Shown

Result = TypeVar("Result")


@dataclass(frozen=True)
class SwitchedOff:
    """A part of a chapter that these data do not allow.

    Attributes:
        title: Heading the part would have had.
        reason: Why it is off and what would switch it on, in Russian.
    """

    title: str
    reason: str


@dataclass(frozen=True)
class Compared:
    """The tables of the regions that are compared.

    Attributes:
        tables: Their tables, small cells of `flow` hidden or marked.
        regions: (code, name) of the regions compared.
        left_out: (code, name) of the regions whose data have errors.
    """

    tables: Tables
    regions: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chapter:
    """A chapter on one region's data: the data after disclosure control and what the report must say of them.

    Attributes:
        name: Notebook name, also the stem of the output files.
        title: Russian title.
        region: Region code.
        region_name: Its name.
        month: The reporting month; None while the data have no month.
        rule: Disclosure rule in force.
        tables: The region's tables, small cells hidden or marked.
        checked: All faults found on reading, without values that the rule withholds, and the same tables.
        mapping: File that maps foreign files to the tables, if any.
    """

    name: str
    title: str
    region: str
    region_name: str
    month: pd.Period | None
    rule: Rule
    tables: Tables
    checked: CheckResult
    mapping: Path | None = None

    def everyone(self, *only: str, regions: str | Sequence[str] = "all") -> Compared:
        """The tables of all regions, to compare with this one.

        A region whose rows have errors is left out and named; its own chapter says what is wrong with it.

        Args:
            *only: Names of the tables.
            regions: `all`, or codes, a sequence or joined by commas; this region is always among them.

        Raises:
            DataError: The chapter's own region is among those with errors, or an error touches every region.
            ParameterError: A code is not in the data.
        """
        if self.tables.folder is None:
            raise ValueError("tables made in memory have no other regions")
        found = check(self.tables.folder, only=only, mapping=self.mapping)
        faulty = {fault.region_code for fault in found.errors}
        if faulty & {None, self.region}:
            own = _shown(found, self.rule).errors
            raise DataError(fault for fault in own if fault.region_code in {None, self.region})
        named = dict(found.tables.regions)
        codes = [code.strip() for code in (regions.split(",") if isinstance(regions, str) else regions)]
        wanted = set(named) if codes == ["all"] else {*filter(None, codes), self.region}
        unknown = sorted(wanted - set(named))
        if unknown:
            raise ParameterError(
                f"Параметр regions: в данных нет регионов {', '.join(unknown)}. Есть: {', '.join(named)}."
            )
        kept = tuple(code for code in named if code in wanted and code not in faulty)
        frames = {name: _of_regions(frame, kept) for name, frame in found.tables.frames.items()}
        tables = protect(replace(found.tables, frames=frames, stored={}), self.rule)
        left_out = tuple(code for code in named if code in wanted and code in faulty)
        return Compared(tables, tuple((code, named[code]) for code in kept), tuple((c, named[c]) for c in left_out))

    def compute(
        self, function: Callable[..., Result], *, title: str, tables: Tables | None = None, **settings: Any
    ) -> Result | SwitchedOff:
        """`function(tables, region, month, **settings)`, or why these data do not allow it.

        A function with a parameter `rule` is given the chapter's, so that no notebook can forget it.

        Args:
            function: A task's function, such as `indicators.applicants`.
            title: Heading for the part in case it is switched off.
            tables: Other tables than the region's own (`everyone`).
            **settings: Further arguments of the function.
        """
        if "rule" in inspect.signature(function).parameters:
            settings = {"rule": self.rule, **settings}
        try:
            return function(self.tables if tables is None else tables, self.region, self.month, **settings)
        except (MissingTableError, NotComputableError) as error:
            return SwitchedOff(title=title, reason=str(error))

    def publish(self, *results: object, **parameters: object) -> Report:
        """The chapter's report; the last cell of a notebook shows it.

        Args:
            *results: Results or ready sections, in reading order.
            **parameters: Further parameters that change the figures, to be named in the report.
        """
        named = {
            "Регион": self.region,
            "Отчётный месяц": str(self.month) if self.month is not None else "нет",
            "Режим": "открытый" if self.rule.mode == "public" else "для служебного пользования",
            "Порог малого числа, чел.": str(self.rule.threshold),
        } | {name: str(value) for name, value in parameters.items()}
        return Report(
            name=self.name,
            title=self.title,
            region_code=self.region,
            region_name=self.region_name,
            period=formats.month(self.month) if self.month is not None else "период не определён",
            sections=tuple(section(result) for result in results),
            disclosure=self.rule.mode,
            threshold=self.rule.threshold,
            notices=(self.tables.notice,) if self.tables.notice else (),
            sources=tuple(
                f"{source.file}: {formats.count(source.rows, 'строка', 'строки', 'строк')}, "
                f"SHA-256 {source.sha256[:12]}"
                for source in self.checked.sources
            ),
            parameters=tuple(named.items()),
        )


def open_chapter(
    name: str,
    title: str,
    *,
    data: str,
    region: str,
    month: str | None = None,
    mapping: str | None = None,
    disclosure: str = "public",
    threshold: int = 5,
    only: tuple[str, ...] | None = None,
    strict: bool = True,
) -> Chapter:
    """Read and check the region's data and put them under disclosure control.

    Args:
        name: Notebook name (`02_indicators`).
        title: Russian title of the chapter.
        data: Data folder, seen from the kit's folder.
        region: Region code.
        month: Reporting month (`2025-10`); the last month of the data by default.
        mapping: File that maps foreign files to the tables, if any.
        disclosure: public or internal.
        threshold: A count of persons below it is small.
        only: Tables the chapter needs; all by default.
        strict: Whether faults in the data stop the chapter.

    Raises:
        ParameterError: A parameter cannot be used as written.
        DataError: The data have errors, all named at once (when `strict`).
    """
    if not isinstance(region, str):
        raise ParameterError(
            f"Параметр region: записано число {region}, а код региона — текст в две цифры, например '01'. "
            "Команде papermill передавайте его ключом -r: -r region 01."
        )
    rule = Rule(mode=disclosure, threshold=threshold)  # type: ignore[arg-type]  # checked there
    at = _month(month)
    where = paths.resolve(mapping) if mapping else None
    checked = _shown(check(paths.resolve(data), region=region, only=only, mapping=where), rule)
    if strict and checked.errors:
        raise DataError(checked.errors)
    tables = checked.tables
    if strict and region not in dict(tables.regions):
        raise _unknown_region(region, check(paths.resolve(data), only=only, mapping=where).tables)
    tables = protect(tables, rule)
    months = tables.months
    if at is not None and months is not None and not months[0] <= at <= months[1]:
        raise ParameterError(f"Параметр month: месяца {at} в данных нет. В них месяцы с {months[0]} по {months[1]}.")
    return Chapter(
        name=name,
        title=title,
        region=region,
        region_name=_region_name(tables, region),
        month=at if at is not None else _last_month(tables),
        rule=rule,
        tables=tables,
        checked=replace(checked, tables=tables),
        mapping=where,
    )


def _of_regions(frame: pd.DataFrame, codes: tuple[str, ...]) -> pd.DataFrame:
    """Rows of the regions; rows that belong to no region concern them all."""
    if "region_code" not in frame.columns:
        return frame
    return frame[frame["region_code"].isna() | frame["region_code"].isin(codes)].reset_index(drop=True)


def _shown(checked: CheckResult, rule: Rule) -> CheckResult:
    """What was found, faults as they may be shown."""
    errors, warnings = (tuple(shown(fault, rule) for fault in found) for found in (checked.errors, checked.warnings))
    return replace(checked, errors=errors, warnings=warnings, tables=replace(checked.tables, warnings=warnings))


def section(result: object) -> Section:
    """The section that shows a result; a ready section stays as it is."""
    if isinstance(result, Section):
        return result
    if isinstance(result, Compared):
        return _compared(result)
    if isinstance(result, SwitchedOff):
        return Section(result.title, (Paragraph(f"Раздел не построен. {result.reason}", "note"),))
    return views.section(result)


def _compared(result: Compared) -> Section:
    names = formats.enumeration([name for _, name in result.regions])
    number = formats.count(len(result.regions), "регион", "региона", "регионов")
    blocks = [Paragraph(f"В сравнении {number}: {names}.")]
    if result.left_out:
        left = formats.enumeration([name for _, name in result.left_out])
        blocks.append(Paragraph(f"Не сравниваются из-за ошибок в их данных: {left}.", "warning"))
    return Section("С кем сравнивается", tuple(blocks))


def show(*results: object) -> Shown:
    """What a cell shows of results, sections or blocks: as it will stand in the report."""
    from kcrr_analysis.reporting import display

    parts: list[Block | Section] = [result if isinstance(result, Block) else section(result) for result in results]
    return display.show(*parts)


@dataclass(frozen=True, repr=False)
class KeyFigures:
    """Headline figures as lines of plain text, which a test of the notebook can compare."""

    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines)


def key_figures(*results: object) -> KeyFigures:
    """The headline figures of results, one a line: label, figure, unit, note."""
    figures = [figure for result in results for figure in section(result).key_figures]
    return KeyFigures(tuple(_line(figure) for figure in figures))


def _line(figure: KeyFigure) -> str:
    shown = f"{formats.cell(figure.value, figure.kind)} {figure.unit}".rstrip()
    return f"{figure.label}: {shown}" + (f" ({figure.note})" if figure.note else "")


def _month(month: str | None) -> pd.Period | None:
    import pandas as pd

    if month is None:
        return None
    if re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", month):
        return pd.Period(month, freq="M")
    raise ParameterError(f"Параметр month: «{month}» не месяц. Запишите его как ГГГГ-ММ, например 2025-10.")


def _region_name(tables: Tables, region: str) -> str:
    """The region's name in the data, else in the dictionary, else its code."""
    named = dict(tables.regions).get(region)
    if named:
        return named
    known = methodology.find_region(region)
    return known.name if known else region


def _unknown_region(region: str, found: Tables) -> ParameterError:
    listed = ", ".join(code for code, _ in found.regions) or "ни одного"
    return ParameterError(f"Региона «{region}» в данных нет. Есть: {listed}. Проверьте параметр region.")


def _last_month(tables: Tables) -> pd.Period | None:
    """The last month for which the region's own total is recorded; centres may have reported a later one already."""
    flow = tables.get("flow")
    if flow is not None:
        total = (flow["scope"] == "region") & (flow["period"] == "month") & (flow["client_group"] == ALL)
        if total.any():
            last: pd.Period = flow.loc[total, "month"].max()
            return last
    months = tables.months
    return months[1] if months else None
