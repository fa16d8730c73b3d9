"""A realistic report to look at and to test with; the figures are invented."""

from __future__ import annotations

from kcrr_analysis.reporting import (
    Chart,
    Column,
    Hidden,
    Interval,
    KeyFigure,
    Marked,
    Missing,
    Panel,
    Paragraph,
    Report,
    Section,
    Series,
    Table,
)

MONTHS = tuple(f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13))[:22]
APPLIED = (
    9120, 9480, 10350, 10980, 10240, 9730, 9310, 9560, 10120, 10440, 9890, 9050,
    9330, 9870, 10910, 11640, 10870, 10120, 9850, 10230, 10990, 11540,
)  # fmt: skip
GROUPS = (
    ("Школьники и подростки", 1284, 1240, 1190, 41200),
    ("Студенты", 964, 970, 905, 38650),
    ("Выпускники СПО и вузов", 742, 801, 640, 12980),
    ("Участники СВО", 118, 104, 76, 2310),
    ("Члены семей участников СВО", 87, 92, 61, 5120),
    ("Люди с инвалидностью", 533, 520, 548, 21400),
    ("Широкая аудитория", 8122, 7590, 7310, 1840200),
)


def groups_table() -> Table:
    rows = tuple(
        (name, now, before, 100 * (now / year - 1), 1000 * now / people) for name, now, before, year, people in GROUPS
    )
    return Table(
        "Обратились за содействием в поиске работы по группам клиентов, октябрь 2025 г.",
        (
            Column("Группа клиентов"),
            Column("Обратились, чел.", "int"),
            Column("Сентябрь 2025 г., чел.", "int"),
            Column("К октябрю 2024 г., %", "change_percent"),
            Column("На 1 000 чел. группы", "number", 2),
        ),
        (("Все клиенты", 11540, 10990, 10.5, 5.87), *rows),
        (
            "Группы пересекаются: сумма по группам больше числа обратившихся.",
            "Источник: flow.csv, показатель 2. Сплошной учёт.",
        ),
        emphasised=(0,),
    )


def small_table(disclosure: str = "public") -> Table:
    def small(value: int) -> Hidden | Marked:
        return Marked(value) if disclosure == "internal" else Hidden()

    return Table(
        "Участники СВО по центрам, октябрь 2025 г.",
        (
            Column("Центр"),
            Column("Обратились, чел.", "int"),
            Column("Получили услуги, чел.", "int"),
            Column("Доля, %", "percent"),
            Column("95 % интервал, %", "percent"),
        ),
        (
            ("КЦ «Северный»", 57, 41, 71.9, Interval(58.7, 82.1)),
            ("КЦ «Южный»", 34, 30, 88.2, Interval(73.4, 95.3)),
            ("КЦ «Речной»", 23, small(4), Hidden() if disclosure == "public" else 17.4, Interval(7.0, 37.1)),
            ("КЦ «Заречный»", small(2), 0, Missing("мало случаев"), Missing()),
            ("КЦ «Новый»", Missing("центр открыт в ноябре"), None, None, None),
        ),
    )


def line_chart() -> Chart:
    return Chart(
        "Обратились за содействием, январь 2024 г. – октябрь 2025 г.",
        (
            Panel(
                "line",
                (
                    Series("2025 год", MONTHS[12:], APPLIED[12:]),
                    Series("2024 год", MONTHS[:13], APPLIED[:13], role="context"),
                ),
                unit="чел.",
                kind="int",
                reference=(11000, "план"),
            ),
        ),
        alt="Линия: в октябре 2025 года обратились 11 540 человек, годом раньше 10 440; пик в апреле.",
        notes=("Сплошной учёт: интервалов нет.",),
    )


def bar_chart() -> Chart:
    return Chart(
        "Изменение числа обратившихся к октябрю 2024 г.",
        (
            Panel(
                "bar",
                (
                    Series(
                        "изменение",
                        tuple(name for name, *_ in GROUPS),
                        tuple(round(100 * (now / year - 1), 1) for _, now, _, year, _ in GROUPS),
                    ),
                ),
                unit="%",
                kind="change_percent",
            ),
        ),
        alt="Столбцы: больше всего выросло число участников СВО, снизилось число людей с инвалидностью.",
    )


def report(disclosure: str = "public") -> Report:
    return Report(
        name="02_indicators",
        title="Обращения и охват по группам клиентов",
        region_code="77",
        region_name="г. Москва",
        period="октябрь 2025 г.",
        disclosure=disclosure,  # type: ignore[arg-type]
        notices=("Демонстрационные данные: вымышленные числа, не использовать для решений.",),
        sources=("flow.csv: 25 920 строк, SHA-256 3fa9c1b2", "population.csv: 240 строк, SHA-256 77ab01cd"),
        parameters=(("Месяц отчёта", "2025-10"), ("Порог малых чисел", "5 человек")),
        sections=(
            Section(
                "Сколько человек обратились",
                (
                    Paragraph(
                        "В октябре 2025 г. за содействием в поиске работы обратились 11 540 человек – на 10,5 % "
                        "больше, чем в октябре 2024 г. Рост выше обычных колебаний последних двух лет (±3,1 %).",
                        "conclusion",
                    ),
                    line_chart(),
                    groups_table(),
                    Paragraph(
                        "Быстрее всего растёт число участников СВО: 118 человек против 76 годом раньше. "
                        "Снизилось число обратившихся людей с инвалидностью: 533 против 548.",
                        "conclusion",
                    ),
                    bar_chart(),
                    Paragraph(
                        "Обратившийся – человек, подавший заявление о содействии в поиске работы в отчётном месяце. "
                        "Каждый человек считается один раз за месяц.",
                        "definition",
                    ),
                ),
                (
                    KeyFigure(
                        "applied",
                        "Обратились за содействием",
                        11540,
                        "int",
                        "чел.",
                        "октябрь 2025 г., сплошной учёт",
                        10.5,
                    ),
                    KeyFigure(
                        "coverage",
                        "Охват подростков профориентацией",
                        3.12,
                        "percent",
                        "",
                        "1 284 из 41 200 чел. 14–17 лет",
                        -1.3,
                    ),
                    KeyFigure("svo", "Участники СВО", 118, "int", "чел.", "октябрь 2025 г., сплошной учёт", 55.3),
                    KeyFigure("visits", "Посетители на 1 м²", Missing("не вычисляется: нет площади"), "number"),
                ),
            ),
            Section(
                "Участники СВО",
                (
                    Paragraph(
                        "Центры с одним-двумя десятками обращений сравнивать не следует: интервалы перекрываются."
                    ),
                    small_table(disclosure),
                    Paragraph("В КЦ «Новый» приём начат в ноябре.", "note"),
                    Paragraph("Данные КЦ «Заречный» за август не поступили.", "warning"),
                ),
            ),
        ),
    )
