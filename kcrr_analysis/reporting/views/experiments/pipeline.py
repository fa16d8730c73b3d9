"""View of the path of regional services: developed, tested, promoted."""

from __future__ import annotations

import math

from kcrr_analysis.experiments.pipeline import STAGES, Pipeline
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, Column, KeyFigure, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of

NAMES = {"developed": "разработан", "tested": "апробирован", "promoted": "внедрён", "": "стадия не указана"}


@build.register
def pipeline(result: Pipeline) -> Section:
    """How many regional services reached each stage, and which."""
    reached = dict(zip(STAGES, result.rows["reached"], strict=True))
    blocks: list[Block] = [Paragraph(_conclusion(result, reached), "conclusion")]
    if result.unknown:
        services = formats.count(result.unknown, "сервис", "сервиса", "сервисов")
        blocks.append(Paragraph(f"Стадия не указана: {services}.", "warning"))
    blocks.append(
        Table(
            title="Региональные сервисы по стадиям",
            columns=(
                Column("Стадия"),
                Column("Дошли", "int"),
                Column("Сейчас на ней", "int"),
                Column("Из дошедших до предыдущей, %", "percent", 0),
            ),
            rows=tuple(
                (NAMES[row.stage], row.reached, row.now, None if math.isnan(row.share) else row.share)
                for row in rows_of(result.rows)
            ),
            notes=(result.interval[0].upper() + result.interval[1:] + ".",),
        )
    )  # fmt: skip
    blocks.append(
        Table(
            title="Региональные сервисы",
            columns=(Column("Код"), Column("Сервис"), Column("Стадия")),
            rows=tuple(
                (str(row.service_id), str(row.service_name), NAMES[row.stage]) for row in rows_of(result.services)
            ),
        )
    )
    blocks.append(Paragraph(result.definition, "definition"))
    return Section(
        title="Путь региональных сервисов",
        blocks=tuple(blocks),
        key_figures=(
            KeyFigure(
                "regional_services_promoted", "Региональных сервисов внедрено", int(reached["promoted"]), "int",
                note=f"из {int(reached['developed'])}; сплошной учёт",
            ),
        ),
    )  # fmt: skip


def _conclusion(result: Pipeline, reached: dict[str, int]) -> str:
    words = ("региональный сервис", "региональных сервиса", "региональных сервисов")
    said = (
        f"Разработано {formats.count(reached['developed'], *words)}; апробировано {reached['tested']}, внедрено "
        f"{reached['promoted']}."
    )
    if result.pilots:
        said += f" Апробаций в таблице pilots: {result.pilots}."
    return said
