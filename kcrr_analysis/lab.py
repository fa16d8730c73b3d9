"""JupyterLab's defaults for a closed network and a Russian reader: `python -m kcrr_analysis.lab --prefix .venv`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

OVERRIDES = {
    "@jupyterlab/translation-extension:plugin": {"locale": "ru_RU"},
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
}


def write_defaults(prefix: Path) -> Path:
    """Write the defaults under the environment `prefix`; a user's own settings win over them.

    Returns:
        The file written.
    """
    path = prefix / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(OVERRIDES, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", type=Path, required=True)
    write_defaults(parser.parse_args().prefix)
