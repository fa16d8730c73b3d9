from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from kcrr_analysis.reporting import Chart, Panel, Series, charts
from kcrr_analysis.reporting.chart_panel import PanelPlan
from tests.reporting import sample

MONTHS = tuple(f"{year}-{month:02}" for year in (2023, 2024, 2025) for month in range(1, 13))
LONG = "Студенты профессиональных образовательных организаций и вузов"


def _chart(*panels: Panel) -> Chart:
    return Chart("т", panels, alt="описание")


def _line(*values: float | None, name: str = "Обратились", kind: str = "int", **more: object) -> Panel:
    series = Series(name, MONTHS[: len(values)], values)
    return Panel("line", (series,), unit="чел.", kind=kind, **more)  # type: ignore[arg-type]


def _bars(**values: float | None) -> Panel:
    return Panel("bar", (Series("ряд", tuple(values), tuple(values.values())),), unit="чел.", kind="change")


def _stacked(*parts: tuple[float | None, ...]) -> Panel:
    series = tuple(Series(f"слагаемое {n}", ("а", "б"), values) for n, values in enumerate(parts))
    return Panel("stacked", series, unit="баллов", kind="int")


CASES = {
    "one point": _chart(_line(123)),
    "two lines that end together": _chart(
        Panel("line", (Series("а", MONTHS[:3], (1, 2, 3)), Series("б", MONTHS[:3], (5, 4, 3))))
    ),
    "36 months": _chart(_line(*range(36))),
    "gaps and lone points": _chart(_line(1, None, 3, None, 5)),
    "no values": _chart(_line(None, None)),
    "no points": _chart(_line()),
    "constant": _chart(_line(5, 5, 5)),
    "zeros": _chart(_line(0, 0), _bars(а=0, б=0)),
    "millions": _chart(_line(12_345_678, 23_456_789, kind="money")),
    "tiny": _chart(_line(0.001, 0.003, kind="number")),
    "negative bars": _chart(_bars(а=-5, б=3, в=None)),
    "only negative": _chart(_bars(а=-5, б=-3)),
    "reference": _chart(_line(1, 2, reference=(10, "план")), _bars(а=4)),
    "long names": _chart(_line(1, 2, name=LONG), Panel("bar", (Series("р", (LONG, "а" * 80), (1, 2)),))),
    "intervals": _chart(
        Panel("interval", (Series("р", ("а", "б"), (1, None), (0.5, None), (2, None)),), kind="percent"),
        Panel("line", (Series("р", MONTHS[:3], (1, None, 3), (0, None, 2), (2, None, 4)),)),
    ),
    "groups": _chart(
        Panel("bar", (Series("2025", ("а", "б"), (1, 2)), Series("2024", ("а", "в"), (1, 3), role="context")))
    ),
    "stacked parts": _chart(_stacked((3, 2), (5, None)), _stacked((0, 0), (0, 0))),
    "six panels": _chart(*[_line(*range(n, n + 10), title=LONG) for n in range(6)]),
    "odd text": _chart(_line(1, 2, name="$\\frac{1}{2}$ <b> {{x}} \x07 \U0001f9ff", title="$x$")),
}


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_drawn(name: str) -> None:
    picture = charts.draw(CASES[name])
    image = Image.open(io.BytesIO(picture.png))
    assert image.width == 1300
    assert image.height == pytest.approx(picture.height_mm / 25.4 * 200, abs=1)
    assert picture.width_mm == pytest.approx(165.1)


@pytest.mark.parametrize("name", [name for name in CASES if name != "no points"])
def test_nothing_touches_the_border(name: str) -> None:
    """Ink on the outermost pixels would mean that something is cut off."""
    image = Image.open(io.BytesIO(charts.draw(CASES[name]).png)).convert("L")
    frame = [
        image.crop((0, 0, image.width, 2)),
        image.crop((0, image.height - 2, image.width, image.height)),
        image.crop((0, 0, 2, image.height)),
        image.crop((image.width - 2, 0, image.width, image.height)),
    ]
    assert all(strip.getextrema() == (255, 255) for strip in frame)


def test_the_same_chart_gives_the_same_bytes() -> None:
    first = charts.draw.__wrapped__(sample.line_chart())
    assert charts.draw.__wrapped__(sample.line_chart()) == first
    assert Image.open(io.BytesIO(first.png)).info.keys() <= {"dpi"}


def test_a_notebooks_style_is_neither_felt_nor_changed() -> None:
    plain = charts.draw.__wrapped__(sample.bar_chart())
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "axes.grid": True}):
        before = dict(mpl.rcParams)
        assert charts.draw.__wrapped__(sample.bar_chart()) == plain
        assert dict(mpl.rcParams) == before


def test_a_batch_draws_a_chart_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart("Т", (Panel("bar", (Series("Ряд", ("а", "б"), (1.0, 2.0)),)),), "Столбцы: а 1, б 2.")
    charts.draw.cache_clear()
    plain = charts.draw(chart)
    monkeypatch.setenv(charts.VARIABLE, str(tmp_path / "pictures"))
    charts.draw.cache_clear()
    assert charts.draw(chart) == plain
    (stored,) = (tmp_path / "pictures").iterdir()
    charts.draw.cache_clear()
    monkeypatch.setattr(charts, "_drawn", lambda _: pytest.fail("drawn again"))
    assert charts.draw(chart) == plain
    assert stored.read_bytes() == plain.png
    charts.draw.cache_clear()


@pytest.mark.parametrize("stored", [True, False])
def test_a_picture_that_cannot_be_kept_is_drawn_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    chart = Chart("Т", (Panel("bar", (Series("Ряд", ("а", "б"), (1.0, 3.0)),)),), "Столбцы: а 1, б 3.")
    charts.draw.cache_clear()
    plain = charts.draw(chart)
    monkeypatch.setenv(charts.VARIABLE, str(tmp_path / "pictures"))

    def taken(self: Path, target: Path) -> Path:
        if stored:
            target.write_bytes(b"theirs")
        raise PermissionError(13, "open elsewhere", str(self))

    monkeypatch.setattr(Path, "replace", taken)
    charts.draw.cache_clear()
    assert charts.draw(chart) == plain
    assert [file.suffix for file in (tmp_path / "pictures").iterdir()] == [".png"] * stored
    charts.draw.cache_clear()
    monkeypatch.setenv(charts.VARIABLE, str(Path(__file__) / "no folder"))
    assert charts.draw(chart) == plain
    charts.draw.cache_clear()


def test_a_stack_shows_its_sum_and_none_where_a_part_has_no_value() -> None:
    plan = PanelPlan(_stacked((3, 2), (5, None)), lone=True)
    assert plan.values == [8]
    assert plan.height < PanelPlan(_bars(а=1, б=2), lone=True).height * 2


def test_a_negative_part_of_a_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        _stacked((3, -2))
