from __future__ import annotations

import io

from kcrr_analysis.batch.manifest import Failure, ReportRecord
from kcrr_analysis.batch.progress import Progress


def test_lines_say_number_region_status_and_reason() -> None:
    seen = io.StringIO()
    progress = Progress(seen)
    progress.begin(2, kept=3)
    progress.report(ReportRecord("01", "Адыгея", "n", "delivered", 1.24))
    progress.report(ReportRecord("77", "Москва", "n", "failed", 61.0, error=Failure("DataError", "первая\nвторая")))
    lines = seen.getvalue().splitlines()
    assert lines[0] == "Отчётов к построению: 2, без изменений оставлено 3."
    assert lines[1].startswith("[1/2] 01 Адыгея · n: готов, 1,2 с; осталось ≈ ")
    assert lines[2] == "[2/2] 77 Москва · n: НЕ ГОТОВ, 1 мин 1 с"
    assert lines[3] == "    первая (и ещё строк: 1)"


def test_a_reader_that_has_gone_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    lines = Progress(Gone())
    lines.begin(1, 0)
    lines.say("ещё")
