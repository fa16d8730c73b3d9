"""A public run of the real chapters: what is hidden stands in no output, in no form."""

from __future__ import annotations

import html
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from kcrr_analysis import paths, tables
from kcrr_analysis.disclosure import Rule, protect
from tests.batch.conftest import Kit

pytestmark = pytest.mark.batch

NOTEBOOKS = ("01_data_check", "02_indicators")
SETTINGS = """\
run: проба
title: Открытый запуск
data: data
notebooks: [01_data_check, 02_indicators]
disclosure: public
"""
# Persons who applied and persons who received measures, January to October 2025, by centre.
# Young people of October are 4 and 2: September (3571, 2831) has to be hidden beside them.
EVERYBODY = {
    "01-1": ([2000] * 9 + [2011], [1501] * 10),
    "01-2": ([1500] * 10, [1400] * 10),
    "01-3": ([1200] * 10, [1100] * 10),
}
YOUTH = {
    "01-1": ([50] * 8 + [1571, 1], [40] * 8 + [1201, 1]),
    "01-2": ([60] * 8 + [1100, 3], [45] * 8 + [1010, 1]),
    "01-3": ([70] * 8 + [900, 0], [30] * 8 + [620, 0]),
}
DISABILITY = {
    "01-1": ([90] * 10, [0] * 9 + [1]),
    "01-2": ([80] * 10, [0] * 9 + [3]),
    "01-3": ([70] * 10, [0] * 10),
}
GROUPS = {"all": EVERYBODY, "youth": YOUTH, "disability": DISABILITY}
ASKED = {(8, "month"): 2830, (9, "month"): 1}
"""Young applicants for measures of the region: fewer than recipients, which is a warning about 2831 and about 2."""

SECONDARY = (3571, 2831, 5011, 3751)
SHOWN = 4711
"""All applicants of October: the search must find what is not hidden."""


def flow_rows() -> Iterator[str]:
    yield "month;period;scope;center_id;region_code;client_group;applied;measure_applicants;measure_recipients"
    for group, centres in GROUPS.items():
        for month, period in product(range(10), ("month", "year_to_date")):
            since = 0 if period == "year_to_date" else month
            counts = {code: [sum(values[since : month + 1]) for values in columns] for code, columns in centres.items()}
            total = [sum(column) for column in zip(*counts.values(), strict=True)]
            for code, (applied, received) in {**counts, "": total}.items():
                asked = ASKED.get((month, period), "") if group == "youth" and not code else ""
                place = f"{'center' if code else 'region'};{code};01"
                yield f"2025-{month + 1:02d};{period};{place};{group};{applied};{asked};{received}"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """A public run of both chapters for one region of three centres."""
    kit = Kit(tmp_path_factory.mktemp("kit"))
    for name in ("notebooks", "params", "data"):
        (kit.base / name).mkdir()
    root = paths.root(Path(__file__))
    assert root is not None
    for stem in NOTEBOOKS:
        shutil.copy(root / "notebooks" / f"{stem}.ipynb", kit.base / "notebooks")
    centres = "".join(f"{code};Центр {code[-1]};01;Область\n" for code in EVERYBODY)
    people = "".join(f"01;{group};2025;90000\n" for group in GROUPS)
    for table, text in {
        "centers": "center_id;center_name;region_code;region_name\n" + centres,
        "population": "region_code;client_group;year;population\n" + people,
        "flow": "\n".join(flow_rows()) + "\n",
    }.items():
        (kit.base / "data" / f"{table}.csv").write_text(text, encoding="utf-8")
    kit.write_params(SETTINGS)
    done, seen = kit.run()
    assert done.delivered, seen
    return kit


def texts(folder: Path) -> dict[str, str]:
    """What can be read in each output, pictures left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            if path.suffix == ".docx":
                with zipfile.ZipFile(path) as archive:
                    parts = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
                    # Word may cut a number into runs: the text is read without its markup too
                    raw = "\n".join(archive.read(name).decode() for name in parts)
                text = raw + "\n" + re.sub(r"<[^>]*>", "", raw.replace("</w:p>", "\n"))
            else:
                text = path.read_text(encoding="utf-8")
                text = re.sub(r"base64,[A-Za-z0-9+/=\\\s]+", "", text)
                text = re.sub(r'"image/png": "[^"]*"', "", text)
            found[path.relative_to(folder).as_posix()] = html.unescape(text)
    return found


def written(number: int) -> re.Pattern[str]:
    """The number in figures, thousands apart or not, alone or before a fraction."""
    gap = r"(?:[ \u00a0\u2009\u202f]|\\u00a0|\\u202f|\\u2009)?"
    return re.compile(rf"(?<![\w.,]){number // 1000}{gap}{number % 1000:03d}(?!\w)")


def rows_named(report: dict[str, Any], name: str) -> list[list[Any]]:
    tables_ = [block for part in report["sections"] for block in part["blocks"] if block["block"] == "table"]
    return [row for table in tables_ for row in table["rows"] if row[0] == name]


def numbers(row: list[Any]) -> list[Any]:
    return [cell for cell in row if isinstance(cell, int | float) and not isinstance(cell, bool)]


def test_the_data_have_what_the_run_must_hide(kit: Kit) -> None:
    flow = tables.load(kit.base / "data", region="01").flow
    hidden = protect(tables.load(kit.base / "data", region="01"), Rule("internal")).flow
    for column in ("applied", "measure_recipients"):
        gone = set(flow.loc[hidden[f"{column}_hidden"] & (flow["scope"] == "region"), column])
        assert gone >= ({4, 3571, 5011} if column == "applied" else {2, 2831, 3751})


def test_all_outputs_are_there_and_the_search_finds_what_is_shown(kit: Kit) -> None:
    found = texts(kit.folder)
    outputs = {f"01/{stem}.{kind}" for stem in NOTEBOOKS for kind in ("ipynb", "html", "docx", "json")}
    assert set(found) == outputs | {"01/report.docx", "index.html", "manifest.json"}
    holders = {name for name, text in found.items() if written(SHOWN).search(text)}
    assert holders == {name for name in outputs if "02" in name} | {"01/report.docx", "index.html"}


@pytest.mark.parametrize("number", SECONDARY)
def test_a_hidden_secondary_value_stands_nowhere(kit: Kit, number: int) -> None:
    assert [name for name, text in texts(kit.folder).items() if written(number).search(text)] == []


def test_the_rows_of_hidden_groups_hold_no_number(kit: Kit) -> None:
    report = json.loads((kit.folder / "01" / "02_indicators.json").read_text(encoding="utf-8"))
    applied = rows_named(report, "Молодёжь")[0]
    covered = rows_named(report, "Люди с инвалидностью")[1]
    assert applied[1:4] == [{"hidden": True}] * 3  # October, the change to September, that in percent
    assert numbers(applied) == []
    assert covered[1] == covered[4] == {"hidden": True}  # persons and coverage
    assert numbers(covered) == [90000]  # the population, which is published elsewhere
    page = (kit.folder / "01" / "02_indicators.html").read_text(encoding="utf-8")
    of_youth = next(row for row in re.findall(r"<tr\b.*?</tr>", page, re.DOTALL) if "Молодёжь" in row)
    cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td\b.*?</td>", of_youth, re.DOTALL)]
    assert cells.count("скрыто") == applied.count({"hidden": True})
    assert not any(character.isdigit() for cell in cells for character in cell)


def test_warnings_about_counts_name_the_cell_but_not_the_counts(kit: Kit) -> None:
    report = json.loads((kit.folder / "01" / "01_data_check.json").read_text(encoding="utf-8"))
    rows = rows_named(report, "flow.csv")[1:]
    assert [row[1:4] for row in rows] == [[line, "measure_recipients", "скрыто"] for line in ("149", "157")]
    assert not any(character.isdigit() for row in rows for cell in row[4:] for character in cell)
