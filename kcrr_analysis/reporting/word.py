"""Reports as Word: native tables and pictures with numbered captions, in the styles of a template."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from docx.document import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.section import _Header
from docx.shared import Length, Mm, Pt, Twips
from docx.text.paragraph import Paragraph as WordParagraph

from kcrr_analysis.reporting import charts, footnotes, formats, word_markup, word_template
from kcrr_analysis.reporting.blocks import (
    Block,
    Chart,
    Column,
    FailedChapter,
    KeyFigure,
    Paragraph,
    ParagraphRole,
    Report,
    Section,
    Table,
)
from kcrr_analysis.reporting.word_markup import CellText, Heading

_ROLES: dict[ParagraphRole, str] = {
    "plain": "Body Text",
    "conclusion": "Вывод",
    "definition": "Определение",
    "note": "Определение",
    "warning": "Предупреждение",
}
_TWIPS_A_POINT = 20
# Widths of letters in ems of Times New Roman, and the widest column that text alone may ask for.
_LETTER, _BROAD, _DIGIT, _NARROW, _BOLD, _WIDEST = 0.54, 0.78, 0.5, 0.3, 1.07, 25.0
_WIDE = frozenset("жмфшщыюъ")
_THIN = frozenset(" .,:;()«»-!|\N{NO-BREAK SPACE}")
_PADDING = 190  # twentieths of a point that a cell's margins and borders take
_WHOLE_ROWS = 10  # a table of so many rows is not split between pages
_BREAKS = re.compile(r"[ \t\n]+")
# How a table may be set, from the best: on its side or not, and in which size (half points; None: the style's 10 pt).
_SETTINGS: tuple[tuple[bool, int | None], ...] = (
    (False, None),
    (False, 17),
    (True, None),
    (True, 17),
    (True, 15),
)


def document(
    reports: Sequence[Report],
    path: Path | str,
    *,
    template: Path | str | None = None,
    title: str = "",
    failed: Sequence[FailedChapter] = (),
) -> None:
    """Writes one or several chapters as one .docx; equal reports give equal bytes.

    Args:
        reports: Chapters in reading order.
        path: The file to write.
        template: A region's template (.docx) whose styles, page, header and footer are used; None takes the kit's own.
        title: Title of a joined document; it then has a title page and contents. Empty for a lone chapter.
        failed: Chapters that could not be built; they are named with the reasons.

    Raises:
        ParameterError: The template cannot be used.
    """
    writer = _Writer(word_template.opened(template))
    if title:
        writer.front(title, reports, failed)
    for position, report in enumerate(reports):
        writer.chapter(report, new_page=position > 0)
    writer.finish(title or (reports[0].title if reports else ""), reports)
    word_markup.save(writer.document, path)


class _Writer:
    """One document being written: counters and the page's orientation."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.tables = self.figures = self.headings = 0
        self.on_side = False
        self.ids = {
            name: word_template.style_id(document, name)
            for name in (word_template.TABLE_STYLE, "Шапка таблицы", "Ячейка таблицы")
        }

    # Front matter

    def front(self, title: str, reports: Sequence[Report], failed: Sequence[FailedChapter]) -> None:
        """Title page, contents and the chapters that are not there."""
        self._paragraph("Title", title)
        for line in dict.fromkeys(report.region_name for report in reports):
            self._paragraph("Subtitle", line)
        for line in dict.fromkeys(report.period for report in reports):
            self._paragraph("Subtitle", line)
        for line in dict.fromkeys(line for report in reports for line in footnotes.notices(report)):
            self._paragraph("Предупреждение", line)
        first = self._paragraph("Subtitle", "Содержание", bold=True)
        first.paragraph_format.page_break_before = True
        entries, number = [], 0
        for report in reports:
            for level, text in ((1, report.title), *((2, section.title) for section in report.sections)):
                if text:
                    number += 1
                    entries.append(Heading(level, text, _anchor(number)))
        word_markup.contents(self.document, entries)
        for chapter in failed:
            self._paragraph("Предупреждение", f"Глава «{chapter.title}» не построена: {chapter.reason}")
        self.document.add_section(WD_SECTION.NEW_PAGE)
        self.document.sections[0].different_first_page_header_footer = True
        self.document.sections[-1].different_first_page_header_footer = False

    # Chapters

    def chapter(self, report: Report, *, new_page: bool) -> None:
        """A report: heading, notices, key figures, sections, sources."""
        self._turn(on_side=False)
        heading = self._heading(1, report.title)
        heading.paragraph_format.page_break_before = new_page
        self._paragraph("Место и период", f"{report.region_name}, {report.period}")
        for line in footnotes.notices(report):
            self._paragraph("Предупреждение", line)
        self._key_figures(report)
        for section in report.sections:
            self._section(section, report.threshold)
        self._sources(report)

    def _key_figures(self, report: Report) -> None:
        if not report.key_figures:
            return
        columns = (
            Column("Показатель"),
            Column("Значение", "int"),
            Column("К тому же месяцу прошлого года", "int"),
            Column("Пояснение"),
        )
        rows = [_figure_row(figure) for figure in report.key_figures]
        used = [i for i in range(4) if i < 2 or any(row[i] for row in rows)]
        self._grid(
            "Ключевые показатели",
            [columns[i] for i in used],
            [[row[i] for i in used] for row in rows],
            bold=frozenset(),
        )
        self._notes(footnotes.figure_notes(report.key_figures, report.threshold))

    def _section(self, section: Section, threshold: int) -> None:
        if section.title:
            self._turn(on_side=False)
            self._heading(2, section.title)
        for block in section.blocks:
            self._block(block, threshold)

    def _block(self, block: Block, threshold: int) -> None:
        match block:
            case Paragraph(text, role):
                self._turn(on_side=False)
                self._paragraph(_ROLES[role], text)
            case Chart():
                self._turn(on_side=False)
                self._chart(block)
            case Table():
                self._table(block, threshold)

    def _table(self, table: Table, threshold: int) -> None:
        rows = [
            [formats.cell(cell, column.kind, column.decimals) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
        self._grid(table.title, table.columns, rows, bold=frozenset(table.emphasised), numbered=True)
        self._notes(footnotes.notes(table, threshold))

    def _grid(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        *,
        bold: frozenset[int],
        numbered: bool = False,
    ) -> None:
        """A table in the largest type that holds its longest words, on its side where it must be."""
        needs = [_needed(column.title, [row[i] for row in rows]) for i, column in enumerate(columns)]
        page = self.document.sections[-1]
        short, long = sorted((page.page_width or Mm(210), page.page_height or Mm(297)))
        margins = (page.left_margin or 0) + (page.right_margin or 0)
        if self.on_side:
            margins = (page.top_margin or 0) + (page.bottom_margin or 0)
        for on_side, size in _SETTINGS:
            room = (Length(long if on_side else short) - margins) // Twips(1)
            widths = _widths(needs, room, (size or 20) / 2)
            if widths is not None:
                break
        else:
            widths = _squeezed(needs, room)
        self._turn(on_side=on_side)
        if numbered:
            self.tables += 1
            caption = self._paragraph("Caption", "")
            word_markup.numbered(caption, "Таблица", self.tables, title)
        word_markup.table(
            self.document,
            [CellText(column.title, "center") for column in columns],
            [
                [
                    CellText(text, "right" if formats.is_numeric(column.kind) else "left", position in bold)
                    for text, column in zip(row, columns, strict=True)
                ]
                for position, row in enumerate(rows)
            ],
            widths,
            style_id=self.ids[word_template.TABLE_STYLE],
            header_style_id=self.ids["Шапка таблицы"],
            cell_style_id=self.ids["Ячейка таблицы"],
            half_points=size,
            whole=len(rows) <= _WHOLE_ROWS,
            title=title,
        )

    def _notes(self, notes: Sequence[str]) -> None:
        """Small lines under a table; the last one keeps the next block away, and so does an empty one."""
        last = None
        for note in notes or ("",):
            last = self._paragraph("Примечание к таблице", note)
        if last is not None:
            last.paragraph_format.space_after = Pt(10 if notes else 0)

    def _chart(self, chart: Chart) -> None:
        self.figures += 1
        picture = charts.draw(chart)
        page = self.document.sections[-1]
        room = (page.page_width or Mm(210)) - (page.left_margin or 0) - (page.right_margin or 0)
        paragraph = self._paragraph("Рисунок", "")
        shape = paragraph.add_run().add_picture(io.BytesIO(picture.png), width=Length(min(Mm(picture.width_mm), room)))
        word_markup.describe(shape, f"Рисунок {self.figures}", chart.alt)
        caption = self._paragraph("Подпись рисунка", "")
        word_markup.numbered(caption, "Рисунок", self.figures, chart.title)
        if chart.notes:
            caption.paragraph_format.keep_with_next = True
            caption.paragraph_format.space_after = Pt(0)
            self._notes(chart.notes)

    def _sources(self, report: Report) -> None:
        if not (report.sources or report.parameters):
            return
        self._turn(on_side=False)
        first = self._paragraph("Примечание к таблице", "Источники и параметры расчёта", bold=True)
        first.paragraph_format.keep_with_next = True
        for source in report.sources:
            self._paragraph("Примечание к таблице", source)
        for name, value in report.parameters:
            self._paragraph("Примечание к таблице", f"{name}: {value}")

    # Parts

    def _paragraph(self, style: str, text: str, *, bold: bool = False) -> WordParagraph:
        paragraph = self.document.add_paragraph(style=style)
        if text:
            paragraph._p.append(word_markup.run(text, bold=bold))
        return paragraph

    def _heading(self, level: int, text: str) -> WordParagraph:
        self.headings += 1
        paragraph = self._paragraph(f"Heading {level}", text)
        word_markup.bookmark(paragraph, _anchor(self.headings), self.headings)
        return paragraph

    def _turn(self, *, on_side: bool) -> None:
        """Begins a new section of pages where the orientation changes."""
        if on_side == self.on_side:
            return
        page = self.document.add_section(WD_SECTION.NEW_PAGE)
        page.orientation = WD_ORIENT.LANDSCAPE if on_side else WD_ORIENT.PORTRAIT
        page.page_width, page.page_height = page.page_height, page.page_width
        self.on_side = on_side

    def finish(self, title: str, reports: Sequence[Report]) -> None:
        """Watermark and properties."""
        if any(report.disclosure == "internal" for report in reports):
            first = self.document.sections[0]
            headers: list[_Header] = [first.header]
            if first.different_first_page_header_footer:
                headers.append(first.first_page_header)
            if self.document.settings.odd_and_even_pages_header_footer:
                headers.append(first.even_page_header)
            for number, header in enumerate(headers):
                paragraph = header.paragraphs[0] if header.paragraphs else header.add_paragraph()
                word_markup.watermark(paragraph, footnotes.INTERNAL_MARK, number)
        properties = self.document.core_properties
        properties.title = formats.clean(title)[:255]
        properties.language = "ru-RU"
        properties.author = properties.last_modified_by = properties.comments = properties.keywords = ""
        properties.revision = 1
        for child in list(properties._element):
            if child.tag.rsplit("}")[-1] in {"created", "modified", "lastPrinted"}:
                properties._element.remove(child)


def _anchor(number: int) -> str:
    return f"_Toc{number:06}"


def _figure_row(figure: KeyFigure) -> list[str]:
    unit = f"{formats.NBSP}{figure.unit}" if figure.unit and isinstance(figure.value, int | float) else ""
    known = figure.change is not None
    return [
        figure.label,
        formats.cell(figure.value, figure.kind) + unit,
        formats.cell(figure.change, "change_percent") if known else "",
        figure.note,
    ]


# Column widths: `_needed` measures in ems; `_widths` turns them into twentieths of a point.


def _ems(text: str) -> float:
    """Width of a text in ems of Times New Roman, on the safe side."""
    return sum(_em(char) for char in text)


def _em(char: str) -> float:
    if char in _THIN:
        return _NARROW
    if char.isdigit():
        return _DIGIT
    return _BROAD if char in _WIDE or char.isupper() else _LETTER


def _needed(title: str, cells: Sequence[str]) -> tuple[float, float]:
    """Ems that a column must have (its longest word) and would like to have."""
    words = [_ems(word) * _BOLD for word in _BREAKS.split(title)]
    words += [_ems(word) for cell in cells for word in _BREAKS.split(cell)]
    longest = max(words, default=1.0)
    wished = max((_ems(cell) for cell in cells), default=0.0)
    return longest, max(longest, min(wished, _WIDEST), _ems(title) * _BOLD / 1.7)


def _widths(needs: Sequence[tuple[float, float]], room: int, points: float) -> list[int] | None:
    em = points * _TWIPS_A_POINT
    least = [need * em + _PADDING for need, _ in needs]
    spare = room - sum(least)
    if spare < 0:
        return None
    wishes = [wish * em + _PADDING - low for low, (_, wish) in zip(least, needs, strict=True)]
    wished = sum(wishes)
    if wished > spare:
        wide = [low + wish * spare / wished for low, wish in zip(least, wishes, strict=True)]
    else:
        full = [low + wish for low, wish in zip(least, wishes, strict=True)]
        wide = [width * room / sum(full) for width in full]
    return _whole(wide, room)


def _squeezed(needs: Sequence[tuple[float, float]], room: int) -> list[int]:
    total = sum(need for need, _ in needs)
    return _whole([need * room / total for need, _ in needs], room)


def _whole(widths: Sequence[float], room: int) -> list[int]:
    whole = [int(width) for width in widths]
    whole[0] += room - sum(whole)
    return whole
