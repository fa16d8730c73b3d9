"""Reports as files: each is written aside and then renamed, so that no half of a file is ever seen."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.paths import is_reserved
from kcrr_analysis.reporting import json_form
from kcrr_analysis.reporting.blocks import FailedChapter, Report

Format = Literal["html", "docx", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)

_STEM = re.compile(r"\w[\w.-]*")


def write(
    report: Report,
    folder: Path | str,
    stem: str,
    formats: Iterable[Format] = FORMATS,
    *,
    template: Path | str | None = None,
) -> dict[Format, Path]:
    """Writes the report as `folder/stem.<format>`.

    Args:
        report: The report.
        folder: Where to; made if it is absent.
        stem: File name without extension.
        formats: Which of html, docx, json.
        template: A region's Word template (.docx), or None for the kit's own.

    Returns:
        The files written, by format.

    Raises:
        ParameterError: The stem is no plain file name, a format is unknown, the template or the folder cannot be used.
    """
    folder, chosen = Path(folder), tuple(dict.fromkeys(formats))
    _check_stem(stem)
    unknown = [name for name in chosen if name not in FORMATS]
    if unknown:
        raise ParameterError(f"Вид файла «{unknown[0]}» неизвестен. Допустимы: {', '.join(FORMATS)}.")
    written = {name: folder / f"{stem}.{name}" for name in chosen}
    _replace({path: _writer(report, name, template) for name, path in written.items()})
    return written


def joined(
    reports: Sequence[Report],
    path: Path | str,
    template: Path | str | None = None,
    failed_chapters: Sequence[FailedChapter] = (),
    *,
    title: str = "Отчёт о привлечении клиентов",
) -> Path:
    """Writes the chapters of one region as one Word document with a title page and contents.

    Args:
        reports: Chapters in reading order.
        path: The file to write (`report.docx`).
        template: A region's Word template (.docx), or None for the kit's own.
        failed_chapters: Chapters that could not be built; the document names them with the reasons.
        title: Title of the document.
    """
    from kcrr_analysis.reporting import word

    def chapters(aside: Path) -> None:
        word.document(reports, aside, template=template, title=title, failed=failed_chapters)

    _replace({Path(path): chapters})
    return Path(path)


def _writer(report: Report, name: Format, template: Path | str | None) -> Callable[[Path], None]:
    if name == "json":
        return lambda path: _write_text(path, json_form.dumps(report))
    if name == "html":
        from kcrr_analysis.reporting import html

        return lambda path: _write_text(path, html.page(report))
    from kcrr_analysis.reporting import word

    return lambda path: word.document([report], path, template=template)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _check_stem(stem: str) -> None:
    if not _STEM.fullmatch(stem) or stem.endswith(".") or is_reserved(stem):
        raise ParameterError(
            f"Имя файла «{stem}» не годится. Нужны буквы, цифры, точка, дефис и подчёркивание, без папок."
        )


def _replace(writers: Mapping[Path, Callable[[Path], None]]) -> None:
    """Writes every file beside its place; when all are whole, puts them in place. A failure leaves what was there."""
    path, asides = Path(), dict[Path, Path]()
    try:
        for path, writer in writers.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".kcrr-", suffix=path.suffix)
            os.close(handle)
            asides[path] = Path(name)
            writer(asides[path])
            asides[path].chmod(0o644)
        for path, aside in asides.items():
            aside.replace(path)
    except OSError as error:
        raise ParameterError(
            f"Файл {path} не записывается ({error.strerror}). Закройте его, если он открыт, "
            "проверьте права на папку и место на диске."
        ) from error
    finally:
        for aside in asides.values():
            aside.unlink(missing_ok=True)
