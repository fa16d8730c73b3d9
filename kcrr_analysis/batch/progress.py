"""Lines of progress for the operator, on standard error."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

from kcrr_analysis.batch.manifest import ReportRecord

WORDS = {"delivered": "готов", "failed": "НЕ ГОТОВ", "skipped": "не начат"}


def spell(seconds: float) -> str:
    """A duration in words.

    >>> spell(0.84), spell(200), spell(3700)
    ('0,8 с', '3 мин 20 с', '1 ч 1 мин')
    """
    if seconds < 10:
        return f"{seconds:.1f} с".replace(".", ",")
    whole = round(seconds)
    if whole < 60:
        return f"{whole} с"
    if whole < 3600:
        return f"{whole // 60} мин {whole % 60} с"
    return f"{whole // 3600} ч {whole % 3600 // 60} мин"


@dataclass
class Progress:
    """Counts finished reports and tells the time left.

    Attributes:
        stream: Where lines go; standard error by default.
        total: Reports to build.
    """

    stream: TextIO | None = None
    total: int = 0
    _done: int = 0
    _started: float = field(default_factory=time.monotonic)
    _silent: bool = False

    def begin(self, total: int, kept: int) -> None:
        """Start counting `total` reports; `kept` more are delivered already."""
        self.total, self._done, self._started = total, 0, time.monotonic()
        kept_text = f", без изменений оставлено {kept}" if kept else ""
        self.say(f"Отчётов к построению: {total}{kept_text}.")

    def report(self, record: ReportRecord) -> None:
        """One report is finished."""
        self._done += 1
        left = ""
        if self._done < self.total:
            elapsed = time.monotonic() - self._started
            left = f"; осталось ≈ {spell(elapsed / self._done * (self.total - self._done))}"
        self.say(
            f"[{self._done:>{len(str(self.total))}}/{self.total}] {record.region} {record.region_name} · "
            f"{record.notebook}: {WORDS[record.status]}, {spell(record.seconds)}{left}"
        )
        if record.error is not None:
            first, *rest = record.error.message.splitlines() or [""]
            self.say(f"    {first}" + (f" (и ещё строк: {len(rest)})" if rest else ""))

    def say(self, line: str) -> None:
        """One line; when nobody reads them any more, the reports are still wanted."""
        if self._silent:
            return
        stream = self.stream or sys.stderr
        try:
            stream.write(line + "\n")
            stream.flush()
        except BrokenPipeError:
            self._silent = True
