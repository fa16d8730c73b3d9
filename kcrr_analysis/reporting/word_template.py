"""The Word template: the kit's own, made in code, or a region's, with the styles it lacks added.

Styles are looked up by name, so a region changes the looks of its reports by changing styles in its own file: the
built-in ones (`Normal`, `Body Text`, `Title`, `Subtitle`, `Heading 1`, `Heading 2`, `Caption`, `Header`, `Footer`,
`toc 1`, `toc 2`; a Russian Word calls them «Обычный», «Основной текст» and so on) and those of `STYLES` with
Russian names.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.styles.style import BaseStyle
from lxml.etree import LxmlError  # type: ignore[import-untyped]

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting.word_markup import element, field, run

FONT = "Times New Roman"
TABLE_STYLE = "Таблица отчёта"


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style of the kit: sizes in points, indents in millimetres."""

    name: str
    base: str = "Normal"
    builtin: bool = False
    size: float | None = None
    bold: bool = False
    italic: bool = False
    colour: str = ""
    side: Literal["left", "both", "center"] = "left"
    before: float = 0
    after: float = 0
    line: float = 1.0
    first_line: float = 0
    left: float = 0
    keep_next: bool = False
    outline: int | None = None
    bar: str = ""


STYLES = (
    Style("Body Text", builtin=True, side="both", after=6, line=1.15, first_line=12.5),
    Style("Title", builtin=True, size=20, bold=True, side="center", before=120, after=18),
    Style("Subtitle", builtin=True, size=14, side="center", after=6),
    Style("Heading 1", builtin=True, size=16, bold=True, after=10, keep_next=True, outline=0),
    Style("Heading 2", builtin=True, size=13, bold=True, before=16, after=8, keep_next=True, outline=1),
    Style("Heading 3", builtin=True, size=12, bold=True, before=12, after=6, keep_next=True, outline=2),
    Style("Caption", builtin=True, size=11, before=10, after=4, keep_next=True),
    Style("Header", builtin=True, size=10),
    Style("Footer", builtin=True, size=10, side="center"),
    Style("toc 1", builtin=True, before=4, after=2),
    Style("toc 2", builtin=True, size=11, after=2, left=8),
    Style("Вывод", base="Body Text", side="both", after=6, line=1.15, first_line=12.5),
    Style("Определение", size=10.5, side="both", before=4, after=6),
    Style("Предупреждение", size=11, before=4, after=8, left=2, bar="E69F00"),
    Style("Место и период", size=12, after=8),
    Style("Рисунок", side="center", before=8, after=2, keep_next=True),
    Style("Подпись рисунка", base="Caption", size=11, side="center", before=2, after=10),
    Style("Шапка таблицы", size=10, bold=True, side="center", before=2, after=2, keep_next=True),
    Style("Ячейка таблицы", size=10, before=1.5, after=1.5),
    Style("Примечание к таблице", size=9.5, before=2),
)


def opened(path: Path | str | None = None) -> Document:
    """An empty document with every style that a report needs.

    Args:
        path: A region's template (.docx): its styles, page, header and footer are kept, its text is not. None makes the
            kit's own: A4, margins 30/15/20/20 mm, Times New Roman.

    Raises:
        ParameterError: The template is absent or is not a .docx file.
    """
    document = _own() if path is None else _region(Path(path))
    for style in STYLES:
        if not _present(document, style.name):
            _add(document, style)
    if not _present(document, TABLE_STYLE):
        _add_table_style(document)
    _speak_russian(document)
    _number_pages(document)
    return document


def _own() -> Document:
    document = docx.Document()
    for style in list(document.styles.element.style_lst):
        if style.get(qn("w:default")) != "1":
            document.styles.element.remove(style)
    properties = document.styles["Normal"].element.get_or_add_rPr()
    for child in list(properties):
        properties.remove(child)
    properties.append(element("rFonts", ascii=FONT, hAnsi=FONT, cs=FONT, eastAsia=FONT))
    properties.append(element("sz", val=24))
    properties.append(element("szCs", val=24))
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin, page.right_margin, page.top_margin, page.bottom_margin = Mm(30), Mm(15), Mm(20), Mm(20)
    page.header_distance = page.footer_distance = Mm(10)
    _set_compatibility(document)
    package = document.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype.endswith("/thumbnail"):
            del package.rels[key]
    return document


def _set_compatibility(document: Document) -> None:
    """Word 2013 and later: without it Word opens the file in compatibility mode."""
    settings = document.settings.element
    for old in settings.findall(qn("w:compat")):
        settings.remove(old)
    setting = element("compatSetting", name="compatibilityMode", uri="http://schemas.microsoft.com/office/word", val=15)
    rsids = settings.find(qn("w:rsids"))
    if rsids is not None:
        rsids.addprevious(element("compat", setting))
    else:
        settings.append(element("compat", setting))


def _region(path: Path) -> Document:
    remedy = "Сохраните шаблон в Word как «Документ Word (.docx)» и проверьте путь."
    if not path.is_file():
        raise ParameterError(f"Шаблон Word {path} не найден. {remedy}")
    try:
        document = docx.Document(str(path))
    except (
        OSError,
        PythonDocxError, OpcError, KeyError, ValueError,  # no package, a package without the parts of a document
        BadZipFile, zlib.error, NotImplementedError, RuntimeError,  # a damaged, oddly packed or encrypted archive
        LxmlError,
    ) as error:  # fmt: skip
        raise ParameterError(f"Шаблон Word {path} не открывается. {remedy}") from error
    if not _present(document, "Normal"):
        raise ParameterError(f"В шаблоне Word {path} нет стиля «Обычный». {remedy}")
    body = document.element.body
    for child in list(body):
        if child.tag != qn("w:sectPr"):
            body.remove(child)
    return document


def _present(document: Document, name: str) -> bool:
    """Whether the template defines the style; names of built-in styles are stored in lower case."""
    names = {style.name.lower() for style in document.styles if style.name}
    return name.lower() in names


def style_id(document: Document, name: str) -> str:
    """The identifier that paragraphs refer to."""
    wanted = name.lower()
    found = next(style for style in document.styles if style.name and style.name.lower() == wanted)
    return str(found.style_id)


def _add(document: Document, style: Style) -> None:
    made = document.styles.add_style(style.name, WD_STYLE_TYPE.PARAGRAPH, builtin=style.builtin)
    made.base_style = document.styles[style.base]
    made.quick_style = True
    paragraph = made.element.get_or_add_pPr()
    parts: list[Any] = []
    if style.keep_next:
        parts.append(element("keepNext"))
    if style.bar:
        parts.append(element("pBdr", element("left", val="single", sz=24, space=6, color=style.bar)))
    parts.append(
        element(
            "spacing",
            before=round(style.before * 20),
            after=round(style.after * 20),
            line=round(style.line * 240),
            lineRule="auto",
        )
    )
    parts.append(element("ind", left=_twips(style.left), firstLine=_twips(style.first_line)))
    parts.append(element("jc", val=style.side))
    if style.outline is not None:
        parts.append(element("outlineLvl", val=style.outline))
    paragraph.extend(parts)
    _write_font(made, style)


def _write_font(made: BaseStyle, style: Style) -> None:
    text = made.element.get_or_add_rPr()
    for wanted, tag in ((style.bold, "b"), (style.italic, "i")):
        if wanted:
            text.append(element(tag))
    if style.colour:
        text.append(element("color", val=style.colour))
    if style.size is not None:
        text.append(element("sz", val=round(style.size * 2)))
        text.append(element("szCs", val=round(style.size * 2)))
    text.append(element("lang", val="ru-RU"))


def _twips(millimetres: float) -> int:
    return round(millimetres / 25.4 * 1440)


def _add_table_style(document: Document) -> None:
    made = document.styles.add_style(TABLE_STYLE, WD_STYLE_TYPE.TABLE)
    lines = [element(edge, val="single", sz=4, space=0, color="7F7F7F") for edge in
             ("top", "left", "bottom", "right", "insideH", "insideV")]  # fmt: skip
    made.element.append(
        element(
            "tblPr",
            element("tblBorders", *lines),
            element("tblCellMar", element("left", w=85, type="dxa"), element("right", w=85, type="dxa")),
        )
    )
    shade = element("tcPr", element("shd", val="clear", color="auto", fill="EDF1F5"))
    made.element.append(element("tblStylePr", shade, type="firstRow"))


def _speak_russian(document: Document) -> None:
    """Spelling in Russian, whatever the template says."""
    defaults = document.styles.element.find(qn("w:docDefaults"))
    holders = [document.styles.default(WD_STYLE_TYPE.PARAGRAPH).element.get_or_add_rPr()]
    if defaults is not None:
        holders += defaults.findall(f"{qn('w:rPrDefault')}/{qn('w:rPr')}")
    for holder in holders:
        for old in holder.findall(qn("w:lang")):
            holder.remove(old)
        holder.append(element("lang", val="ru-RU", eastAsia="ru-RU", bidi="ar-SA"))


def _number_pages(document: Document) -> None:
    """Page numbers in the footer, unless the template's footer has a field of its own."""
    footer = document.sections[0].footer
    if "PAGE" in footer._element.xml:
        return
    empty = [paragraph for paragraph in footer.paragraphs if not paragraph.text.strip()]
    paragraph = empty[0] if empty else footer.add_paragraph()
    paragraph.style = document.styles["Footer"]
    paragraph._p.append(field("PAGE", "1"))


def write(path: Path | str) -> None:
    """Writes the kit's own template as a .docx with a sample of each style, for a region to change.

    Args:
        path: The file to write.
    """
    from kcrr_analysis.reporting.word_markup import save

    document = opened()
    for style in STYLES:
        paragraph = document.add_paragraph(style=style.name)
        paragraph._p.append(run(style.name))
    save(document, path)
