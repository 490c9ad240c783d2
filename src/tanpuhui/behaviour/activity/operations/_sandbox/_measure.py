"""Measure a sample (数据质量): counts out of the tables of the run, as whole numbers and exact decimals only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters import ENVELOPE
from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import Format
from tanpuhui.behaviour.activity.adapters.sampling import Writing
from tanpuhui.behaviour.activity.adapters.tables import quoted, text
from tanpuhui.behaviour.activity.domain import FileUnusable, Verdict
from tanpuhui.behaviour.activity.domain.applications import ScenarioContent
from tanpuhui.behaviour.activity.domain.quality import (
    Change,
    ColumnFound,
    EncodingFound,
    FieldCompleteness,
    QualityReport,
    ReasonFound,
    SampleVerdict,
    Share,
    Timeliness,
)
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._post_batch._validate import REQUIRED
from tanpuhui.behaviour.activity.operations._sandbox._plausible import number_fields, plausibility
from tanpuhui.behaviour.activity.operations._sandbox._rank import ranked
from tanpuhui.behaviour.activity.operations._sandbox._score import (
    checks,
    components,
    preconditions,
    timely_minutes,
    versions_used,
)
from tanpuhui.behaviour.activity.queries._applications import declared_columns
from tanpuhui.foundation.kernel.calendar import CHINA

UNREADABLE = ("BAD_ENCODING", "NOT_GB18030", "LINE_TOO_LONG", "BAD_ROW")
SCHEME_LACKS = ("NO_METHODOLOGY", "PARAMETER_UNSET", "CAP_NOT_SUPPORTED")
"""Reasons that lie in the scheme and not in the sample; they count neither for nor against it."""
ZONED = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What one run of the sandbox knows beforehand; `before` is the last report under the same definition."""

    said: ScenarioContent
    at: datetime
    writing: Writing
    file_format: Format
    before: QualityReport | None
    bounds: Limits


def measure(desk: Desk, trial: Trial) -> QualityReport:
    """Return the report of a sample whose rows went through."""
    said = trial.said
    reasons = _reasons(desk)
    counted = desk.counts("fresh")
    count = {one.code: one.rows for one in reasons}
    complete = _completeness(desk, said)
    timely = _timeliness(desk, trial.at)
    plausible = plausibility(desk)
    columns = _columns(desk, trial)
    lacking = sum(count.get(code, 0) for code in SCHEME_LACKS)
    rejected = sum(one.rows for one in reasons if one.verdict == Verdict.REJECTED) - lacking
    duplicates = sum(one.rows for one in reasons if one.verdict == Verdict.DUPLICATE)
    shares = {
        "readable": Share(part=desk.rows - sum(count.get(code, 0) for code in UNREADABLE), whole=desk.rows),
        "complete": Share(
            part=sum(one.filled.part for one in complete if one.required),
            whole=sum(one.filled.whole for one in complete if one.required),
        ),
        "valid": Share(part=desk.rows - rejected - lacking, whole=desk.rows - lacking),
        "unique": Share(part=desk.rows - duplicates, whole=desk.rows),
        "timely": timely.within if timely and timely.within else Share(part=0, whole=0),
        "plausible": Share(
            part=sum(one.values - one.outside - one.extreme for one in plausible),
            whole=sum(one.values for one in plausible),
        ),
    }
    weighed = components(shares, at=trial.at, numbers=bool(number_fields(desk)))
    found = checks(
        rows=desk.rows,
        counted=counted,
        valid=shares["valid"],
        weighed=weighed,
        columns=columns,
        fault="",
        at=trial.at,
    )
    return QualityReport(
        rows=desk.rows,
        counted=counted,
        grams=_grams(desk),
        fault="",
        fault_at="",
        columns=columns,
        completeness=complete,
        reasons=reasons,
        timeliness=timely,
        plausibility=plausible,
        encoding=_encoding(desk, trial),
        changes=_changes(trial.before, rows=desk.rows, shares=shares, timely=timely, plausible=plausible),
        versions=versions_used(desk, at=trial.at),
        components=weighed,
        checks=found[0],
        preconditions=preconditions(desk, said, at=trial.at),
        verdict=found[1].value,
    )


def measure_unusable(trial: Trial, error: FileUnusable) -> QualityReport:
    """Return the report of a file of which nothing could be read."""
    nothing = Share(part=0, whole=0)
    shares = dict.fromkeys(("readable", "complete", "valid", "unique", "timely", "plausible"), nothing)
    weighed = components(shares, at=trial.at, numbers=True)
    columns = _columns(None, trial)
    found, _ = checks(
        rows=0, counted=0, valid=nothing, weighed=weighed, columns=columns, fault=error.fault, at=trial.at
    )
    return QualityReport(
        rows=0,
        counted=0,
        grams=0,
        fault=error.fault,
        fault_at=error.at,
        columns=columns,
        completeness=(),
        reasons=(),
        timeliness=None,
        plausibility=(),
        encoding=_encoding(None, trial),
        changes=(),
        versions=(),
        components=weighed,
        checks=found,
        preconditions=(),
        verdict=SampleVerdict.FAILED.value,
    )


_ROWS = pa.schema(
    [
        ("row_number", pa.int64()), ("verdict", pa.string()), ("reason", pa.string()), ("field", pa.string()),
        ("value", pa.string()), ("version_id", pa.int64()), ("variant", pa.string()), ("grams", pa.int64()),
        ("remainder_g", pa.string()), ("given", pa.string()),
    ]
)  # fmt: skip


def rows_of(desk: Desk) -> pa.Table:
    """Return every row with its verdict, its grams where it counts, and the fields it was calculated from as JSON."""
    parts = [
        f"select i.row_no as row_number, {version_id}::bigint as version_id, r.variant, r.grams, r.remainder_g, "
        f"{_given(desk, version_id)} as given from inputs_{version_id} as i "
        f"left join result_{version_id} as r using (row_no)"
        for version_id in sorted(desk.versions)
        if desk.has(f"inputs_{version_id}")
    ]
    nothing = (
        "select null::bigint as row_number, null::bigint as version_id, null::varchar as variant, "
        "null::bigint as grams, null::varchar as remainder_g, null::varchar as given where false"
    )
    desk.tables.execute(
        f"create or replace view calculated as {' union all by name '.join([nothing, *parts])}"
    )
    found = desk.tables.sql(
        "select s.row_number, s.verdict, s.reason, s.field, s.value, c.version_id, c.variant, "
        "case when s.verdict = 'counted' then c.grams end::bigint as grams, "
        "case when s.verdict = 'counted' then c.remainder_g::varchar end as remainder_g, c.given from ("
        "select row_number, verdict, reason, field, value from outcome union all "
        "select row_number, 'counted', '', '', '' from fresh) as s left join calculated as c using (row_number) "
        "order by s.row_number"
    ).to_arrow_table()
    return found.cast(_ROWS)


def rows_of_unusable() -> pa.Table:
    """Return no rows."""
    return _ROWS.empty_table()


def _given(desk: Desk, version_id: int) -> str:
    pairs = ", ".join(
        f"{text(item.code)}, i.{quoted(item.code)}::varchar" for item in desk.versions[version_id].fields
    )
    return f"json_object({pairs})::varchar" if pairs else "'{}'"


def _reasons(desk: Desk) -> tuple[ReasonFound, ...]:
    rows = desk.tables.execute(
        "select reason, verdict, count(*) from outcome group by all order by 3 desc, 1"
    ).fetchall()
    return tuple(ReasonFound(code=row[0], verdict=row[1], rows=row[2]) for row in rows)


def _grams(desk: Desk) -> int:
    """Return the grams of the rows that would count, before any cap and the floor of an account-day."""
    total = 0
    for version_id in desk.versions:
        if desk.has(f"result_{version_id}"):
            (found,) = desk.tables.execute(
                f"select coalesce(sum(r.grams), 0)::bigint from result_{version_id} as r "
                "semi join fresh as f on f.row_number = r.row_no"
            ).fetchone()
            total += int(found)
    return total


def _completeness(desk: Desk, said: ScenarioContent) -> tuple[FieldCompleteness, ...]:
    """Count the filled cells of the envelope and of every declared column that intake reads."""
    present = set(desk.tables.table("seen").columns)
    needed = {*REQUIRED, *(field.code for field in said.fields if field.required)}
    names = [
        name for name in dict.fromkeys((*ENVELOPE, *(field.code for field in said.fields))) if name in present
    ]
    counts = ", ".join(f"count(*) filter ({quoted(name)} != '')" for name in names)
    whole, *filled = desk.tables.execute(f"select count(*), {counts} from seen").fetchone()
    return tuple(
        FieldCompleteness(field=name, required=name in needed, filled=Share(part=n, whole=whole))
        for name, n in zip(names, filled, strict=True)
    )


def _timeliness(desk: Desk, at: datetime) -> Timeliness | None:
    """Return how long after the activities the file came; None where no row has a time."""
    moment = at.astimezone(CHINA).replace(tzinfo=None).isoformat(sep=" ")
    desk.tables.execute(
        "create or replace table delay as select date_diff('second', ended, timestamp "
        f"'{moment}') // 60 as v from judged where ended <= timestamp '{moment}'"
    )
    median, p95, longest = (ranked(desk, "delay", "v", percent) for percent in (50, 95, 100))
    if median is None:
        return None
    most = timely_minutes(at)
    within = None
    if most is not None:
        part, whole = desk.tables.execute(
            f"select count(*) filter (v <= {most}), count(*) from delay"
        ).fetchone()
        within = Share(part=part, whole=whole)
    return Timeliness(
        median_minutes=int(median), p95_minutes=int(p95), longest_minutes=int(longest), within=within
    )


def _columns(desk: Desk | None, trial: Trial) -> tuple[ColumnFound, ...]:
    declared = declared_columns(trial.said)
    used = set(desk.tables.table("seen").columns) if desk is not None else set()
    return tuple(
        ColumnFound(name=name, declared=name in declared, used=name in used) for name in trial.writing.columns
    )


def _encoding(desk: Desk | None, trial: Trial) -> EncodingFound:
    zoned = unzoned = 0
    if desk is not None:
        zoned, unzoned = desk.tables.execute(
            f"select count(*) filter (regexp_matches(started_at, {text(ZONED)})), "
            f"count(*) filter (not regexp_matches(started_at, {text(ZONED)}) and started_at != '') from seen"
        ).fetchone()
    return EncodingFound(
        file_format=trial.file_format,
        compressed=trial.writing.compressed,
        byte_order_mark=trial.writing.byte_order_mark,
        line_end=trial.writing.line_end,
        zoned_rows=zoned,
        unzoned_rows=unzoned,
    )


def _changes(
    before: QualityReport | None,
    *,
    rows: int,
    shares: dict[str, Share],
    timely: Timeliness | None,
    plausible: Any,
) -> tuple[Change, ...]:
    """Return what stands beside the last sample of the same definition: volume, validity, delay, medians (稳定性)."""
    if before is None:
        return ()
    valid_before = next((one.share for one in before.components if one.measure == "valid"), None)
    pairs = [
        ("rows", str(before.rows), str(rows)),
        ("valid", valid_before.percent_text() if valid_before else "—", shares["valid"].percent_text()),
        (
            "p95_minutes",
            str(before.timeliness.p95_minutes) if before.timeliness else "—",
            str(timely.p95_minutes) if timely else "—",
        ),
    ]
    medians = {one.field: one.median for one in before.plausibility}
    pairs += [(f"median:{one.field}", medians.get(one.field, "—"), one.median) for one in plausible]
    return tuple(Change(measure=name, before=old, now=new) for name, old, new in pairs)
