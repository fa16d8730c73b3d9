"""The report that an executed notebook published, read back from its file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting import json_form
from kcrr_analysis.reporting.blocks import Report


def extract(path: Path | str) -> Report:
    """The last report among the notebook's outputs.

    Args:
        path: An executed notebook (`.ipynb`), whoever ran it: JupyterLab, papermill or the batch.

    Raises:
        ParameterError: No such file, not a notebook, not executed, stopped by an error, or nothing published.
    """
    path = Path(path)
    cells = _code_cells(path)
    outputs = [output for cell in cells for output in _dicts(cell.get("outputs"))]
    failed = next((output for output in outputs if output.get("output_type") == "error"), None)
    if failed is not None:
        raise ParameterError(
            f"{path.name}: выполнение остановилось с ошибкой ({failed.get('ename')}: {failed.get('evalue')}). "
            "Исправьте причину и выполните блокнот заново."
        )
    found = [data[json_form.MIME] for data in _published(outputs)]
    if found:
        return json_form.from_dict(found[-1], path.name)
    if not any(outputs) and not any(cell.get("execution_count") for cell in cells):
        raise ParameterError(
            f"{path.name}: блокнот не выполнен. Откройте его в JupyterLab и выберите «Выполнить все ячейки», "
            "сохраните и повторите."
        )
    raise ParameterError(
        f"{path.name}: в блокноте нет опубликованного отчёта. Последняя ячейка должна показать отчёт "
        "(Report); выполните её и сохраните блокнот."
    )


def _code_cells(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ParameterError(f"Файл {path} не найден. Проверьте путь.") from error
    except OSError as error:
        raise ParameterError(f"Файл {path} не открывается: {error.strerror}.") from error
    except ValueError as error:
        raise ParameterError(f"{path.name}: это не блокнот Jupyter. Нужен файл .ipynb.") from error
    cells = content.get("cells") if isinstance(content, Mapping) else None
    if not isinstance(cells, list):
        raise ParameterError(f"{path.name}: это не блокнот Jupyter (версии 4). Нужен файл .ipynb.")
    return [cell for cell in _dicts(cells) if cell.get("cell_type") == "code"]


def _dicts(items: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(items, list):
        yield from (item for item in items if isinstance(item, Mapping))


def _published(outputs: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for output in outputs:
        data = output.get("data")
        if isinstance(data, Mapping) and json_form.MIME in data:
            yield data
