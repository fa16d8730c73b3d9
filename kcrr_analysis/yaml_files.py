"""YAML files that people write, read without the surprises of YAML 1.1.

YAML 1.1 reads `016` as 14, `no` as False and `2025-03` as text or a date by luck. Here every scalar stays the
text that was written; a pydantic model gives it its type. A key written twice is an error, not a silent choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from kcrr_analysis.errors import ParameterError

Model = TypeVar("Model", bound=BaseModel)

_TRUE, _FALSE = {"true", "да"}, {"false", "нет"}


def _strict_flag(value: object) -> object:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise ValueError("ожидается true или false (да или нет)")
    return value


def _absent(value: object) -> object:
    return None if isinstance(value, str) and value.strip() in {"", "null", "~"} else value


Flag = Annotated[bool, BeforeValidator(_strict_flag)]
"""A switch: only `true`, `false`, `да`, `нет`; the YAML 1.1 words `yes`, `no`, `on`, `off` are refused."""

Absent = BeforeValidator(_absent)
"""Marks a field that may be left empty or written `null`: `Annotated[str | None, Absent]`."""


class FileModel(BaseModel):
    """Base of every model of a file that people write: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML has it, is eight times as fast


class _Loader(_Base):  # type: ignore[misc]  # one of two base classes
    """Scalars as text; duplicate keys refused."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "ключ должен быть словом", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"ключ «{key}» записан дважды", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.yaml_implicit_resolvers = {}
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse(text: str, name: str) -> Any:
    """The content of YAML `text`: nested dicts and lists of strings.

    Args:
        text: The file's text.
        name: The file's name for messages.

    Raises:
        ParameterError: The text is not YAML, or a key stands twice.

    >>> parse("regions: [016, no]", "x.yaml")
    {'regions': ['016', 'no']}
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that keeps text
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", строка {mark.line + 1}, позиция {mark.column + 1}" if mark else ""
        raise ParameterError(
            f"{name}{where}: файл не читается как YAML{_problem(error.problem)}. "
            "Проверьте отступы (только пробелы), двоеточия и кавычки."
        ) from error
    except yaml.YAMLError as error:
        raise ParameterError(f"{name}: файл не читается как YAML.") from error


def _problem(said: str | None) -> str:
    """What is wrong, where the words are ours; PyYAML's own are English."""
    return f" ({said})" if said and not said.isascii() else ""


def read(path: Path) -> Any:
    """The content of the YAML file at `path` (UTF-8, with or without BOM).

    Raises:
        ParameterError: The file is absent, unreadable or not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ParameterError(f"Файл {path} не найден. Проверьте путь.") from error
    except IsADirectoryError as error:
        raise ParameterError(f"{path} — папка, а нужен файл YAML. Укажите файл.") from error
    except UnicodeDecodeError as error:
        raise ParameterError(f"Файл {path} не в кодировке UTF-8. Сохраните его как UTF-8.") from error
    except OSError as error:
        raise ParameterError(f"Файл {path} не открывается: {error.strerror}.") from error
    return parse(text, path.name)


def validate(model: type[Model], content: object, name: str) -> Model:
    """`content` as a `model`.

    Raises:
        ParameterError: All faults at once, each with the place, the value and the remedy, in Russian.
    """
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise ParameterError(f"{name}: ожидаются строки вида «ключ: значение», а записано «{content}».")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [f"{name}: {_sentence(detail, model)}" for detail in error.errors()]
        raise ParameterError("\n".join(lines)) from error


def read_model(path: Path, model: type[Model]) -> Model:
    """The file at `path` as a `model`; see `read` and `validate`."""
    return validate(model, read(path), path.name)


_SENTENCES = {
    "missing": "не заполнено. Добавьте эту строку",
    "int_parsing": "ожидается целое число",
    "int_type": "ожидается целое число",
    "float_parsing": "ожидается число (дробная часть через точку)",
    "float_type": "ожидается число",
    "string_type": "ожидается текст",
    "list_type": "ожидается список: [а, б] или строки, начатые с «- »",
    "tuple_type": "ожидается список: [а, б] или строки, начатые с «- »",
    "dict_type": "ожидаются вложенные строки «ключ: значение»",
    "model_type": "ожидаются вложенные строки «ключ: значение»",
}


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in detail["loc"]) or "файл"
    kind, context, value = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind == "extra_forbidden":
        known = _known_keys(model, detail["loc"][:-1])
        near = get_close_matches(str(detail["loc"][-1]), known, n=1)
        hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
        return f"параметр «{where}» неизвестен.{hint} Допустимы: {', '.join(known)}."
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "«", 1)
        allowed = allowed.replace("'", "").replace("«", "")
        near = get_close_matches(str(value), allowed.split(", "), n=1)
        hint = f" Возможно, имелось в виду {near[0]}." if near else ""
        return f"параметр «{where}»: значение «{value}» не допускается.{hint} Допустимы: {allowed}."
    if kind == "value_error":
        return f"параметр «{where}»: {context.get('error', detail['msg'])}. Записано: «{value}»."
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        sign = {"greater_than": "больше", "greater_than_equal": "не меньше", "less_than": "меньше"}.get(
            kind, "не больше"
        )
        bound = next(iter(context.values()))
        return f"параметр «{where}»: значение должно быть {sign} {bound}. Записано: «{value}»."
    said = _SENTENCES.get(kind, "значение не подходит")
    shown = "" if kind == "missing" else f" Записано: «{value}»."
    return f"параметр «{where}»: {said}.{shown}"


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    current: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = getattr(current, "model_fields", {}).get(part)
        if field is None:
            return []
        current = _inner_model(field.annotation)
    return list(getattr(current, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _inner_model(part)
        if found is not None:
            return found
    return None
