from __future__ import annotations

import subprocess
import sys

from kcrr_analysis.reporting import Hidden, Paragraph, display, json_form, show
from kcrr_analysis.reporting.formats import NBSP
from tests.reporting import sample


def test_a_report_shown_is_a_report_published() -> None:
    bundle = sample.report()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain", "application/vnd.kcrr.report+json"}
    assert json_form.from_dict(bundle[json_form.MIME]).to_dict() == sample.report().to_dict()
    assert 'class="kcrr"' in bundle["text/html"]


def test_plain_text_is_a_summary() -> None:
    lines = display.summary(sample.report()).replace(NBSP, " ").splitlines()
    assert lines[0] == "Обращения и охват по группам клиентов – г. Москва, октябрь 2025 г."
    assert lines[1] == "Обратились за содействием: 11 540 чел."


def test_show_displays_without_publishing() -> None:
    shown = show(Paragraph("Первый <b>."), sample.small_table(), sample.report().sections[1], sample.report())
    assert "Первый &lt;b&gt;." in shown._repr_html_()
    assert not hasattr(shown, "_repr_mimebundle_")
    text = repr(shown).replace(NBSP, " ")
    assert text.startswith("Первый <b>.")
    assert "КЦ «Речной» | 23 | скрыто" in text
    assert repr(Hidden()) not in text


def test_looking_at_tables_loads_neither_word_nor_charts() -> None:
    """Importing these costs a second; a notebook that shows a table must not pay for it."""
    code = (
        "import sys\n"
        "from kcrr_analysis.reporting import Column, Table, show\n"
        "show(Table('т', (Column('а'),), (('б',),)))._repr_html_()\n"
        "print([name for name in ('matplotlib', 'docx', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
