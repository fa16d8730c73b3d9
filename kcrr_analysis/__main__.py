"""`python -m kcrr_analysis` is `kcrr`."""

from kcrr_analysis.cli import main

if __name__ == "__main__":
    main()
