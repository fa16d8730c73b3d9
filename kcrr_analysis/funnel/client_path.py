"""The base client path: contact, registration, application, service, by tool of the first contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.funnel.definition import Condition, read_moment
from kcrr_analysis.funnel.ordered import OrderedFunnel, checked, moment, ordered
from kcrr_analysis.funnel.ordered_sql import condition, look
from kcrr_analysis.tables import Tables
from kcrr_analysis.tables.scan import scan

ZONE = "Europe/Moscow"
"""Zone in which months begin: the departmental reports of all regions are cut by Moscow time."""

_MOMENT = pd.Timedelta(microseconds=1)

STEPS: Mapping[str, Condition] = {
    "contact": "contact", "registration": "registration", "application": "application", "service": "service",
}  # fmt: skip


def path(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    by: str = "tool_id",
    window_days: float = 90,
    level: float = 0.95,
    rule: Rule | None = None,
) -> OrderedFunnel:
    """The base client path of a region by tool of first contact: contact, registration, application, service.

    Counted are persons whose first contact in the whole log fell into the `months` up to the reporting month; the log
    is known to the end of that month (or of its own last day, whichever is earlier), so late entrants are immature.
    For whole months the total equals the measure `path_completion` of `funnel.clients`, which splits the same persons
    by client group.

    Args:
        tables: Data with the table `actions`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one of the log by default.
        months: Months of entry.
        by: Column of the first contact that splits the rows.
        window_days: Days from the first contact.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `actions`.
        NotComputableError: Nobody had a first contact in these months.
        ParameterError: An argument cannot be used.
    """
    if isinstance(months, bool) or not isinstance(months, int) or months < 1:
        raise ParameterError(f"Параметр months: значение «{months}» не допускается. Укажите целое число месяцев от 1.")
    where = {} if tables.region == region else {"region_code": region}
    with scan(tables, "actions", columns=("person_id", "time", "region_code"), zone=ZONE) as source:
        log = look(source, condition(source, tuple((column, (value,)) for column, value in where.items())))
    _, last = checked(log)
    end = moment(last, ZONE)
    at = end.tz_localize(None).to_period("M") if month is None else pd.Period(month, freq="M")
    found = ordered(
        tables,
        STEPS,
        window_days,
        by,
        period=(at - (months - 1), at),
        as_of=min(end.normalize() + pd.Timedelta(days=1), read_moment("month", at, ZONE, last=True)) - _MOMENT,
        where=where,
        total=True,
        zone=ZONE,
        level=level,
        rule=rule,
    )
    return _titled(found, region, tables, by)


def _titled(found: OrderedFunnel, region: str, tables: Tables, by: str) -> OrderedFunnel:
    known = methodology.load(tables.folder)
    named: dict[str, Mapping[str, str]] = {
        "tool_id": {code: tool.title for code, tool in known.tools.items()},
        "client_group": {code: group.title for code, group in known.groups.items()},
    }
    return replace(found, region_code=region, titles={by: named.get(by, {})})
