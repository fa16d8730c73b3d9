"""Fixing a protocol that somebody wrote by hand: its hash is added to the file, which else stays as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from kcrr_analysis import paths
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.protocol import Protocol

_LINE = re.compile(r"^hash:[^\n]*\n?", re.MULTILINE)


def fix(path: str | Path) -> Protocol:
    """Adds the hash to a protocol's file, comments and order kept; a fixed protocol is only read.

    Args:
        path: A YAML file, from the project's folder.

    Returns:
        The protocol; `altered` where it was fixed before and changed since.

    Raises:
        ParameterError: The file cannot be a protocol, or cannot be written.
    """
    target = paths.resolve(path)
    protocol = Protocol.load(target)
    if protocol.recorded is not None:
        return protocol
    text = _LINE.sub("", target.read_text(encoding="utf-8-sig"))
    ending = "" if text.endswith("\n") else "\n"
    aside = target.with_name(f".{target.name}.part")
    try:
        aside.write_text(f"{text}{ending}hash: {protocol.hash}\n", encoding="utf-8")
        aside.replace(target)
    except OSError as error:
        raise ParameterError(f"Файл {target} не записывается: {error.strerror}. Проверьте права на папку.") from error
    return replace(protocol, recorded=protocol.hash)
