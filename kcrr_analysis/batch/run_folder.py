"""The folder of a run: one batch at a time, files placed whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from kcrr_analysis.batch.manifest import Output, sha256
from kcrr_analysis.errors import KcrrError, ParameterError

LOCK = ".lock"
WORK = ".work"


class OutputError(KcrrError):
    """A file of the run cannot be written; part of the reports may be delivered."""

    exit_code = 1


def sentence(error: OSError, path: Path | None = None) -> str:
    """What an `OSError` of writing means for the user, in Russian."""
    # Of a renaming, the second name is where the file belongs; the first lies in a folder that is gone afterwards.
    place = path or error.filename2 or error.filename or ""
    if error.errno == errno.ENOSPC:
        return f"На диске кончилось место ({place}). Освободите место и повторите с --resume."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.EBUSY}:
        return (
            f"Нет доступа на запись: {place}. Закройте файл, если он открыт в другой программе, "
            "или выберите другую папку (--out)."
        )
    return f"Не удаётся записать {place}: {error.strerror or error}."


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """Make the run's folder and hold its lock; the value is an empty folder for unfinished files.

    Raises:
        ParameterError: The folder cannot be written, or another batch is at work in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a+b")
    except OSError as error:
        raise ParameterError(sentence(error, folder)) from error
    with lock:
        if not _lock(lock):
            raise ParameterError(
                f"В папке {folder} уже работает другой запуск. Дождитесь его конца или возьмите другое имя run."
            )
        work = folder / WORK
        try:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(exist_ok=True)
        except OSError as error:
            raise ParameterError(sentence(error, folder)) from error
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _lock(file: IO[bytes]) -> bool:
    """Take the lock until the file is closed, also by a crash; False if another process has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks (some network shares): work goes on, unprotected
    return True


def place(files: Iterable[Path], folder: Path, run: Path) -> tuple[Output, ...]:
    """Move finished files into their folder, each by one rename.

    Args:
        files: Written aside, on the same file system.
        folder: Where they belong.
        run: The run's folder, which their recorded paths are seen from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    placed = []
    for file in files:
        target = folder / file.name
        digest = sha256(file)
        file.replace(target)
        placed.append(Output(target.relative_to(run).as_posix(), digest))
    return tuple(placed)


def remove(paths: Iterable[Path]) -> None:
    """Remove outputs that must not be mistaken for current ones."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def intact(outputs: Iterable[Output], run: Path) -> bool:
    """Whether all files are there, byte for byte as recorded."""
    return all((run / output.path).is_file() and sha256(run / output.path) == output.sha256 for output in outputs)
