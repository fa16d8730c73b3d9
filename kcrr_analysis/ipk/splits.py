"""Probable splits: one event recorded as several, which raises the index by the weight of each one too many.

Events of one centre, tool and theme in a run of near dates are a probable split. A declared chain is scored as a whole,
so a run that is one chain is none. Some runs come about by chance: `by_chance` says how many pairs to expect.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kcrr_analysis.errors import ParameterError

KEYS = ("center_id", "tool_id", "theme")


def probable(events: pd.DataFrame, *, days: int = 3) -> pd.Series:
    """Which events are probably parts of one.

    Args:
        events: Events with center_id, tool_id, theme, date and, if known, chain_id. Case and spaces of a theme do not
            count. An event that lacks one of the first four is in no split; without those columns none is.
        days: Greatest number of days between neighbours of a run; 0 for events of one day only.

    Returns:
        Number of the run for each event (`Int64`, by the first event of the run in order of date), missing where the
        event is in none, with the index of `events`.

    Raises:
        ParameterError: `days` is negative.
    """
    if days < 0:
        raise ParameterError(f"split_days: «{days}». Ожидается целое число дней, 0 или больше.")
    found = pd.Series(pd.NA, index=events.index, dtype="Int64", name="split")
    key = _key(events)
    if key is None:
        return found
    rows = pd.DataFrame({"key": key, "day": _days(events)}, index=np.arange(len(events)))
    rows["chain"] = _codes(events["chain_id"]) if "chain_id" in events else -1
    rows = rows[(rows["key"] >= 0) & rows["day"].notna()].sort_values(["key", "day"], kind="stable")
    begins = (rows["key"].diff() != 0) | (rows["day"].diff() > days)
    rows["run"] = begins.cumsum()
    run = rows.groupby("run")
    several = run["day"].transform("size") > 1
    one_chain = (run["chain"].transform("min") == run["chain"].transform("max")) & (rows["chain"] >= 0)
    rows = rows[several & ~one_chain]
    first = rows.groupby("run")["day"].transform("min")
    order = rows.assign(first=first).sort_values(["first", "key"], kind="stable")["run"]
    numbers = pd.Series(pd.factorize(order)[0] + 1, index=order.index)
    found.iloc[numbers.index.to_numpy()] = numbers.to_numpy()
    return found


def by_chance(events: pd.DataFrame, *, days: int = 3) -> float:
    """Expected number of pairs that look like a split when nobody splits anything.

    Dates of a centre, tool and theme are taken as independent and even over the T days on record: two events fall
    within d days of each other with probability (2d + 1)/T - d(d + 1)/T². Working days and seasons make coincidences a
    little commoner, so the figure is a low one.

    Args:
        events: Events as for `probable`.
        days: As for `probable`.
    """
    key = _key(events)
    if key is None or not len(events):
        return 0.0
    day = _days(events)
    known = (key >= 0) & ~np.isnan(day)
    if not known.any():
        return 0.0
    number = int(known.sum())
    # the span of n even dates falls short of the period by 2 parts in n + 1
    length = (float(day[known].max() - day[known].min()) + 1) * (number + 1) / max(number - 1, 1)
    near = (2 * days + 1) / length - days * (days + 1) / length**2
    alike = np.bincount(key[known]).astype(float)
    return float((alike * (alike - 1) / 2).sum() * min(1.0, near))


def jumps(split: pd.Series, chain: pd.Series | None) -> np.ndarray:
    """Jumps of the compound process: a chain and a probable split are one jump each, any other event is its own.

    Args:
        split: Run of each event, missing for none (see `probable`).
        chain: Chain code of each event, missing for none.

    Returns:
        A number of the jump for each event; overlapping chains and runs are joined.
    """
    n = len(split)
    links = [_codes(labels) for labels in (split, chain) if labels is not None]
    rows, columns, base = [], [], n
    for codes in links:
        known = codes >= 0
        rows.append(np.flatnonzero(known))
        columns.append(base + codes[known])
        base += int(codes.max(initial=-1)) + 1
    at = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    to = np.concatenate([np.zeros(0, dtype=np.int64), *columns])
    graph = coo_matrix((np.ones(len(at)), (at, to)), shape=(base, base))
    return np.asarray(connected_components(graph, directed=False)[1][:n])


def excess(split: pd.Series, weight: np.ndarray) -> np.ndarray:
    """By how much each event would lower the index if every split were one event: its weight, but for the heaviest.

    Args:
        split: Run of each event.
        weight: Weight of each event in the formula.
    """
    rows = pd.DataFrame({"split": split.to_numpy(), "weight": weight, "at": np.arange(len(split))}).dropna()
    rows = rows.sort_values(["split", "weight"], ascending=[True, False], kind="stable")
    rest = rows[rows.duplicated("split")]
    lost = np.zeros(len(split))
    lost[rest["at"].to_numpy()] = rest["weight"]
    return lost


def _key(events: pd.DataFrame) -> np.ndarray | None:
    if not {*KEYS, "date"} <= set(events.columns):
        return None
    parts = [events[name].astype("string") for name in KEYS]
    parts[2] = parts[2].str.casefold().str.replace("ё", "е").str.split().str.join(" ")
    known = np.logical_and.reduce([part.notna().to_numpy(dtype=bool) for part in parts])
    frame = pd.DataFrame({name: part.fillna("").to_numpy(dtype=object) for name, part in zip(KEYS, parts, strict=True)})
    numbers = frame.groupby(list(KEYS), sort=False).ngroup().to_numpy()
    return np.where(known, numbers, -1)


def _days(events: pd.DataFrame) -> np.ndarray:
    when = pd.to_datetime(events["date"]).dt.normalize()
    return np.asarray((when - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=float)


def _codes(labels: pd.Series) -> np.ndarray:
    return np.asarray(pd.factorize(labels.astype("string"))[0])
