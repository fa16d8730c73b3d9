from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITHOUT_VENV = """\
#!/bin/sh
[ "$1" = -c ] && exit 0
mkdir -p "$3/bin" && : > "$3/bin/python"
exit 1
"""


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("make"), reason="needs make")
def test_a_half_made_environment_is_removed_and_the_remedy_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    interpreter = tmp_path / "python"
    interpreter.write_text(WITHOUT_VENV, encoding="utf-8")
    interpreter.chmod(0o755)
    done = subprocess.run(
        ["make", f"PYTHON={interpreter}", ".venv/bin/python"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "sudo apt install python3-venv" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_the_windows_file_does_what_the_makefile_does() -> None:
    content = (ROOT / "make.bat").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    text = content.decode()
    labels = set(re.findall(r"^:(\w+)", text, re.M))
    assert set(re.findall(r"(?:goto|call :)\s*(\w+)", text)) <= labels
    assert {"reports", "lab", "demo", "test", "bench"} <= labels
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in ("nbstripout", "--verify --keep-count", "--nbval-lax --no-cov", "lint-imports", "ruff", "mypy"):
        assert step in text
        assert step in makefile
    assert "pyproject.toml" in text
