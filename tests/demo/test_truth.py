from __future__ import annotations

import yaml

from kcrr_analysis.demo import DemoData, Truth


def test_truth_is_plain_and_survives_yaml(full: DemoData) -> None:
    text = yaml.safe_dump(dict(full.truth), allow_unicode=True, sort_keys=False)
    assert yaml.safe_load(text) == dict(full.truth)
    assert set(Truth().to_dict()) | {"split_events"} == set(full.truth) == set(full.definitions)
