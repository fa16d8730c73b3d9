"""Measurements, side by side in one run: `make bench`, or `python -m tests.bench NAME`. Never part of the tests."""
