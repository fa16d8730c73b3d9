"""The parameters cell of a notebook, read without running it.

A notebook says what it takes in one cell tagged `parameters`: annotated assignments of literals with a Russian comment
(`region: str = "77"  # код региона`). The batch converts what people wrote in YAML by these annotations and refuses
names that the notebook does not take, so that nothing depends on what papermill lets pass.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kcrr_analysis.errors import ParameterError

if TYPE_CHECKING:
    import nbformat

Value = str | int | float | bool | None | list[Any]

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_FLAGS = {"true": True, "да": True, "false": False, "нет": False}
_SCALARS = {"str": "текст", "int": "целое число", "float": "число", "bool": "true или false (да или нет)"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """The type of a parameter.

    Attributes:
        kind: str, int, float or bool; for a list, the kind of its items.
        optional: None is allowed.
        is_list: The value is a list.
        choices: Allowed values of a `Literal`; empty if any value is allowed.
    """

    kind: str = "str"
    optional: bool = False
    is_list: bool = False
    choices: tuple[str | int, ...] = ()

    @property
    def wording(self) -> str:
        """What is expected, in Russian."""
        said = _SCALARS[self.kind]
        if self.choices:
            said = "одно из: " + ", ".join(str(choice) for choice in self.choices)
        if self.is_list:
            said = f"список в квадратных скобках, элементы: {said}"
        return said + (" или null" if self.optional else "")

    def convert(self, written: object) -> Value:
        """The value that `written` (text, a list of texts or a Python value) means.

        Raises:
            ValueError: `written` is not of this type; the text says in Russian what is expected.
        """
        if written is None or (isinstance(written, str) and written.strip() in {"null", "~", ""}):
            if self.optional:
                return None
            if written is None or self.kind != "str" or written.strip() or self.is_list:
                raise ValueError(f"ожидается {self.wording}")
        if self.is_list:
            if not isinstance(written, list):
                raise ValueError(f"ожидается {self.wording}")
            return [self._scalar(item) for item in written]
        return self._scalar(written)

    def _scalar(self, written: object) -> str | int | float | bool:
        value: str | int | float | bool | None = _SCALAR_READERS[self.kind](written)
        if value is None or (self.choices and value not in self.choices):
            raise ValueError(f"ожидается {self.wording}")
        return value


def _text(written: object) -> str | None:
    return written if isinstance(written, str) else None


def _whole(written: object) -> int | None:
    if isinstance(written, str):
        return int(written) if _WHOLE.fullmatch(written.strip()) else None
    return written if isinstance(written, int) and not isinstance(written, bool) else None


def _number(written: object) -> float | None:
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _flag(written: object) -> bool | None:
    if isinstance(written, str):
        return _FLAGS.get(written.strip().lower())
    return written if isinstance(written, bool) else None


_SCALAR_READERS: Mapping[str, Any] = {"str": _text, "int": _whole, "float": _number, "bool": _flag}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook.

    Attributes:
        name: Its name in the notebook.
        annotation: Its type.
        default: The value in the cell.
        help: The Russian comment beside it; empty if there is none.
    """

    name: str
    annotation: Annotation
    default: Value
    help: str = ""


@dataclass(frozen=True, slots=True)
class ParametersCell:
    """What a notebook takes.

    Attributes:
        notebook: Its stem, for messages.
        parameters: In the order of the cell.
    """

    notebook: str
    parameters: tuple[Parameter, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def defaults(self) -> dict[str, Value]:
        """Values in the cell, by name."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def convert(self, written: Mapping[str, object]) -> dict[str, Value]:
        """Values for the notebook, in the order of its cell.

        Args:
            written: Values by name, as people wrote them.

        Raises:
            ParameterError: Unknown names and values of a wrong type, all at once.
        """
        faults = [self._unknown(name) for name in written if name not in self.names]
        values: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.name not in written:
                continue
            try:
                values[parameter.name] = parameter.annotation.convert(written[parameter.name])
            except ValueError as error:
                faults.append(
                    f"Блокнот {self.notebook}, параметр «{parameter.name}»: {error}. "
                    f"Записано: «{written[parameter.name]}»."
                )
        if faults:
            raise ParameterError("\n".join(faults))
        return values

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name, self.names, n=1)
        hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
        return (
            f"Блокнот {self.notebook}: параметра «{name}» у него нет.{hint} "
            f"Он принимает: {', '.join(self.names) or 'ничего'}."
        )


def title(path: Path) -> str:
    """The first heading of the notebook at `path`; its stem if it has none."""
    for cell in _notebook(path).cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("# "):
                    return str(line[2:].strip())
    return path.stem


def _notebook(path: Path) -> nbformat.NotebookNode:
    import nbformat

    try:
        return nbformat.reads(  # type: ignore[no-any-return, no-untyped-call]
            path.read_text(encoding="utf-8"), as_version=4
        )
    except FileNotFoundError as error:
        raise ParameterError(f"Блокнот {path} не найден. Проверьте имя.") from error
    except (
        OSError,
        ValueError,  # bytes that are no UTF-8, text that is no JSON, a version that nbformat does not know
        nbformat.ValidationError,
        AttributeError, KeyError, RecursionError, TypeError,  # JSON of another shape than nbformat goes through
    ) as error:  # fmt: skip
        raise ParameterError(f"Файл {path} не читается как блокнот Jupyter: {error}") from error


def read(path: Path) -> ParametersCell:
    """The parameters cell of the notebook at `path`.

    Raises:
        ParameterError: The file is not a notebook, or has no such cell, or the cell holds more than literals.
    """
    tagged = [
        cell.source
        for cell in _notebook(path).cells
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", [])
    ]
    if len(tagged) != 1:
        raise ParameterError(
            f"Блокнот {path.stem}: ячеек с меткой «parameters» {len(tagged)}, нужна одна. "
            "Метка ставится на панели свойств ячейки."
        )
    return parse(tagged[0], path.stem)


def parse(source: str, notebook: str) -> ParametersCell:
    """The parameters that the cell's `source` declares.

    >>> cell = parse('region: str = "77"  # код региона', "n")
    >>> cell.parameters[0].help, cell.convert({"region": "016"})
    ('код региона', {'region': '016'})
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ParameterError(
            f"Блокнот {notebook}, ячейка параметров, строка {error.lineno}: не читается как Python."
        ) from error
    comments = _comments(source)
    found: list[Parameter] = []
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, value, written = statement.target.id, statement.value, statement.annotation
        elif (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        ):
            name, value, written = statement.targets[0].id, statement.value, None
        else:
            raise _not_literal(notebook, statement)
        try:
            default = ast.literal_eval(value) if value is not None else None
        except ValueError as error:
            raise _not_literal(notebook, statement) from error
        annotation = _annotation(written) if written is not None else _annotation_of_value(default)
        if annotation is None:
            raise ParameterError(
                f"Блокнот {notebook}, ячейка параметров, строка {statement.lineno}: тип параметра «{name}» "
                "не поддерживается. Допустимы str, int, float, bool, list[…], Literal[…] и «… | None»."
            )
        found.append(Parameter(name, annotation, default, comments.get(statement.end_lineno or 0, "")))
    return ParametersCell(notebook, tuple(found))


def _not_literal(notebook: str, statement: ast.stmt) -> ParameterError:
    return ParameterError(
        f"Блокнот {notebook}, ячейка параметров, строка {statement.lineno}: допускаются только строки вида "
        "«имя: тип = значение»."
    )


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def _annotation(node: ast.expr) -> Annotation | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _annotation(ast.parse(node.value, mode="eval").body)
    if isinstance(node, ast.Name) and node.id in _SCALARS:
        return Annotation(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not _is_none(side)]
        inner = _annotation(sides[0]) if len(sides) == 1 else None
        return inner and Annotation(inner.kind, True, inner.is_list, inner.choices)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return _subscript(node.value.id, node.slice)
    return None


def _subscript(name: str, inside: ast.expr) -> Annotation | None:
    if name == "Literal":
        try:
            values = ast.literal_eval(inside)
        except ValueError:
            return None
        choices = values if isinstance(values, tuple) else (values,)
        kinds = {type(choice).__name__ for choice in choices}
        return Annotation(kinds.pop(), choices=choices) if kinds in ({"str"}, {"int"}) else None
    inner = _annotation(inside)
    if inner is None or inner.is_list:
        return None
    if name == "Optional":
        return Annotation(inner.kind, True, inner.is_list, inner.choices)
    return Annotation(inner.kind, False, True, inner.choices) if name == "list" else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _annotation_of_value(value: object) -> Annotation | None:
    if value is None:
        return Annotation("str", optional=True)
    if isinstance(value, list):
        kinds = {type(item).__name__ for item in value} or {"str"}
        kind = kinds.pop()
        return Annotation(kind, is_list=True) if not kinds and kind in _SCALARS else None
    kind = type(value).__name__
    return Annotation(kind) if kind in _SCALARS else None
