"""What papermill loads of the kit when it starts: plain `papermill` then writes Cyrillic as Cyrillic, too.

papermill has an entry point for engines and none for translators. This one gives its ordinary engine under another
name; loading it registers the kit's translator. The attribute is computed, for papermill asks for it in the middle of
its own import.
"""

from __future__ import annotations


def __getattr__(name: str) -> type:
    if name != "engine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from papermill.engines import NBClientEngine

    from kcrr_analysis.batch import translator  # noqa: F401 - registers itself

    engine: type = NBClientEngine
    return engine
