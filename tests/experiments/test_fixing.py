from __future__ import annotations

from pathlib import Path

from kcrr_analysis.experiments import Protocol
from kcrr_analysis.experiments.fixing import fix

WRITTEN = """\
# Наш протокол
pilot: p1
design: {cluster: center_id, arms: [control, new], seed: 3}
outcomes:
  - name: applied   # доля обратившихся
    of: clients
hash:
"""


def test_a_written_protocol_is_fixed_and_its_text_stays(tmp_path: Path) -> None:
    file = tmp_path / "p1.yaml"
    file.write_text(WRITTEN, encoding="utf-8")
    fixed = fix(file)
    text = file.read_text(encoding="utf-8")
    assert text == WRITTEN.replace("hash:\n", f"hash: {fixed.hash}\n")
    assert fixed.recorded == fixed.hash == Protocol.load(file).hash
    assert not Protocol.load(file).altered
    assert fix(file) == fixed
    assert file.read_text(encoding="utf-8") == text


def test_a_change_after_it_was_fixed_is_seen_and_the_hash_is_not_renewed(tmp_path: Path) -> None:
    file = tmp_path / "p1.yaml"
    file.write_text(WRITTEN, encoding="utf-8")
    fix(file)
    changed = file.read_text(encoding="utf-8").replace("seed: 3", "seed: 4")
    file.write_text(changed, encoding="utf-8")
    assert fix(file).altered
    assert file.read_text(encoding="utf-8") == changed
