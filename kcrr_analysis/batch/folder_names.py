"""Names that may become folders: safe on every system, and never a way out of the run's folder."""

from __future__ import annotations

import re

from kcrr_analysis.paths import is_reserved

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
LONGEST = 64


def fault(name: str) -> str | None:
    r"""Why `name` cannot be a folder's name, in Russian; None if it can.

    >>> fault("77"), fault("../77")
    (None, 'знаки < > : " / \\ | ? * и управляющие не допускаются')
    """
    if not name.strip():
        return "имя пустое"
    if _FORBIDDEN.search(name):
        return 'знаки < > : " / \\ | ? * и управляющие не допускаются'
    if name != name.strip() or name.endswith(".") or name.startswith((".", "-", "~")):
        return "имя не может начинаться с точки, дефиса, тильды или пробела и кончаться точкой или пробелом"
    if is_reserved(name):
        return "это имя занято системой Windows"
    if len(name.encode()) > LONGEST * 2 or len(name) > LONGEST:
        return f"имя длиннее {LONGEST} знаков"
    return None
