"""A small kit folder: two notebooks that need no statistics, three regions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from kcrr_analysis.batch import run
from kcrr_analysis.batch.progress import Progress

PARAMETERS = """\
data: str = "data"  # папка с данными
region: str = "01"  # код региона
month: str | None = None  # отчётный месяц
mapping: str | None = None
disclosure: str = "public"
threshold: int = 5
title: str = "Проба"  # название раздела"""

SERIES = """\
import kcrr_analysis as kcrr
from kcrr_analysis.reporting import Column, KeyFigure, Paragraph, Report, Section, Table

rows = kcrr.tables.load(data, region=region).external_series
value = float(rows["value"].sum())
Report(
    "series", "Ряды", region, f"Регион {region}", "октябрь 2025 г.",
    (Section(title, (Paragraph("Сумма ряда."),), (KeyFigure("total", "Сумма", value, "number"),)),),
)"""

PLAIN = """\
from kcrr_analysis.reporting import Paragraph, Report, Section

Report("plain", "Простая глава", region, f"Регион {region}", "октябрь 2025 г.", (Section("Раздел", (Paragraph("Да."),)),))"""  # noqa: E501

SETTINGS = """\
run: проба
title: Пробный запуск <&>
data: data
notebooks: [series, plain]
regions: all
parameters: {series: {title: "Раздел «А»"}}
"""


@dataclass
class Kit:
    """A kit folder in a temporary place."""

    base: Path

    @property
    def params(self) -> Path:
        return self.base / "params" / "run.yaml"

    @property
    def folder(self) -> Path:
        return self.base / "reports" / "проба"

    def write_params(self, text: str) -> Path:
        self.params.write_text(text, encoding="utf-8")
        return self.params

    def write_notebook(self, stem: str, code: str, parameters: str = PARAMETERS) -> Path:
        notebook = new_notebook(
            cells=[
                new_markdown_cell(f"# Глава {stem}\n\nТекст."),
                new_code_cell(parameters, metadata={"tags": ["parameters"]}),
                new_code_cell(code),
            ]
        )
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.base / "notebooks" / f"{stem}.ipynb"
        nbformat.write(notebook, path)
        return path

    def write_series(self, values: dict[str, str], name: str = "external_series.csv") -> Path:
        lines = ["region_code,month,series_id,value,unit,source"]
        lines += [
            f"{code},2025-{month:02},vacancies,{value},ед.,проба" for code, value in values.items() for month in (9, 10)
        ]
        path = self.base / "data" / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def run(self, **settings: Any) -> tuple[run.Outcome, str]:
        """The outcome of a run and what the operator saw."""
        seen = io.StringIO()
        return run.run(self.params, out=self.base / "reports", progress=Progress(seen), **settings), seen.getvalue()

    def files(self) -> dict[str, bytes]:
        """Bytes of all outputs in regions' folders."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.glob("*/*"))
            if path.is_file() and not path.parent.name.startswith(".")
        }


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """Three regions, two notebooks."""
    for name in ("notebooks", "params", "data"):
        (tmp_path / name).mkdir()
    kit = Kit(tmp_path)
    kit.write_notebook("series", SERIES)
    kit.write_notebook("plain", PLAIN)
    kit.write_params(SETTINGS)
    kit.write_series({"01": "10", "02": "20", "77": "30"})
    return kit
