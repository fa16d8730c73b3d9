"""Names that may become folders: safe on every system, and never a way out of the run's folder."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"
}
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
    if name.split(".", maxsplit=1)[0].strip().casefold() in _RESERVED:
        return "это имя занято системой Windows"
    if len(name.encode()) > LONGEST * 2 or len(name) > LONGEST:
        return f"имя длиннее {LONGEST} знаков"
    return None
