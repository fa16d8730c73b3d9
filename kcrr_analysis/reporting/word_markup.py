"""WordprocessingML that python-docx has no words for: fields, repeated header rows, alt text, watermark.

Everything here builds elements and sets text as text; nothing from data is ever parsed as XML or becomes a field.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from docx.document import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.text.paragraph import Paragraph

from kcrr_analysis.reporting import formats

Side = Literal["left", "right", "center"]


def element(tag: str, /, *children: Any, **attributes: str | int) -> Any:
    """An element in the `w` namespace: `element("jc", val="right")`."""
    made = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), str(value))
    made.extend(children)
    return made


def run(text: str, *, bold: bool = False, half_points: int | None = None) -> Any:
    """A run of text."""
    made, properties = element("r"), element("rPr")
    if bold:
        properties.append(element("b"))
    if half_points is not None:
        properties.append(element("sz", val=half_points))
        properties.append(element("szCs", val=half_points))
    if len(properties):
        made.append(properties)
    content = element("t")
    content.text = formats.clean(text)
    content.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    made.append(content)
    return made


def field(instruction: str, shown: str) -> Any:
    """A simple field with the result it has now; `instruction` is ours, never data."""
    return element("fldSimple", run(shown), instr=f" {instruction} ")


def numbered(paragraph: Paragraph, label: Literal["Таблица", "Рисунок"], number: int, text: str) -> None:
    """Fills a caption: «Таблица 3 – …», the number a field that Word renumbers."""
    paragraph._p.extend([run(label + formats.NBSP), field(f"SEQ {label} \\* ARABIC", str(number)), run(f" – {text}")])


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the contents: its level, text and the bookmark it leads to."""

    level: int
    text: str
    anchor: str


def bookmark(paragraph: Paragraph, anchor: str, number: int) -> None:
    """Encloses the paragraph's text in a bookmark."""
    start = 1 if paragraph._p.pPr is not None else 0
    paragraph._p.insert(start, element("bookmarkStart", id=number, name=anchor))
    paragraph._p.append(element("bookmarkEnd", id=number))


def contents(document: Document, headings: Sequence[Heading]) -> None:
    """A table of contents: a field that Word can update, holding links to the headings until it does."""
    for position, heading in enumerate(headings):
        paragraph = document.add_paragraph(style=f"toc {heading.level}")
        if position == 0:
            instruction = element("instrText")
            instruction.text = ' TOC \\o "1-2" \\h \\z \\u '
            paragraph._p.extend([_mark("begin"), element("r", instruction), _mark("separate")])
        paragraph._p.append(element("hyperlink", run(heading.text), anchor=heading.anchor, history=1))
        if position == len(headings) - 1:
            paragraph._p.append(_mark("end"))


def _mark(kind: str) -> Any:
    return element("r", element("fldChar", fldCharType=kind))


@dataclass(frozen=True, slots=True)
class CellText:
    """A cell of a table: text, side, weight."""

    text: str
    side: Side = "left"
    bold: bool = False


def table(
    document: Document,
    header: Sequence[CellText],
    rows: Sequence[Sequence[CellText]],
    widths: Sequence[int],
    *,
    style_id: str,
    header_style_id: str,
    cell_style_id: str,
    half_points: int | None,
    whole: bool,
    title: str,
) -> None:
    """A table whose header row repeats on each page and whose rows are never split.

    Args:
        document: Where to append it.
        header: The header's cells.
        rows: The body.
        widths: Column widths in twentieths of a point.
        style_id: Table style.
        header_style_id: Paragraph style of the header's cells.
        cell_style_id: Paragraph style of the other cells.
        half_points: Font size in half points where it differs from the styles.
        whole: Whether the table stays on one page.
        title: What the table shows, for readers who cannot see it.
    """
    properties = element(
        "tblPr",
        element("tblStyle", val=style_id),
        element("tblW", w=sum(widths), type="dxa"),
        element("tblLayout", type="fixed"),
        element("tblLook", val="0420", firstRow=1, lastRow=0, firstColumn=0, lastColumn=0, noHBand=0, noVBand=1),
        element("tblCaption", val=formats.clean(title)),
    )
    grid = element("tblGrid", *(element("gridCol", w=width) for width in widths))
    made = element("tbl", properties, grid)
    made.append(_row(header, widths, header_style_id, half_points, repeated=True))
    last = len(rows) - 1
    made.extend(
        [
            _row(cells, widths, cell_style_id, half_points, keep_next=whole and position < last)
            for position, cells in enumerate(rows)
        ]
    )
    document.element.body.insert_element_before(made, "w:sectPr")


def _row(
    cells: Sequence[CellText],
    widths: Sequence[int],
    style_id: str,
    half_points: int | None,
    *,
    repeated: bool = False,
    keep_next: bool = False,
) -> Any:
    properties = element("trPr", element("cantSplit"))
    if repeated:
        properties.append(element("tblHeader"))
    row = element("tr", properties)
    for cell, width in zip(cells, widths, strict=True):
        settings = element("pPr", element("pStyle", val=style_id))
        if keep_next:
            settings.append(element("keepNext"))
        settings.append(element("jc", val=cell.side))
        paragraph = element("p", settings, run(cell.text, bold=cell.bold, half_points=half_points))
        cell_properties = element("tcPr", element("tcW", w=width, type="dxa"))
        if repeated:
            cell_properties.append(element("vAlign", val="center"))
        row.append(element("tc", cell_properties, paragraph))
    return row


def describe(picture: Any, name: str, alt: str) -> None:
    """Gives a picture its alt text, and no distance to the text that some programs would assume."""
    for side in ("distT", "distB", "distL", "distR"):
        picture._inline.set(side, "0")
    properties = picture._inline.docPr
    properties.set("name", formats.clean(name))
    properties.set("descr", formats.clean(alt))


def watermark(paragraph: Paragraph, text: str, number: int) -> None:
    """A grey diagonal text behind the page; the paragraph belongs to a header.

    Args:
        paragraph: A paragraph of the header.
        text: The text, ours.
        number: Tells the shapes of one document apart.
    """
    shape = parse_xml(
        f'<w:r {nsdecls("w")} xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:o="urn:schemas-microsoft-com:office:office">'
        "<w:pict>"
        '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
        'path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>'
        '<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>'
        '<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/><v:f eqn="mid @5 @6"/>'
        '<v:f eqn="mid @8 @5"/><v:f eqn="mid @7 @8"/><v:f eqn="mid @6 @7"/><v:f eqn="sum @6 0 @5"/></v:formulas>'
        '<v:path textpathok="t" o:connecttype="custom" '
        'o:connectlocs="@9,0;@10,10800;@11,21600;@12,10800" o:connectangles="270,180,90,0"/>'
        '<v:textpath on="t" fitshape="t"/><o:lock v:ext="edit" text="t" shapetype="t"/></v:shapetype>'
        f'<v:shape id="kcrr_watermark_{number}" o:spid="_x0000_s{2049 + number}" type="#_x0000_t136" '
        'style="position:absolute;margin-left:0;margin-top:0;width:520pt;height:58pt;rotation:315;z-index:-251658752;'
        "mso-position-horizontal:center;mso-position-horizontal-relative:margin;mso-position-vertical:center;"
        'mso-position-vertical-relative:margin" o:allowincell="f" fillcolor="#c8b4ac" stroked="f">'
        '<v:fill opacity=".45"/><v:textpath style="font-family:&quot;Times New Roman&quot;;font-size:1pt" string=""/>'
        "</v:shape></w:pict></w:r>"
    )
    (path,) = shape.xpath(".//*[local-name()='shape']/*[local-name()='textpath']")
    path.set("string", text)
    paragraph._p.append(shape)


def save(document: Document, path: Any) -> None:
    """Saves with the same bytes each time: no clock in the archive or in the properties.

    Args:
        document: The document.
        path: A path to write.
    """
    buffer = io.BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            target.writestr(entry, source.read(name))
