from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from kcrr_analysis.tables.readers import Grid, UnreadableFileError, read, sheet_names


def csv(tmp_path: Path, content: bytes | str, encoding: str = "utf-8") -> Grid:
    path = tmp_path / "файл.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read(path, "файл.csv")


def cells(grid: Grid) -> list[list[str]]:
    return grid.cells.fillna("").astype(str).to_numpy().tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_delimiters_and_line_ends(tmp_path: Path, encoding: str, mark: str, end: str) -> None:
    text = end.join([mark.join(row) for row in (["Регион", "Ёлка"], ["01", "два слова"])]) + end
    assert cells(csv(tmp_path, text, encoding)) == [["Регион", "Ёлка"], ["01", "два слова"]]


def test_quotes_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    grid = csv(tmp_path, 'a;b\n"x;y";"он сказал ""да"""\n"две\nстроки";2\n')
    assert cells(grid) == [["a", "b"], ["x;y", 'он сказал "да"'], ["две\nстроки", "2"]]
    assert grid.rows.tolist() == [1, 2, 3]


def test_decimal_commas_do_not_look_like_delimiters(tmp_path: Path) -> None:
    assert cells(csv(tmp_path, "a;b\n1,5;2,5\n1,6;2,6\n")) == [["a", "b"], ["1,5", "2,5"], ["1,6", "2,6"]]


def test_blank_lines_are_passed_over_and_keep_the_row_numbers(tmp_path: Path) -> None:
    grid = csv(tmp_path, "\n\na;b\n\n1;2\n;\n3;4\n\n")
    assert cells(grid) == [["a", "b"], ["1", "2"], ["3", "4"]]
    assert grid.rows.tolist() == [3, 5, 7]


def test_ragged_rows_are_named_and_left_out(tmp_path: Path) -> None:
    grid = csv(tmp_path, "a,b,c\n1,2,3\n4,5\n1,5,2,5\n6,7,8\n9,9,9,,\n")
    assert cells(grid) == [["a", "b", "c"], ["1", "2", "3"], ["6", "7", "8"], ["9", "9", "9"]]
    assert grid.rows.tolist() == [1, 2, 5, 6]
    assert [str(fault) for fault in grid.faults] == [
        "файл.csv, строка 3: в строке полей: 2, а в заголовке: 3. Значение: «4,5». "
        "Проверьте, не пропущен ли разделитель и не попал ли он внутрь значения.",
        "файл.csv, строка 4: в строке полей: 4, а в заголовке: 3. Значение: «1,5,2,5». "
        "Возьмите значения с запятыми в кавычки или разделите столбцы точкой с запятой.",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "файл.csv: файл пуст. Заполните файл или уберите его из папки."),
        (b"\xef\xbb\xbf \r\n", "файл.csv: файл пуст. Заполните файл или уберите его из папки."),
        (b"a;b\n\x98\xff;1\n",
         "файл.csv: кодировка файла не распознана. Сохраните файл как CSV UTF-8 (или Windows-1251)."),
        (b"PK\x03\x04\x00\x00",
         "файл.csv: это не текстовый файл CSV. Сохраните таблицу как CSV или поправьте расширение имени файла."),
        (b'a;b\n1;"2\n3;4\n',
         "файл.csv: строки файла не разделяются на столбцы: кавычка не закрыта. "
         "Проверьте кавычки: каждая открытая кавычка должна быть закрыта."),
    ],
)  # fmt: skip
def test_unreadable_csv(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        csv(tmp_path, content)
    assert str(raised.value) == message


def test_a_file_that_is_no_longer_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="файл не открывается"):
        read(tmp_path / "нет.csv", "нет.csv")


def book(path: Path, **sheets: list[list[object]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_a_workbook_is_text_with_dates_and_whole_numbers_as_people_write_them(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", Лист1=[
        ["a", "b", "c", "d", "e"], ["01", 1, 2.5, date(2025, 10, 1), True], [None, None, None, None, None],
        ["x", 12345678901, 0.1, datetime(2025, 10, 1, 12, 30), None],
    ])  # fmt: skip
    grid = read(path, "f.xlsx")
    assert cells(grid) == [
        ["a", "b", "c", "d", "e"], ["01", "1", "2.5", "2025-10-01", "1"],
        ["x", "12345678901", "0.1", "2025-10-01T12:30:00", ""],
    ]  # fmt: skip
    assert grid.rows.tolist() == [1, 2, 4]
    assert grid.label == "f.xlsx"


def test_a_formula_cell_gives_text_and_is_never_run(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", Лист1=[["a", "b"], ["'=1+1", "x"], ["@SUM(1)", "y"]])
    assert cells(read(path, "f.xlsx"))[1:] == [["'=1+1", "x"], ["@SUM(1)", "y"]]


def test_several_sheets_with_data(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", Первый=[["a"], ["1"]], Второй=[["a"], ["2"]])
    grid = read(path, "f.xlsx")
    assert grid.label == "f.xlsx [Первый]"
    assert [str(fault) for fault in grid.faults] == [
        "f.xlsx: в книге несколько листов с данными, прочитан только «Первый». "
        "Если нужны и листы «Второй», сохраните их отдельными файлами."
    ]
    assert cells(read(path, "f.xlsx", sheet="Второй"))[1] == ["2"]
    assert sheet_names(path, "f.xlsx") == ("Первый", "Второй")
    with pytest.raises(UnreadableFileError) as raised:
        read(path, "f.xlsx", sheet="Третий")
    assert str(raised.value) == "f.xlsx: в книге нет листа «Третий». Есть листы: «Первый», «Второй»."


def test_merged_ranges_are_known(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["a", "b"], ["x", 1], [None, 2]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    workbook.save(tmp_path / "f.xlsx")
    assert read(tmp_path / "f.xlsx", "f.xlsx").merged == ((2, 0, 3, 0),)


@pytest.mark.parametrize("name", ["f.xlsx", "f.xls"])
def test_not_a_workbook(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a;b\n1;2\n")
    with pytest.raises(UnreadableFileError) as raised:
        read(tmp_path / name, name)
    assert str(raised.value) == (
        f"{name}: файл не читается как книга Excel. Откройте файл в Excel и сохраните как «Книга Excel (.xlsx)»; "
        "расширение имени должно отвечать формату."
    )


def test_an_empty_workbook(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="файл пуст"):
        read(book(tmp_path / "f.xlsx", Лист1=[]), "f.xlsx")


def test_parquet_keeps_types_and_names(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["01", None], "b": [1, 2]})
    frame.to_parquet(tmp_path / "f.parquet")
    grid = read(tmp_path / "f.parquet", "f.parquet")
    assert grid.headers == ("a", "b")
    assert grid.rows.tolist() == [1, 2]
    assert grid.cells[1].tolist() == [1, 2]


def test_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(b"a;b")
    with pytest.raises(UnreadableFileError) as raised:
        read(tmp_path / "f.parquet", "f.parquet")
    assert str(raised.value) == (
        "f.parquet: файл не читается как Parquet. Выгрузите файл заново; расширение имени должно отвечать формату."
    )


def test_the_line_that_excel_puts_before_the_header(tmp_path: Path) -> None:
    grid = csv(tmp_path, "sep=;\na;b\n1;2\n")
    assert cells(grid) == [["a", "b"], ["1", "2"]]
    assert grid.rows.tolist() == [2, 3]


def test_lines_before_the_table_can_be_skipped(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("Отчёт;за;октябрь;2025\n\na;b\n1;2\n", encoding="utf-8")
    assert read(path, "f.csv", skip=1).rows.tolist() == [3, 4]
