"""Data sets that several tests of the demo read; nobody changes them."""

from __future__ import annotations

import pytest

from kcrr_analysis import demo
from kcrr_analysis.demo import DemoData


@pytest.fixture(scope="session")
def small() -> DemoData:
    return demo.make(seed=7, regions=2, months=14)


@pytest.fixture(scope="session")
def full() -> DemoData:
    return demo.make()
