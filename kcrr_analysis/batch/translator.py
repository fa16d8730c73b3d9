"""How papermill writes parameters into a notebook: readable Russian text instead of escapes.

Importing this module registers the translator with papermill.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from papermill import models as papermill_models
from papermill.translators import PythonTranslator, papermill_translators

from kcrr_analysis.batch.parameters_cell import parse
from kcrr_analysis.errors import ParameterError


def literal(value: object) -> str:
    """The Python literal of `value`, Cyrillic as it is.

    Args:
        value: None, bool, int, float, str, a list, tuple or dict of these; numpy scalars become Python ones.

    Raises:
        ParameterError: `value` is of another type, such as a date.

    >>> literal({"регион": ["Томская область", None, True]})
    "{'регион': ['Томская область', None, True]}"
    """
    if hasattr(value, "dtype") and hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"float('{value!r}')"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    raise ParameterError(
        f"Значение типа {type(value).__name__} не передаётся в блокнот. Запишите его текстом или числом."
    )


class Translator(PythonTranslator):  # type: ignore[misc]
    """papermill's Python translator with readable Cyrillic."""

    @classmethod
    def translate(cls, val: Any) -> str:
        """The Python literal of a parameter's value; see `literal`."""
        return literal(val)

    @classmethod
    def inspect(cls, parameters_cell: Any) -> list[Any]:
        """What the parameters cell takes; unlike papermill's own reading it knows `str | None` and lists."""
        try:
            cell = parse(parameters_cell["source"], "")
        except ParameterError:
            return list(super().inspect(parameters_cell))
        return [
            papermill_models.Parameter(
                parameter.name, parameter.annotation.kind, repr(parameter.default), parameter.help
            )
            for parameter in cell.parameters
        ]

    @classmethod
    def codify(cls, parameters: Mapping[str, Any], comment: str = "Parameters") -> str:
        """The injected cell: a comment and one assignment a line."""
        lines = [cls.comment("Параметры запуска" if comment == "Parameters" else comment)]
        lines += [cls.assign(name, cls.translate(value)) for name, value in parameters.items()]
        return "\n".join(lines) + "\n"


papermill_translators.register("python", Translator)
