"""What the room exports, and that importing it stays light."""

from __future__ import annotations

import subprocess
import sys

from kcrr_analysis import stats


def test_every_public_name_exists_and_is_in_the_map() -> None:
    for name in stats.__all__:
        assert hasattr(stats, name)
        assert f"`{name}`" in (stats.__doc__ or "")


def test_importing_loads_neither_scipys_statistics_nor_pandas() -> None:
    code = (
        "import sys, types\n"
        "package = types.ModuleType('kcrr_analysis')\n"
        f"package.__path__ = {[str(path) for path in __import__('kcrr_analysis').__path__]!r}\n"
        "sys.modules['kcrr_analysis'] = package\n"
        "import kcrr_analysis.stats\n"
        "print(sorted({'scipy.stats', 'scipy.special', 'scipy.optimize', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
