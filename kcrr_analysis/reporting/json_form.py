"""A report as JSON and back: schema `kcrr.report/1`.

Equal reports give equal bytes, on any machine and by any road: numbers are written with ten significant digits (the
last bits of a sum differ between processors), and a whole number is written as one, because JupyterLab saves a
notebook through JavaScript, where 5.0 is 5. Nothing is lost beyond that; a NaN or an infinity is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, TypeVar, get_args

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Disclosure,
    Hidden,
    Interval,
    KeyFigure,
    Kind,
    Marked,
    Missing,
    Panel,
    Paragraph,
    ParagraphRole,
    Report,
    Section,
    Series,
    SeriesRole,
    Shape,
    Table,
)

SCHEMA = "kcrr.report/1"
MIME = "application/vnd.kcrr.report+json"
SIGNIFICANT = 10
_EXACT = 2**53

Item = TypeVar("Item")


def to_dict(report: Report) -> dict[str, Any]:
    """The report as JSON values.

    Raises:
        ValueError: A number is not finite (give None or `Missing` instead) or too large to survive JSON.
        TypeError: A cell is of a type that a report does not hold.
    """
    return {
        "schema": SCHEMA,
        **_texts(report, ("name", "title", "region_code", "region_name", "period", "disclosure")),
        "threshold": int(report.threshold),
        "notices": _lines(report.notices),
        "sources": _lines(report.sources),
        "parameters": [[_text(name), _text(value)] for name, value in report.parameters],
        "sections": [_section(section) for section in report.sections],
    }


def dumps(report: Report) -> str:
    """The canonical text: sorted keys, Cyrillic as is, one final line break."""
    return json.dumps(to_dict(report), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"


def loads(text: str, name: str = "JSON") -> Report:
    """The report that `dumps` wrote.

    Args:
        text: Its text.
        name: File name for messages.

    Raises:
        ParameterError: The text is not a report of this schema.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ParameterError(f"{name}: файл не читается как JSON. Постройте отчёт заново.") from error
    return from_dict(content, name)


def from_dict(content: object, name: str = "JSON") -> Report:
    """The report that `to_dict` wrote; see `loads`."""
    found = content.get("schema") if isinstance(content, Mapping) else None
    if found != SCHEMA:
        raise ParameterError(
            f"{name}: ожидается отчёт вида «{SCHEMA}», а записано «{found or 'ничего'}». "
            "Постройте отчёт заново этой версией пакета."
        )
    try:
        return _read_report(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParameterError(
            f"{name}: отчёт повреждён ({error or type(error).__name__}). Постройте его заново."
        ) from error


# Writing


def _text(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    return text.encode("utf-8", "replace").decode("utf-8")


def _lines(lines: Iterable[str]) -> list[str]:
    return [_text(line) for line in lines]


def _texts(value: object, names: Iterable[str]) -> dict[str, str]:
    return {name: _text(getattr(value, name)) for name in names}


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{value!r} is not a number")
    if isinstance(value, Integral):
        whole = int(value)
        if abs(whole) > _EXACT:
            raise ValueError(f"{whole} is too large for JSON")
        return whole
    exact = float(value)
    if not math.isfinite(exact):
        raise ValueError(f"{exact} cannot be reported; use None or Missing")
    rounded = float(f"{exact:.{SIGNIFICANT - 1}e}")
    return int(rounded) if rounded.is_integer() and abs(rounded) <= _EXACT else rounded


def _optional_number(value: Any) -> int | float | None:
    return None if value is None else _number(value)


def _cell(cell: Cell) -> Any:
    match cell:
        case None:
            return None
        case str():
            return _text(cell)
        case Hidden() | Missing() | Marked() | Interval():
            return _tagged(cell)
    return _number(cell)


def _tagged(cell: Hidden | Missing | Marked | Interval) -> dict[str, Any]:
    match cell:
        case Hidden():
            return {"hidden": True}
        case Missing(reason):
            return {"missing": _text(reason)}
        case Marked(value):
            return {"marked": _number(value)}
        case Interval(low, high):
            return {"interval": [_number(low), _number(high)]}


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": _text(section.title),
        "blocks": [block_form(block) for block in section.blocks],
        "key_figures": [_key_figure(figure) for figure in section.key_figures],
    }


def _key_figure(figure: KeyFigure) -> dict[str, Any]:
    return {
        **_texts(figure, ("key", "label", "kind", "unit", "note")),
        "value": _cell(figure.value),
        "change": _cell(figure.change),
    }


def block_form(block: Block) -> dict[str, Any]:
    """One block as JSON values."""
    match block:
        case Paragraph():
            return {"block": "paragraph", **_texts(block, ("text", "role"))}
        case Table():
            return {
                "block": "table",
                "title": _text(block.title),
                "columns": [
                    {**_texts(column, ("title", "kind")), "decimals": column.decimals} for column in block.columns
                ],
                "rows": [[_cell(cell) for cell in row] for row in block.rows],
                "notes": _lines(block.notes),
                "emphasised": [int(position) for position in block.emphasised],
            }
        case Chart():
            return {
                "block": "chart",
                **_texts(block, ("title", "alt")),
                "notes": _lines(block.notes),
                "panels": [_panel(panel) for panel in block.panels],
            }
    raise TypeError(f"a report cannot hold {type(block).__name__}")


def _panel(panel: Panel) -> dict[str, Any]:
    reference = panel.reference
    return {
        **_texts(panel, ("shape", "title", "unit", "kind")),
        "reference": None if reference is None else [_number(reference[0]), _text(reference[1])],
        "series": [
            {
                **_texts(series, ("name", "role")),
                "x": _lines(series.x),
                "y": [_optional_number(value) for value in series.y],
                "low": [_optional_number(value) for value in series.low],
                "high": [_optional_number(value) for value in series.high],
            }
            for series in panel.series
        ],
    }


# Reading


def _refuse_constant(word: str) -> float:
    raise ValueError(word)


def _take(content: Any, cls: type, *extra: str) -> dict[str, Any]:
    """The fields of `cls` and nothing else."""
    if not isinstance(content, Mapping):
        raise TypeError(f"{cls.__name__}: ожидаются поля")
    wanted = {field.name for field in fields(cls)}
    unknown, absent = set(content) - wanted - set(extra), wanted - set(content)
    if unknown or absent:
        raise ValueError(f"{cls.__name__}: поля {', '.join(sorted(unknown | absent))}")
    return {name: content[name] for name in wanted}


def _many(content: Any, read: Callable[[Any], Item]) -> tuple[Item, ...]:
    if not isinstance(content, Sequence) or isinstance(content, str):
        raise TypeError(f"ожидается список, а записано «{content}»")
    return tuple(read(item) for item in content)


def _one_of(content: Any, allowed: Any) -> Any:
    if content not in get_args(allowed):
        raise ValueError(f"значение «{content}»")
    return content


def _read_cell(content: Any) -> Cell:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, Mapping):
        return _number(content)
    match dict(content):
        case {"hidden": True, **rest} if not rest:
            return Hidden()
        case {"missing": reason, **rest} if not rest:
            return Missing(_text(reason))
        case {"marked": value, **rest} if not rest:
            return Marked(_number(value))
        case {"interval": [low, high], **rest} if not rest:
            return Interval(_number(low), _number(high))
    raise ValueError(f"ячейка {dict(content)}")


def _read_report(content: Any) -> Report:
    taken = _take(content, Report, "schema")
    _one_of(taken["disclosure"], Disclosure)
    return Report(
        **{
            **taken,
            **_texts_of(taken, ("name", "title", "region_code", "region_name", "period")),
            "threshold": int(_number(taken["threshold"])),
            "sections": _many(taken["sections"], _read_section),
            "notices": _many(taken["notices"], _text),
            "sources": _many(taken["sources"], _text),
            "parameters": _many(taken["parameters"], _read_parameter),
        }
    )


def _texts_of(taken: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    return {name: _text(taken[name]) for name in names}


def _read_parameter(content: Any) -> tuple[str, str]:
    name, value = _many(content, _text)
    return name, value


def _read_section(content: Any) -> Section:
    taken = _take(content, Section)
    return Section(
        title=_text(taken["title"]),
        blocks=_many(taken["blocks"], _read_block),
        key_figures=_many(taken["key_figures"], _read_key_figure),
    )


def _read_key_figure(content: Any) -> KeyFigure:
    taken = _take(content, KeyFigure)
    return KeyFigure(
        **_texts_of(taken, ("key", "label", "unit", "note")),
        kind=_one_of(taken["kind"], Kind),
        value=_read_cell(taken["value"]),
        change=_read_cell(taken["change"]),
    )


def _read_block(content: Any) -> Block:
    kind = content.get("block")
    if kind == "paragraph":
        taken = _take(content, Paragraph, "block")
        return Paragraph(text=_text(taken["text"]), role=_one_of(taken["role"], ParagraphRole))
    if kind == "table":
        taken = _take(content, Table, "block")
        return Table(
            title=_text(taken["title"]),
            columns=_many(taken["columns"], _read_column),
            rows=_many(taken["rows"], lambda row: _many(row, _read_cell)),
            notes=_many(taken["notes"], _text),
            emphasised=_many(taken["emphasised"], lambda position: int(_number(position))),
        )
    if kind == "chart":
        taken = _take(content, Chart, "block")
        return Chart(
            **_texts_of(taken, ("title", "alt")),
            panels=_many(taken["panels"], _read_panel),
            notes=_many(taken["notes"], _text),
        )
    raise ValueError(f"блок «{kind}»")


def _read_column(content: Any) -> Column:
    taken = _take(content, Column)
    decimals = taken["decimals"]
    return Column(
        title=_text(taken["title"]),
        kind=_one_of(taken["kind"], Kind),
        decimals=None if decimals is None else int(_number(decimals)),
    )


def _read_panel(content: Any) -> Panel:
    taken = _take(content, Panel)
    reference = taken["reference"]
    return Panel(
        **_texts_of(taken, ("title", "unit")),
        shape=_one_of(taken["shape"], Shape),
        kind=_one_of(taken["kind"], Kind),
        series=_many(taken["series"], _read_series),
        reference=None if reference is None else (_number(reference[0]), _text(reference[1])),
    )


def _read_series(content: Any) -> Series:
    taken = _take(content, Series)
    return Series(
        name=_text(taken["name"]),
        role=_one_of(taken["role"], SeriesRole),
        x=_many(taken["x"], _text),
        y=_many(taken["y"], _optional_number),
        low=_many(taken["low"], _optional_number),
        high=_many(taken["high"], _optional_number),
    )
