"""The YAML that brings a foreign file to a canonical table: what each line of it means.

    title: Найм и увольнения по регионам
    tables:
      - table: external_series
        files: ["rosstat_*.csv"]
        unpivot: {keep: [date, varname], names_to: [area], values_to: value}
        leave_out:
          - {column: area, matches: ".*федеральный округ"}
        columns:
          region_code: {from: area, regions: да}
          month: {from: date}
          value: {from: value, multiply: 1000}
        constants: {unit: чел., source: Росстат}

Steps are taken in this order: header, `positions`, `fill_down`, `unpivot`, `leave_out`, `subtract`, `columns` with
`constants` and `extras`, `aggregate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.yaml_files import Absent, FileModel, Flag, read_model


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One name or a list of names."""

NUMERIC = ("count", "number", "money", "share", "year")


class Scaling(FileModel):
    """A factor that depends on another source column: `{by: varname, factors: {A: 1}, others: 1000}`."""

    by: str
    factors: dict[str, float]
    others: float = 1


class ColumnMapping(FileModel):
    """Where a canonical column comes from.

    Attributes:
        source: Source header (`from:`).
        codes: Source value -> canonical value; compared without case and extra spaces.
        others: What happens to values that `codes` lacks: error, drop (leave the row out), keep.
        multiply: Factor that turns the source's unit into the contract's.
        regions: Names or codes of regions become two-digit codes.
    """

    source: str = Field(alias="from")
    codes: dict[str, str] = Field(default_factory=dict)
    others: Literal["error", "drop", "keep"] = "error"
    multiply: float | Scaling | None = None
    regions: Flag = False


class RowCondition(FileModel):
    """Rows whose `column` is one of `values`, or matches the whole regular expression `matches`, or is empty."""

    column: str
    values: Names = ()
    matches: str = ""
    empty: Flag = False

    @field_validator("matches")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"регулярное выражение записано неверно ({error})") from error
        return text

    @model_validator(mode="after")
    def _says_something(self) -> RowCondition:
        if not (self.values or self.matches or self.empty):
            raise ValueError("нужно одно из: values, matches, empty")
        return self


class Unpivot(FileModel):
    """Wide to long: every column but those of `keep` becomes rows.

    Attributes:
        keep: Source columns that stay.
        leave: Source columns that are neither kept nor turned into rows.
        names_to: Names of new columns for the parts of the header, top row first (one name: the whole header).
        values_to: Name of the new column for the values.
    """

    keep: Names
    leave: Names = ()
    names_to: Names
    values_to: str


class Subtraction(FileModel):
    """A total's own figure: `whole` minus `parts`, within rows equal in all other columns.

    Attributes:
        column: Source column that holds the names.
        value: Source column that holds the figures.
        whole: Name of the total; its figure is replaced.
        parts: Names of the parts; where one is missing the result is missing too.
    """

    column: str
    value: str
    whole: str
    parts: Names


class Aggregation(FileModel):
    """Rows equal in `by` become one: canonical columns of `sum` added, of `mean` averaged, others emptied."""

    by: Names
    sum: Names = ()
    mean: Names = ()


class TableMapping(FileModel):
    """How files of one form become rows of one table; see the module's text for the order of the steps."""

    table: str
    files: Names
    sheets: Names = ()
    skip_rows: Annotated[int, Field(ge=0, le=1000)] = 0
    header_rows: Annotated[int, Field(ge=1, le=10)] = 1
    positions: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    fill_down: Names = ()
    unpivot: Annotated[Unpivot | None, Absent] = None
    leave_out: tuple[RowCondition, ...] = ()
    subtract: tuple[Subtraction, ...] = ()
    columns: dict[str, Annotated[ColumnMapping, BeforeValidator(lambda v: {"from": v} if isinstance(v, str) else v)]]
    constants: dict[str, str] = Field(default_factory=dict)
    extras: Names = ()
    aggregate: Annotated[Aggregation | None, Absent] = None
    notes: str = ""

    @field_validator("table")
    @classmethod
    def _known_table(cls, name: str) -> str:
        if name not in TABLES:
            raise ValueError(f"такой таблицы нет; есть: {', '.join(TABLES)}")
        return name

    @field_validator("files")
    @classmethod
    def _inside_folder(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            parts = PurePosixPath(pattern.replace("\\", "/")).parts
            outside = PurePosixPath(pattern).is_absolute() or PureWindowsPath(pattern).drive or ".." in parts
            if outside or "**" in pattern or not parts or pattern.startswith(("\\", "~")):
                raise ValueError("образец имени файла должен оставаться внутри папки с данными")
        return patterns

    @model_validator(mode="after")
    def _known_columns(self) -> TableMapping:
        known = TABLES[self.table].columns
        for name in (*self.columns, *self.constants):
            if name not in known:
                raise ValueError(f"в таблице {self.table} нет столбца «{name}»; есть: {', '.join(known)}")
        twice = sorted(set(self.columns) & set(self.constants))
        if twice:
            raise ValueError(f"столбцы заданы и в columns, и в constants: {', '.join(twice)}")
        for name, column in self.columns.items():
            if column.multiply is not None and known[name].kind not in NUMERIC:
                raise ValueError(f"multiply годится только для чисел, а столбец «{name}» не число")
        if self.aggregate is not None:
            self._check_aggregation(self.aggregate, known)
        return self

    def _check_aggregation(self, aggregate: Aggregation, known: Mapping[str, object]) -> None:
        for name in aggregate.by:
            if name not in known and name not in self.extras:
                raise ValueError(f"aggregate.by: нет столбца «{name}»")
        for name in (*aggregate.sum, *aggregate.mean):
            if name not in known or TABLES[self.table].columns[name].kind not in NUMERIC:
                raise ValueError(f"aggregate: «{name}» не числовой столбец таблицы {self.table}")
        for name in aggregate.mean:
            if TABLES[self.table].columns[name].kind in {"count", "year"}:
                raise ValueError(f"aggregate.mean: «{name}» — целое число, среднее им не будет; возможна сумма")


class MappingFile(FileModel):
    """A mapping file: a title, notes for people and the mappings of tables."""

    title: str
    notes: str = ""
    tables: tuple[TableMapping, ...]

    @field_validator("tables")
    @classmethod
    def _not_empty(cls, tables: tuple[TableMapping, ...]) -> tuple[TableMapping, ...]:
        if not tables:
            raise ValueError("нужна хотя бы одна таблица")
        return tables


def read_mapping(path: Path) -> MappingFile:
    """The mapping file at `path`.

    Raises:
        ParameterError: It does not exist or breaks its form; all faults at once, in Russian.
    """
    return read_model(path, MappingFile)


def matched(folder: Path, mapping: TableMapping) -> tuple[Path, ...]:
    """Files of `folder` that `mapping` names, sorted by name."""
    home = folder.resolve()
    found = {
        path for pattern in mapping.files for path in folder.glob(pattern.replace("\\", "/"))
        if path.is_file() and path.resolve().is_relative_to(home) and not path.name.startswith((".", "~$"))
    }  # fmt: skip
    return tuple(sorted(found, key=lambda path: path.as_posix()))
