"""Errors a user can cause, told from errors of ours.

Everything that a user can cause is a `KcrrError`: its text is one clear Russian message with a remedy, and the
command line prints it without a traceback. Any other exception is a defect of the kit and keeps its traceback.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


class KcrrError(Exception):
    """A fault that the user can mend; the message is Russian and names the remedy."""


class ParameterError(KcrrError):
    """A parameter, option or settings file that cannot be used as written."""


class MissingTableError(KcrrError):
    """A table that the call needs is not in the data folder."""


class NotComputableError(KcrrError):
    """The figure cannot be computed honestly from these data; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault in the data, placed where the user can find it.

    Attributes:
        file: File name relative to the data folder, with the sheet where there is one (`flow.xlsx [Лист1]`).
        row: Row as a spreadsheet numbers it (the header of a plain file is row 1), or None for the whole file.
        column: Header as it is written in the file, or empty.
        value: The offending value as written, or empty.
        message: What is wrong, in Russian.
        remedy: What to do about it, in Russian.
        severity: `error` stops the reports that need the table; `warning` weakens them.
        table: Canonical table name, or empty where the file belongs to none.
        region_code: The region the row belongs to; None where the fault touches every region.
        other: A second value that the fault is about, as text, or empty. `message` and `remedy` never hold counts.
    """

    file: str
    row: int | None
    column: str
    value: str
    message: str
    remedy: str
    severity: Severity = "error"
    table: str = ""
    region_code: str | None = None
    other: str = ""

    @property
    def values(self) -> str:
        """The offending value and the one it disagrees with (`3; рядом: 2`), or empty."""
        return "; ".join(filter(None, (self.value, f"рядом: {self.other}" if self.other else "")))

    def __str__(self) -> str:
        """One line: place, what is wrong, the values, remedy."""
        place = self.file
        if self.row is not None:
            place += f", строка {self.row}"
        if self.column:
            place += f", столбец «{self.column}»"
        values = [f"Значение: «{self.value}»"] if self.value else []
        values += [f"рядом: «{self.other}»"] if self.other else []
        shown = f" {'; '.join(values)}." if values else ""
        return f"{place}: {self.message}.{shown} {self.remedy}".rstrip()


class DataError(KcrrError):
    """Faults in the data that stop the work.

    Attributes:
        faults: All of them, errors only.
    """

    shown = 20

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [str(fault) for fault in self.faults[: self.shown]]
        rest = len(self.faults) - len(lines)
        if rest > 0:
            files = Counter(fault.file for fault in self.faults[self.shown :])
            where = ", ".join(f"{file}: {n}" for file, n in files.items())
            lines.append(f"… и ещё {rest} ({where}). Полный список: kcrr check ПАПКА.")
        return "\n".join(lines)
