from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kcrr_analysis.reporting import Chart, Column, KeyFigure, Panel, Paragraph, Report, Section, Series, Table, html
from kcrr_analysis.reporting.formats import NBSP
from tests.reporting import sample

NASTY = "<script>alert(1)</script> {{ 7*7 }} =cmd() ../ \x00\x07 \" ' & \u202e"


class _Parsed(HTMLParser):
    """Tags with attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.depth: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def _no_pictures(text: str) -> str:
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,…", text)


def _no_style(text: str) -> str:
    return re.sub(r"<style>.*?</style>\n", "", text, flags=re.DOTALL)


def nasty_report() -> Report:
    table = Table(NASTY, (Column(NASTY), Column(NASTY, "int")), ((NASTY, NASTY),), (NASTY,))
    chart = Chart(NASTY, (Panel("bar", (Series(NASTY, (NASTY,), (1,)),), NASTY, NASTY),), NASTY, (NASTY,))
    section = Section(NASTY, (Paragraph(NASTY), table, chart), (KeyFigure(NASTY, NASTY, NASTY, "int", NASTY, NASTY),))
    return Report(NASTY, NASTY, NASTY, NASTY, NASTY, (section,), "internal", (NASTY,), (NASTY,), ((NASTY, NASTY),))


def test_page_is_russian_and_stands_alone() -> None:
    page = html.page(sample.report())
    parsed = _Parsed(page)
    assert page.startswith("<!DOCTYPE html>")
    assert parsed.named("html") == [{"lang": "ru"}]
    assert parsed.depth == []
    assert "http" not in _no_pictures(page)
    assert not any(tag in {"script", "link", "iframe", "a"} for tag, _ in parsed.tags)
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in parsed.named("img"))
    assert "url(" not in page
    assert "@import" not in page


def test_page_tells_what_a_head_of_a_centre_looks_for() -> None:
    text = _Parsed(html.page(sample.report())).text.replace(NBSP, " ")
    for wanted in (
        "г. Москва",
        "октябрь 2025 г.",
        "Демонстрационные данные",
        "11 540 чел.",
        "+10,5 % к тому же месяцу прошлого года",
        "не вычисляется: нет площади",
        "Таблица 1 – Обратились за содействием",
        "Таблица 2 – Участники СВО по центрам",
        "Рисунок 2 – Изменение числа обратившихся",
        "flow.csv: 25 920 строк",
        "Месяц отчёта: 2025-10",
    ):
        assert wanted in text
    assert [h["alt"] for h in _Parsed(html.page(sample.report())).named("img")] == [
        sample.line_chart().alt,
        sample.bar_chart().alt,
    ]


def test_data_never_become_markup() -> None:
    page = html.page(nasty_report())
    parsed = _Parsed(page)
    assert parsed.depth == []
    assert not parsed.named("script")
    assert "49" not in _no_style(_no_pictures(page))
    assert parsed.text.count("<script>alert(1)</script> {{ 7*7 }} =cmd() ../") > 10
    assert not set("\x00\x07\u202e") & set(page)


def test_numbers_are_on_the_right_and_rows_have_headers() -> None:
    fragment = html.fragment(sample.small_table())
    assert '<th scope="row" class="kcrr-txt">КЦ «Северный»</th>' in fragment
    assert '<td class="kcrr-num">57</td>' in fragment
    assert '<th scope="col" class="kcrr-num">Обратились, чел.</th>' in fragment
    assert '<td class="kcrr-num kcrr-absent">скрыто</td>' in fragment


@pytest.mark.parametrize("disclosure", ["public", "internal"])
def test_table_snapshot(disclosure: str, snapshot: Callable[[str, str], None]) -> None:
    snapshot(f"table_{disclosure}.html", _no_style(html.fragment(sample.small_table(disclosure))))


def test_report_fragment_snapshot(snapshot: Callable[[str, str], None]) -> None:
    snapshot("report_fragment.html", _no_pictures(_no_style(html.fragment(sample.report()))))


def test_fragment_styles_touch_nothing_outside() -> None:
    fragment = html.fragment(sample.report())
    style = re.search(r"<style>(.*?)</style>", fragment, re.DOTALL)
    assert style is not None
    selectors = re.findall(r"(?:^|\})\s*([^{}]+)\{", style[1])
    assert len(selectors) > 20
    assert all(one.strip().startswith(".kcrr.kcrr") for group in selectors for one in group.split(","))
    assert _Parsed(fragment).depth == []


def test_parts_are_not_numbered_and_reports_are() -> None:
    assert "<caption>Участники СВО по центрам" in html.fragment(sample.small_table())
    assert f"<caption>Таблица{NBSP}2 – Участники СВО" in html.fragment(sample.report())
    assert "<h3>Участники СВО</h3>" in html.fragment(sample.report().sections[1])


def test_only_an_internal_page_is_marked() -> None:
    assert 'class="kcrr-watermark"' not in html.page(sample.report("public"))
    internal = html.page(sample.report("internal"))
    assert internal.count("<span>Для служебного пользования</span>") > 50
    assert "Для служебного пользования: показаны малые числа" in internal
    assert "print-color-adjust" in internal


def test_the_same_report_gives_the_same_page() -> None:
    assert html.page(sample.report()) == html.page(replace(sample.report()))


@pytest.mark.browser
def test_page_fits_a_browser_window(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    page = tmp_path / "page.html"
    probe = "<script>document.title = document.documentElement.scrollWidth + ' ' + innerWidth;</script></body>"
    page.write_text(html.page(sample.report("internal")).replace("</body>", probe), encoding="utf-8")
    options = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --disable-sync"
    done = subprocess.run(
        [
            browser,
            *options.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1000,800",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    title = re.search(r"<title>(\d+) (\d+)</title>", done.stdout.decode("utf-8"))
    assert title is not None
    assert int(title[1]) <= int(title[2])
