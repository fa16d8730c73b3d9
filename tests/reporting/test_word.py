from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting import Column, FailedChapter, Report, Section, Table, word, word_template
from kcrr_analysis.reporting.formats import NBSP
from tests.reporting import sample
from tests.reporting.test_html import nasty_report


@pytest.fixture
def chapter(tmp_path: Path) -> Any:
    path = tmp_path / "chapter.docx"
    word.document([sample.report()], path)
    return docx.Document(str(path))


def _written(tmp_path: Path, *reports: Report, **options: Any) -> Any:
    path = tmp_path / "joined.docx"
    word.document(reports, path, **options)
    return docx.Document(str(path))


def _texts(document: Any, style: str) -> list[str]:
    """Texts of paragraphs of a style, results of fields included."""
    return [
        "".join(node.text or "" for node in paragraph._p.iter(qn("w:t")))
        for paragraph in document.paragraphs
        if paragraph.style.name == style
    ]


def _one_table(columns: int, header: str, rows: int = 3) -> Report:
    table = Table("т", tuple(Column(f"{header} {n}", "int") for n in range(columns)), ((12345,) * columns,) * rows)
    return replace(sample.report(), sections=(Section("р", (table,)),))


def test_headings_and_conclusions(chapter: Any) -> None:
    assert _texts(chapter, "Heading 1") == ["Обращения и охват по группам клиентов"]
    assert _texts(chapter, "Heading 2") == ["Сколько человек обратились", "Участники СВО"]
    assert _texts(chapter, "Вывод")[0].startswith("В октябре 2025 г. за содействием")
    assert _texts(chapter, "Место и период") == ["г. Москва, октябрь 2025 г."]
    assert "Демонстрационные данные" in _texts(chapter, "Предупреждение")[0]


def test_captions_are_numbered_fields(chapter: Any) -> None:
    assert _texts(chapter, "Caption") == [
        f"Таблица{NBSP}1 – Обратились за содействием в поиске работы по группам клиентов, октябрь 2025 г.",
        f"Таблица{NBSP}2 – Участники СВО по центрам, октябрь 2025 г.",
    ]
    assert [text[:9] for text in _texts(chapter, "Подпись рисунка")] == [f"Рисунок{NBSP}1", f"Рисунок{NBSP}2"]
    fields = [node.get(qn("w:instr")).strip() for node in chapter.element.body.iter(qn("w:fldSimple"))]
    assert fields.count("SEQ Таблица \\* ARABIC") == 2
    assert fields.count("SEQ Рисунок \\* ARABIC") == 2


def test_header_rows_repeat_and_rows_stay_whole(chapter: Any) -> None:
    for table in chapter.tables:
        rows = table._tbl.tr_lst
        assert rows[0].trPr.find(qn("w:tblHeader")) is not None
        assert all(row.trPr.find(qn("w:cantSplit")) is not None for row in rows)
        assert all(row.trPr.find(qn("w:tblHeader")) is None for row in rows[1:])


def test_numbers_are_right_aligned_and_words_left(chapter: Any) -> None:
    figures, groups, centres = chapter.tables
    sides = [str(cell.paragraphs[0].alignment).split()[0] for cell in groups.rows[1].cells]
    assert sides == ["LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"]
    assert [cell.text for cell in groups.rows[1].cells] == [
        "Все клиенты",
        f"11{NBSP}540",
        f"10{NBSP}990",
        f"+10,5{NBSP}%",
        "5,87",
    ]
    assert all(run.bold for cell in groups.rows[1].cells for run in cell.paragraphs[0].runs)
    assert centres.rows[3].cells[2].text == "скрыто"
    assert figures.rows[1].cells[1].text == f"11{NBSP}540{NBSP}чел."


def test_footnotes_stand_under_the_table(chapter: Any) -> None:
    notes = [text for text in _texts(chapter, "Примечание к таблице") if text.startswith("«скрыто»")]
    assert notes == [f"«скрыто» – меньше 5{NBSP}человек либо число, по которому такое значение можно вычислить."]


def test_pictures_have_alt_text_and_fit(chapter: Any) -> None:
    alts = [node.get("descr") for node in chapter.element.body.iter(qn("wp:docPr"))]
    assert alts == [sample.line_chart().alt, sample.bar_chart().alt]
    page = chapter.sections[0]
    assert all(shape.width <= page.page_width - page.left_margin - page.right_margin for shape in chapter.inline_shapes)


def test_page_and_language_of_a_russian_paper(chapter: Any) -> None:
    page = chapter.sections[0]
    sides = (page.left_margin, page.right_margin, page.top_margin, page.bottom_margin)
    assert [round(length.mm) for length in (page.page_width, page.page_height, *sides)] == [210, 297, 30, 15, 20, 20]
    languages = {node.get(qn("w:val")) for node in chapter.styles.element.iter(qn("w:lang"))}
    assert languages == {"ru-RU"}
    assert "PAGE" in page.footer._element.xml
    assert chapter.core_properties.title == "Обращения и охват по группам клиентов"
    assert chapter.core_properties.language == "ru-RU"
    assert chapter.core_properties.author == ""


def test_numbers_continue_over_chapters(tmp_path: Path) -> None:
    joined = _written(tmp_path, sample.report(), sample.report(), title="Отчёт")
    assert [text.split(" – ")[0] for text in _texts(joined, "Caption")] == [f"Таблица{NBSP}{n}" for n in (1, 2, 3, 4)]
    assert _texts(joined, "Title") == ["Отчёт"]
    assert "г. Москва" in _texts(joined, "Subtitle")


def test_contents_lead_to_the_headings(tmp_path: Path) -> None:
    joined = _written(tmp_path, sample.report(), sample.report(), title="Отчёт")
    assert _texts(joined, "toc 1") == ["Обращения и охват по группам клиентов"] * 2
    assert _texts(joined, "toc 2") == ["Сколько человек обратились", "Участники СВО"] * 2
    links = [node.get(qn("w:anchor")) for node in joined.element.body.iter(qn("w:hyperlink"))]
    marks = [node.get(qn("w:name")) for node in joined.element.body.iter(qn("w:bookmarkStart"))]
    assert links == marks
    assert len(set(marks)) == 6
    kinds = [node.get(qn("w:fldCharType")) for node in joined.element.body.iter(qn("w:fldChar"))]
    assert kinds == ["begin", "separate", "end"]


def test_a_failed_chapter_is_named(tmp_path: Path) -> None:
    failed = [FailedChapter("Воронка", "нет таблицы promotion")]
    joined = _written(tmp_path, sample.report(), title="Отчёт", failed=failed)
    assert "Глава «Воронка» не построена: нет таблицы promotion" in _texts(joined, "Предупреждение")
    alone = _written(tmp_path, title="Отчёт", failed=failed)
    assert "Глава «Воронка» не построена: нет таблицы promotion" in _texts(alone, "Предупреждение")


@pytest.mark.parametrize(
    ("columns", "header", "orientations"),
    [(4, "янв", ["PORTRAIT"]), (12, "трудоустроенных", ["PORTRAIT", "LANDSCAPE", "PORTRAIT"])],
)
def test_a_wide_table_turns_the_page(tmp_path: Path, columns: int, header: str, orientations: list[str]) -> None:
    report = _one_table(columns, header)
    written = _written(tmp_path, report)
    assert [str(section.orientation).split()[0] for section in written.sections] == orientations
    page = written.sections[1 if len(orientations) > 1 else 0]
    widths = [int(node.get(qn("w:w"))) for node in written.tables[-1]._tbl.tblGrid]
    room = (page.page_width - page.left_margin - page.right_margin) / 635
    assert sum(widths) == pytest.approx(room, abs=2)


def test_a_short_table_stays_on_one_page_and_a_long_one_may_break(tmp_path: Path) -> None:
    def held(rows: int) -> int:
        written = _written(tmp_path, _one_table(2, "а", rows))
        return sum(1 for node in written.tables[-1]._tbl.iter(qn("w:keepNext")))

    assert held(5) == 2 * 4
    assert held(40) == 0


def test_text_stays_text(tmp_path: Path) -> None:
    written = _written(tmp_path, nasty_report(), title="<b> {{ x }}")
    body = written.element.body.xml
    assert "alert(1)" in body
    assert not list(written.element.body.iter("script"))
    instructions = {node.get(qn("w:instr")).split()[0] for node in written.element.body.iter(qn("w:fldSimple"))}
    assert instructions == {"SEQ"}
    assert "\x07" not in body
    assert "\u202e" not in body


def test_only_an_internal_document_is_marked(tmp_path: Path) -> None:
    def headers(report: Report, **options: Any) -> str:
        word.document([report], tmp_path / "а.docx", **options)
        with zipfile.ZipFile(tmp_path / "а.docx") as archive:
            names = [name for name in archive.namelist() if re.search(r"header\d", name)]
            return "".join(archive.read(name).decode("utf-8") for name in names)

    assert "Для служебного пользования" not in headers(sample.report("public"))
    assert headers(sample.report("internal")).count("Для служебного пользования") == 1
    assert headers(sample.report("internal"), title="Отчёт").count("Для служебного пользования") == 2


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("1.docx", "2.docx"):
        word.document([sample.report("internal")], tmp_path / name, title="Отчёт")
    assert (tmp_path / "1.docx").read_bytes() == (tmp_path / "2.docx").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.docx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "dcterms:created>" not in archive.read("docProps/core.xml").decode("utf-8")


def test_a_regions_template_keeps_its_looks(tmp_path: Path) -> None:
    own = docx.Document()
    own.styles["Heading 1"].font.name = "Arial"
    own.styles["Normal"].font.name = "Calibri"
    own.sections[0].left_margin = Mm(25)
    own.sections[0].footer.paragraphs[0].text = "Центр занятости региона"
    own.add_paragraph("Текст шаблона, которого в отчёте быть не должно")
    own.save(str(tmp_path / "template.docx"))
    written = _written(tmp_path, sample.report(), template=tmp_path / "template.docx")
    assert written.styles["Heading 1"].font.name == "Arial"
    assert written.styles["Normal"].font.name == "Calibri"
    assert round(written.sections[0].left_margin.mm) == 25
    assert written.sections[0].footer.paragraphs[0].text == "Центр занятости региона"
    assert "PAGE" in written.sections[0].footer._element.xml
    assert "Текст шаблона" not in written.element.body.xml
    assert _texts(written, "Вывод")


def test_the_kits_own_template_can_be_taken_and_changed(tmp_path: Path) -> None:
    word_template.write(tmp_path / "template.docx")
    changed = docx.Document(str(tmp_path / "template.docx"))
    changed.styles["Вывод"].font.bold = True
    changed.save(str(tmp_path / "template.docx"))
    written = _written(tmp_path, sample.report(), template=tmp_path / "template.docx")
    assert written.styles["Вывод"].font.bold
    assert written.sections[0].footer._element.xml.count("PAGE") == 1


@pytest.mark.parametrize("content", [None, b"", b"not a zip"])
def test_a_template_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "template.docx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError, match="Шаблон Word") as caught:
        word.document([sample.report()], tmp_path / "а.docx", template=path)
    assert "Сохраните шаблон" in str(caught.value)
    assert not (tmp_path / "а.docx").exists()


@pytest.mark.parametrize("part", ["word/document.xml", "[Content_Types].xml", "_rels/.rels"])
@pytest.mark.parametrize("content", [None, b"<broken", b""])
def test_a_damaged_template_is_named(tmp_path: Path, part: str, content: bytes | None) -> None:
    word_template.write(tmp_path / "whole.docx")
    path = tmp_path / "template.docx"
    with zipfile.ZipFile(tmp_path / "whole.docx") as whole, zipfile.ZipFile(path, "w") as damaged:
        for name in whole.namelist():
            if name != part:
                damaged.writestr(name, whole.read(name))
            elif content is not None:
                damaged.writestr(name, content)
    with pytest.raises(ParameterError, match="не открывается"):
        word.document([sample.report()], tmp_path / "а.docx", template=path)


def test_a_defect_is_not_taken_for_a_bad_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> object:
        raise ZeroDivisionError

    word_template.write(tmp_path / "template.docx")
    monkeypatch.setattr(docx, "Document", broken)
    with pytest.raises(ZeroDivisionError):
        word.document([sample.report()], tmp_path / "а.docx", template=tmp_path / "template.docx")


def test_text_of_a_chapter_snapshot(chapter: Any, snapshot: Callable[[str, str], None]) -> None:
    lines = []
    for child in chapter.element.body:
        if child.tag == qn("w:p"):
            lines.append("".join(node.text or "" for node in child.iter(qn("w:t"))))
        elif child.tag == qn("w:tbl"):
            for row in child.iter(qn("w:tr")):
                cells = ["".join(node.text or "" for node in cell.iter(qn("w:t"))) for cell in row.iter(qn("w:tc"))]
                lines.append(" | ".join(cells))
    snapshot("chapter_word.txt", "\n".join(lines) + "\n")


@pytest.mark.word
def test_libreoffice_reads_it(tmp_path: Path) -> None:
    office = shutil.which("libreoffice") or shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice on this machine")
    word.document([sample.report("internal")], tmp_path / "report.docx", title="Отчёт")
    profile = (tmp_path / "profile").as_uri()
    subprocess.run(
        [
            office,
            f"-env:UserInstallation={profile}",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(tmp_path),
            str(tmp_path / "report.docx"),
        ],
        capture_output=True,
        timeout=180,
        check=True,
    )
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    reader = shutil.which("pdftotext")
    if reader is None:
        return
    done = subprocess.run([reader, "-layout", str(tmp_path / "report.pdf"), "-"], capture_output=True, check=True)
    text = done.stdout.decode("utf-8").replace(NBSP, " ")
    assert "Таблица 1 – Обратились за содействием" in text
    assert "Рисунок 2 – Изменение числа" in text
    assert "Error" not in text
