"""The synthetic data as a folder: files that spreadsheets open, the notice, the known truth and a README."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import yaml

from kcrr_analysis.demo.data_set import DemoData
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.yaml_files import read

VERSION = "2"
"""Version of the generator; it changes when the same seed gives other bytes by design."""

NOTICE = (
    "Данные синтетические: регионы, центры, люди и все числа вымышлены и созданы программой. "
    "Выводы по ним ничего не говорят о работе настоящих кадровых центров."
)
"""The Russian notice that every report made from these data repeats."""

PARQUET = ("flow", "actions", "survey_responses")
"""Tables too large for a spreadsheet."""
RUSSIAN_HEADERS = ("center_months", "plan", "vacancies")
"""CSV tables whose headers are the Russian titles of the contract; the others have the codes."""

_BESIDE = ("dataset.yaml", "truth.yaml", "README.md")


def file_name(table: str) -> str:
    """Name of the file of `table` in the folder."""
    return f"{table}.parquet" if table in PARQUET else f"{table}.csv"


def write(data: DemoData, folder: Path | str) -> Path:
    """Writes the data set into `folder`: aside first, then renamed, so that a folder is never half written.

    Args:
        data: The data set.
        folder: Where to; an empty or absent folder, or an older demo data set, which is replaced.

    Returns:
        The folder.

    Raises:
        ParameterError: The folder holds something else, or cannot be written.
    """
    target = Path(folder).resolve()
    refuse_foreign(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise ParameterError(f"Папка {target} не создаётся: {error.strerror}. Укажите другую папку в --out.") from error
    try:
        _fill(data, aside / "new")
        _swap(aside / "new", target, aside / "old")
    except OSError as error:
        raise ParameterError(
            f"Папка {target} не записывается: {error.strerror}. Закройте файлы этой папки в других программах, "
            "проверьте права и свободное место и повторите."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def refuse_foreign(target: Path) -> None:
    """Lets pass an absent or empty folder and an older demo data set with nothing added to it.

    Raises:
        ParameterError: Writing would destroy files that the demo did not make.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise ParameterError(f"{target} — файл, а не папка. Укажите в --out папку для демонстрационных данных.")
    present = sorted(path.name for path in target.iterdir())
    if not present:
        return
    if not _is_demo(target):
        raise ParameterError(
            f"Папка {target} не пуста и не содержит демонстрационных данных (нет dataset.yaml со строкой "
            "«synthetic: true»). Чтобы не стереть чужие файлы, укажите в --out пустую или новую папку."
        )
    own = {*_BESIDE, *(file_name(name) for name in TABLES)}
    foreign = [name for name in present if name not in own]
    if foreign:
        raise ParameterError(
            f"В папке демонстрационных данных {target} есть посторонние файлы: {', '.join(foreign[:5])}. "
            "Перенесите их в другое место или укажите в --out новую папку."
        )


def _is_demo(target: Path) -> bool:
    marker = target / "dataset.yaml"
    if not marker.is_file():
        return False
    content = read(marker)
    return isinstance(content, Mapping) and str(content.get("synthetic", "")).strip().lower() == "true"


def _swap(new: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.replace(old)
    try:
        new.replace(target)
    except OSError:
        if old.exists():
            old.replace(target)
        raise


def _fill(data: DemoData, folder: Path) -> None:
    folder.mkdir()
    for name, table in data.tables.items():
        path = folder / file_name(name)
        if name in PARQUET:
            _parquet(table, path)
        else:
            _csv(table, name, path)
    about = {
        "notice": NOTICE,
        "synthetic": True,
        "title": "Демонстрационные данные",
        "version": VERSION,
        "seed": data.seed,
        "regions": data.regions,
        "months": data.months,
        "first_month": data.first_month,
        "last_month": data.last_month,
    }
    _yaml(about, folder / "dataset.yaml")
    truth = {"notice": NOTICE, "seed": data.seed, "version": VERSION, "definitions": dict(data.definitions)}
    _yaml({**truth, **data.truth}, folder / "truth.yaml")
    _text(_readme(data), folder / "README.md")


def _parquet(table: pd.DataFrame, path: Path) -> None:
    """Months as their first day, as queries see them; moments in microseconds, UTC."""
    frame = table.copy()
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.PeriodDtype):
            frame[column] = frame[column].dt.to_timestamp().dt.date
        elif isinstance(frame[column].dtype, pd.DatetimeTZDtype):
            frame[column] = frame[column].dt.as_unit("us")
        elif frame[column].dtype == "datetime64[ns]":
            frame[column] = frame[column].dt.date
    frame.to_parquet(path, compression="zstd", index=False, engine="pyarrow")


_MOSCOW = "Europe/Moscow"

_CSV_FORMS: Mapping[str, Callable[[pd.Series[Any]], pd.Series[Any]]] = MappingProxyType({
    "month": lambda column: column.astype("string"),
    "date": lambda column: column.dt.strftime("%d.%m.%Y"),
    "time": lambda column: column.dt.tz_convert(_MOSCOW).map(
        lambda moment: moment.isoformat(timespec="seconds"), na_action="ignore"
    ),
    "flag": lambda column: column.map({True: "да", False: "нет"}),
})  # fmt: skip


def _csv(table: pd.DataFrame, name: str, path: Path) -> None:
    """UTF-8 with a mark, semicolons and decimal commas: a Russian Excel opens it by a double click."""
    contract, frame = TABLES[name], table.copy()
    for column in frame.columns:
        form = _CSV_FORMS.get(contract.columns[column].kind if column in contract.columns else "text")
        if form is not None:
            frame[column] = form(frame[column])
        elif frame[column].dtype == "float64" and (frame[column].dropna() % 1 == 0).all():
            frame[column] = frame[column].astype("Int64")
    if name in RUSSIAN_HEADERS:
        frame = frame.rename(columns={name: column.title for name, column in contract.columns.items()})
    text = frame.to_csv(sep=";", decimal=",", index=False, lineterminator="\n")
    path.write_bytes(text.encode("utf-8-sig"))


def _yaml(content: Mapping[str, Any], path: Path) -> None:
    _text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=110), path)


def _text(text: str, path: Path) -> None:
    path.write_bytes(text.encode("utf-8"))


_WHAT = MappingProxyType({
    "flow": "persons and units by month and year to date, centre and region, client group",
    "actions": "steps of single (invented) persons: contact, registration, application, service",
    "survey_responses": "answers of clients, one row an item, with weighting variables",
    "center_months": "premises, staff, capacity; Russian headers",
    "plan": "planned clients and services; Russian headers",
    "vacancies": "vacancy base of the region; Russian headers",
})  # fmt: skip


def _readme(data: DemoData) -> str:
    rows = "\n".join(
        f"| `{file_name(name)}` | {len(table)} | {_WHAT.get(name, TABLES[name].doc.rstrip('.'))} |"
        for name, table in data.tables.items()
    )
    return f"""# Demonstration data (synthetic)

Made by `kcrr demo --regions {data.regions} --seed {data.seed}`. Everything here is invented: {data.regions} fictitious
regions (codes with leading zeros, names that begin with «Демо-область»), their centres and people, {data.months} months
({data.first_month} to {data.last_month}). No figure was estimated from a real one. Every report made from these data
says so.

`truth.yaml` holds the known truth: the funnel of each promotion tool, the first-touch conversion of each tool, the true
event weights and engagement values that generated `new_clients`, the effect and ICC of the pilot, the level shift, the
probable split events, the survey model. An analysis can be asked whether it finds it. `dataset.yaml` holds the notice
and the seed. The same seed gives the same bytes on the same library versions; a region does not depend on how many
regions are made.

CSV files are UTF-8 with a byte-order mark, `;` between columns, decimal comma, dates as `31.12.2025`, months as
`2025-10`, flags as `да`/`нет`: a Russian Excel opens them (import code columns as text, or Excel drops leading zeros).
The largest tables are Parquet (zstd). An empty cell means that there is no value. `pilot_results.csv` holds the
pilot's outcomes, a row a centre; its protocol is `params/pilots/pilot-2025-1.yaml` of the kit.

| file | rows | what |
|---|---|---|
{rows}

## По-русски

Это **вымышленные** данные для знакомства с отчётами и для проверки расчётов: регионы, центры, люди и числа созданы
программой. Файлы CSV открываются в Excel двойным щелчком; коды вида `01` загружайте как текст. Проверка: `kcrr check
data/demo`. Заново создать набор: `kcrr demo` (папка с другими файлами не затирается).
"""
