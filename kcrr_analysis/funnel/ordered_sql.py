"""The ordered funnel as one DuckDB query.

`s1` holds one row a person who entered: the moment and the number of the level come out of one aggregation, packed into
one integer. Each later step joins its own actions to the persons of the step before and keeps the first in time, so
that the work shrinks as the funnel does, and the level travels as a number, not as text. Where one action may match two
steps, places in the sorted list of a person's actions are used instead.

Joins and minima spill to disk when memory is short, so the cost grows with the log and no faster. Lists cannot spill:
with overlapping steps a log of more than `ROWS_PER_PASS` actions is counted in passes over the persons (by hash).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from kcrr_analysis.funnel.definition import DAY_US, Definition, Step
from kcrr_analysis.tables.duck import literal, name
from kcrr_analysis.tables.scan import Scan

ROWS_PER_PASS = 20_000_000
"""Actions of one pass where lists are needed."""

LEVEL_BITS = 32
"""Low bits of an entry that number its level."""

STEP_BITS = 20
"""Low bits of an action that tell the first step it matches (4) and all of them (16), where it may match several."""

QUARTILES = "[0.25, 0.5, 0.75]"
EPOCH = pd.Timestamp(0, tz="UTC")


@dataclass(frozen=True)
class Log:
    """What is known of a log before counting.

    Attributes:
        rows: Actions after `where`.
        without_person: Of them, actions without a person.
        without_time: Of them, actions with a person and without a time.
        first: First moment, microseconds since 1970; None for an empty log.
        last: Last moment.
        unread: A time that is no time, or empty.
    """

    rows: int
    without_person: int
    without_time: int
    first: int | None
    last: int | None
    unread: str


def microseconds(moment: pd.Timestamp) -> int:
    """Microseconds since 1970."""
    return int((moment - EPOCH) // pd.Timedelta(microseconds=1))


def look(scan: Scan, where: str) -> Log:
    """Ends of the log and what it lacks; of Parquet mostly from the statistics of its parts."""
    person, time = name("person_id"), name("time")
    lacking = f"{person} IS NULL"
    blank = f"{person} = ''" if scan.columns["person_id"] == "VARCHAR" else "false"
    moment = scan.columns["time"] == "TIMESTAMP WITH TIME ZONE"
    first, last = (f"epoch_us({end}({time}))" if moment else f"{end}({_time(scan)})" for end in ("min", "max"))
    untimed = f"({time} IS NULL OR {time} IN ('infinity', '-infinity'))" if moment else f"{_time(scan)} IS NULL"
    unread = f"trim({time}) <> '' AND {_time(scan)} IS NULL" if scan.columns["time"] == "VARCHAR" else "false"
    rows = f"FROM {scan.relation} WHERE {where}"
    timed = f"{rows} AND isfinite({time})" if moment else rows
    found = scan.fetch(
        f"SELECT (SELECT count(*) {rows}) AS n, "
        f"(SELECT count(*) {rows} AND {lacking}) + (SELECT count(*) {rows} AND {blank}) AS no_p, "
        f"(SELECT count(*) {rows} AND {untimed} AND NOT ({lacking}) AND NOT coalesce({blank}, false)) AS no_t, "
        f"(SELECT {first} {timed}) AS t0, (SELECT {last} {timed}) AS t1, "
        f"(SELECT any_value({time}::VARCHAR) {rows} AND {unread}) AS unread"
    ).iloc[0]
    ends = [None if pd.isna(found[end]) else int(found[end]) for end in ("t0", "t1")]
    text = "" if pd.isna(found["unread"]) else str(found["unread"])
    return Log(int(found["n"]), int(found["no_p"]), int(found["no_t"]), ends[0], ends[1], text)


def condition(scan: Scan, pairs: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """SQL of (column, values) pairs, all of which must hold."""
    tests = [f"{scan.text(column)} IN ({', '.join(map(literal, values))})" for column, values in pairs]
    return f"({' AND '.join(tests)})" if tests else "true"


def counted(scan: Scan, definition: Definition, log: Log, *, total: bool, rows_per_pass: int | None) -> pd.DataFrame:
    """One row a level (and month of entry, and in all) and step that somebody reached.

    Args:
        scan: The log.
        definition: The question.
        log: What `look` found.
        total: Add rows of all levels.
        rows_per_pass: Actions that are counted at once; None for as many as can be.

    Returns:
        gid (number of the level), `b0`..., cohort, everyone, k (step), persons, matured, entry and previous (quartiles
        of microseconds from the entry and from the previous step), by level.
    """
    query = _Query(scan, definition, log)
    at_once = rows_per_pass or (ROWS_PER_PASS if definition.overlapping else log.rows)
    passes = max(1, -(-log.rows // max(at_once, 1)))
    if passes == 1:
        return scan.fetch(f"WITH {query.levels()}, {query.persons()} {query.summary('reached', total=total)}")
    scan.run(f"CREATE TEMP TABLE levels AS WITH {query.levels()} FROM levels")
    for number in range(passes):
        verb = "CREATE TEMP TABLE people AS" if number == 0 else "INSERT INTO people"
        own = f"hash({name('person_id')}) % {passes} = {number}"
        scan.run(f"{verb} WITH {query.persons(own)} FROM reached")
    return scan.fetch(query.summary("people", total=total))


def _time(scan: Scan) -> str:
    kind, quoted = scan.columns["time"], name("time")
    cast = "TRY_CAST" if kind == "VARCHAR" else "CAST"
    zoned = quoted if kind == "TIMESTAMP WITH TIME ZONE" else f"{cast}({quoted} AS TIMESTAMPTZ)"
    return f"CASE WHEN isfinite({zoned}) THEN epoch_us({zoned}) END"


@dataclass(frozen=True)
class _Query:
    scan: Scan
    definition: Definition
    log: Log

    @property
    def _origin(self) -> int:
        return self.log.first or 0

    def _at(self, moment: pd.Timestamp) -> int:
        return microseconds(moment) - self._origin

    @property
    def _steps(self) -> int:
        return len(self.definition.steps)

    def _where(self) -> str:
        return condition(self.scan, self.definition.where)

    def _matches(self, step: Step) -> str:
        return condition(self.scan, step.conditions)

    def levels(self) -> str:
        """Numbered levels of `by` among actions of step 1, in the order of their values, missing ones last.

        `r0`... hold the values as they are; several spellings of a missing value share a number.
        """
        by = self.definition.by
        if not by:
            return "levels AS (SELECT 0 AS gid)"
        raw = ", ".join(f"{self.scan.text(column)} AS r{n}" for n, column in enumerate(by))
        values = ", ".join(f"nullif(r{n}, '') AS b{n}" for n in range(len(by)))
        order = ", ".join(f"b{n} NULLS LAST" for n in range(len(by)))
        return (
            f"levels AS MATERIALIZED (SELECT *, dense_rank() OVER (ORDER BY {order}) - 1 AS gid FROM "  # noqa: S608
            f"(SELECT *, {values} FROM (SELECT DISTINCT {raw} FROM {self.scan.relation} "
            f"WHERE {self._matches(self.definition.steps[0])} AND {self._where()})))"
        )

    def persons(self, own: str = "true") -> str:
        """CTEs up to `reached`: one row a person and step: gid, cohort, matured, k, since_entry, since_previous."""
        parts = self._by_places(own) if self.definition.overlapping else self._by_joins(own)
        return ", ".join([*parts, self._reached()])

    def _by_joins(self, own: str) -> list[str]:
        """`s1` ... `sn`: p, t1, gid, t (moment of the step), before (moment of the step before)."""
        steps = self.definition.steps
        entries = self._entries(self._actions(self._matches(steps[0]), own))
        first = (
            f"s1 AS MATERIALIZED (SELECT p, (c >> {LEVEL_BITS})::BIGINT AS t1, {_level('c')} AS gid, t1 AS t, "  # noqa: S608
            f"NULL::BIGINT AS before FROM (SELECT p, min((t::HUGEINT << {LEVEL_BITS}) + gid) AS c "
            f"FROM {entries} GROUP BY p) WHERE {self._entered('t1')})"
        )
        return [first, *(self._joined(k, own) for k in range(2, self._steps + 1))]

    def _joined(self, k: int, own: str) -> str:
        """The first action of step k within its bounds, for the persons of the step before."""
        strict = self.definition.order == "strict"
        after = "s.t" if strict else "s.t1"
        bounds = [f"a.t >= {after} + {int(self.definition.ties == 'apart')}"]
        bounds += [f"a.t <= {latest}" for latest in self._limits(k, "s.t1", "s.t")]
        moment = "min(a.t)" if strict else "greatest(min(a.t), any_value(s.t))"
        return (
            f"s{k} AS MATERIALIZED (SELECT s.p, any_value(s.t1) AS t1, any_value(s.gid) AS gid, {moment} AS t, "  # noqa: S608
            f"any_value(s.t) AS before FROM {self._actions(self._matches(self.definition.steps[k - 1]), own)} AS a "
            f"JOIN s{k - 1} AS s ON a.p = s.p WHERE {' AND '.join(bounds)} GROUP BY s.p)"
        )

    def _actions(self, matching: str, own: str, columns: str = "") -> str:
        """Actions that match, known by the horizon, of named persons: p, t (microseconds since its start), levels."""
        time, moment = name("time"), self.scan.columns["time"] == "TIMESTAMP WITH TIME ZONE"
        ends = self._origin, microseconds(self.definition.horizon)
        first, last = (f"make_timestamptz({end})" if moment else str(end) for end in ends)
        at = f"epoch_us({time})" if moment else _time(self.scan)
        limits = f"{time if moment else at} >= {first} AND {time if moment else at} <= {last}"
        raw = "".join(f", {self.scan.text(column)} AS r{n}" for n, column in enumerate(self.definition.by))
        named = "" if self.scan.columns["person_id"] != "VARCHAR" else f" AND {name('person_id')} <> ''"
        return (
            f"(SELECT {name('person_id')} AS p, {at} - {self._origin} AS t{raw}{columns} FROM {self.scan.relation} "  # noqa: S608
            f"WHERE {matching} AND {limits} AND {self._where()} AND {own} AND {name('person_id')} IS NOT NULL{named})"
        )

    def _entries(self, actions: str) -> str:
        """Actions that may be an entry, with the number of the level."""
        limited = actions
        if self.definition.entry == "period":
            limited = f"(SELECT * FROM {actions} WHERE {self._in_period('t')})"  # noqa: S608
        if not self.definition.by:
            return f"(SELECT *, 0 AS gid FROM {limited})"  # noqa: S608
        equal = " AND ".join(f"x.r{n} IS NOT DISTINCT FROM levels.r{n}" for n in range(len(self.definition.by)))
        return f"(SELECT x.*, gid FROM {limited} AS x JOIN levels ON {equal})"  # noqa: S608

    def _entered(self, moment: str) -> str:
        """Whether an entry counts; a flow takes entries of any time."""
        return "true" if self.definition.flow or self.definition.entry == "period" else self._in_period(moment)

    def _by_places(self, own: str) -> list[str]:
        """`q1` ... `qn`: one row a person with t1 ... tn, found by place in the sorted list of the person's actions."""
        steps = self.definition.steps
        mask = " + ".join(f"coalesce({self._matches(step)}, false)::INT * {1 << n}" for n, step in enumerate(steps))
        # An action is one action however often the log repeats it; where steps do not overlap, repeats change nothing.
        identity = self.scan.text("action_id") if "action_id" in self.scan.columns else ""
        every = " OR ".join(self._matches(step) for step in steps)
        chosen = self._actions(f"({every})", own, f", {mask} AS k{f', {identity} AS id' if identity else ''}")
        lowest = " ".join(f"WHEN k & {1 << n} > 0 THEN {n}" for n in range(self._steps))
        code = f"(t::HUGEINT << {STEP_BITS}) + ((CASE {lowest} END)::HUGEINT << 16) + k AS v"
        actions = f"a AS MATERIALIZED (SELECT {'DISTINCT ' if identity else ''}*, {code} FROM {chosen})"  # noqa: S608
        entries = self._entries("(SELECT * FROM a WHERE k & 1 = 1)")
        entry = f"e AS (SELECT p, min((v << {LEVEL_BITS}) + gid) AS c FROM {entries} GROUP BY p)"  # noqa: S608
        listed = "l AS (SELECT p, list_sort(list(v)) AS l FROM a WHERE k > 1 GROUP BY p)"
        first = (
            f"q1 AS (SELECT (v >> {STEP_BITS})::BIGINT AS t1, gid, coalesce(l, []::HUGEINT[]) AS l, "  # noqa: S608
            f"len(list_filter(coalesce(l, []::HUGEINT[]), lambda x: x < v)) + ((v & 65535) > 1)::INT AS i1 "
            f"FROM (SELECT p, c >> {LEVEL_BITS} AS v, {_level('c')} AS gid FROM e) LEFT JOIN l USING (p) "
            f"WHERE {self._entered(f'(v >> {STEP_BITS})')})"
        )
        places = [self._placed(k) for k in range(2, self._steps + 1)]
        last = f"q AS MATERIALIZED (SELECT * EXCLUDE (l) FROM q{self._steps})"  # noqa: S608
        rows = [
            f"s{k} AS (SELECT t1, gid, t{k} AS t, {f't{k - 1}' if k > 1 else 'NULL::BIGINT'} AS before "  # noqa: S608
            f"FROM q WHERE t{k} IS NOT NULL)"
            for k in range(1, self._steps + 1)
        ]
        return [actions, entry, listed, first, *places, last, *rows]

    def _placed(self, k: int) -> str:
        """The first action of step k after the place of the one before, then whether it is in time."""
        apart = f" AND (x >> {STEP_BITS}) > t{k - 1}" if self.definition.ties == "apart" else ""
        test = f"i > i{k - 1} AND ((x >> {k - 1}) & 1) = 1{apart}"
        place = f"nullif(list_position(list_transform(l, lambda x, i: {test}), true), 0)"
        moment = f"(l[i{k}] >> {STEP_BITS})::BIGINT"
        timely = " AND ".join(f"{moment} <= {latest}" for latest in self._limits(k, "t1", f"t{k - 1}")) or "true"
        return (
            f"r{k} AS (SELECT *, {place} AS i{k} FROM q{k - 1}), "  # noqa: S608 - numbers and names of ours
            f"q{k} AS (SELECT * EXCLUDE (i{k}), CASE WHEN {timely} THEN i{k} END AS i{k}, "
            f"CASE WHEN {timely} THEN {moment} END AS t{k} FROM r{k})"
        )

    def _limits(self, k: int, entry: str, before: str) -> list[str]:
        """Latest moments of step k as SQL."""
        latest = [] if self.definition.window is None else [f"{entry} + {_length(self.definition.window)}"]
        own = self.definition.step_windows[k - 2]
        return latest if own is None else [*latest, f"{before} + {_length(own)}"]

    def _in_period(self, moment: str) -> str:
        if self.definition.start is None or self.definition.end is None:
            return "true"
        return f"{moment} >= {self._at(self.definition.start)} AND {moment} < {self._at(self.definition.end)}"

    def _reached(self) -> str:
        longest = self.definition.longest
        mature = "true"
        if longest is not None and not self.definition.flow:
            mature = f"t1 + {_length(longest)} <= {self._at(self.definition.horizon)}"
        cohort = "NULL"
        if self.definition.cohort:
            cohort = f"strftime(date_trunc('month', make_timestamptz(t1 + {self._origin})), '%Y-%m')"
        inside = self._in_period("t") if self.definition.flow else "true"
        strict = self.definition.order == "strict"
        rows = " UNION ALL ".join(
            f"SELECT gid, {cohort} AS cohort, ({mature}) AS matured, {k} AS k, "  # noqa: S608
            f"{'t - t1' if k > 1 else 'NULL'}::BIGINT AS since_entry, "
            f"{'t - before' if k > 1 and strict else 'NULL'}::BIGINT AS since_previous FROM s{k} WHERE {inside}"
            for k in range(1, self._steps + 1)
        )
        return f"reached AS ({rows})"

    def summary(self, people: str, *, total: bool) -> str:
        """Counts and quartiles over `people`, one row a level and step."""
        keys = "gid, cohort, k" if self.definition.cohort else "gid, k"
        grouped = f"GROUPING SETS (({keys}), (k))" if total else keys
        everyone = "grouping(gid) = 1" if total else "false"
        quartiles = ", ".join(
            f"quantile_cont(since_{base}::DOUBLE, {QUARTILES}) FILTER (matured AND k > 1) AS {base}"
            for base in ("entry", "previous")
        )
        counts = (
            f"SELECT gid, {'cohort' if self.definition.cohort else 'NULL AS cohort'}, {everyone} AS everyone, k, "  # noqa: S608
            f"count(*) AS persons, count(*) FILTER (matured) AS matured, {quartiles} FROM {people} GROUP BY {grouped}"
        )
        columns = "".join(f", b{n}" for n in range(len(self.definition.by)))
        return (
            f"SELECT * FROM ({counts}) AS c LEFT JOIN (SELECT DISTINCT gid{columns} FROM levels) USING (gid) "  # noqa: S608
            "ORDER BY everyone, gid, cohort, k"
        )


def _level(code: str) -> str:
    return f"({code} & {2**LEVEL_BITS - 1})::BIGINT"


def _length(days: float) -> int:
    return round(days * DAY_US)


def needed(definition_steps: tuple[Step, ...], by: tuple[str, ...], where: Mapping[str, object]) -> tuple[str, ...]:
    """Columns that the query reads: those it needs, then `action_id` where the log has it."""
    columns = [
        "person_id",
        "time",
        *(column for step in definition_steps for column, _ in step.conditions),
        *by,
        *where,
    ]
    return tuple(dict.fromkeys(columns))
