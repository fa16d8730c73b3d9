"""`python -m tests.bench [NAME ...]`: run all measurements, or those named."""

from __future__ import annotations

import sys

from tests.bench import aa_speed, batch, cuped, data, funnel, ipk, not_randomised, pilots

BENCHES = {
    "data": data.run,
    "batch": batch.run_all,
    "ipk": ipk.run,
    "funnel": funnel.run,
    "pilots": pilots.run,
    "not_randomised": not_randomised.run,
    "aa_speed": aa_speed.run,
    "cuped": cuped.run,
}


def main() -> None:
    names = sys.argv[1:] or list(BENCHES)
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    for name in names:
        print(BENCHES[name](), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
