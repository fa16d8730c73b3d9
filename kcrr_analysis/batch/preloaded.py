"""What a kernel would import anyway, imported once in the fork server so that its children start with it.

Only imports happen here, nothing is computed: a child knows no more than a fresh interpreter after the same imports.
The threads that OpenBLAS and Arrow's allocator start on import belong to libraries that handle a fork themselves.
"""

from __future__ import annotations

import importlib
import os

MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython.core.completer",
    "debugpy",
    "pandas",
    "pandera.pandas",
    "pyarrow.parquet",
    "duckdb",
    "matplotlib.font_manager",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "docx",
    "babel.numbers",
    "scipy.optimize",
    "scipy.special",
    "scipy.stats",
    "kcrr_analysis",
    "kcrr_analysis.cli",
    "kcrr_analysis.methodology",
    "kcrr_analysis.tables",
    "kcrr_analysis.disclosure",
    "kcrr_analysis.attribution",
    "kcrr_analysis.costs",
    "kcrr_analysis.experiments",
    "kcrr_analysis.funnel",
    "kcrr_analysis.indicators",
    "kcrr_analysis.ipk",
    "kcrr_analysis.stats",
    "kcrr_analysis.reporting",
    "kcrr_analysis.reporting.html",
    "kcrr_analysis.reporting.word",
    "kcrr_analysis.reporting.views",
)

# matplotlib reads this once, on import; the notebook's own backend must not be imported before its kernel is there.
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
for _name in MODULES:
    try:
        importlib.import_module(_name)
    except ImportError as _error:
        # A library that is not there is named by the notebook that needs it; a module of the kit must be there.
        if (_error.name or _name).split(".")[0] == "kcrr_analysis":
            raise
