"""A partner's own columns (自有格式), read through its field mapping: one SELECT over the whole slice, on text and whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters._port import Adapted, RowVerdict
from tanpuhui.behaviour.activity.adapters.tables import case, open_tables, quoted, text
from tanpuhui.behaviour.activity.domain.mappings import (
    MAPPED,
    SOURCE_PLACES,
    Conversion,
    FieldMapping,
    MappedField,
    TextStyle,
    TimeForm,
    moment_expression,
)
from tanpuhui.foundation.kernel.calendar import CHINA

_NUMBER = rf"[+-]?0*[0-9]{{1,{SOURCE_PLACES}}}(\.[0-9]{{1,{SOURCE_PLACES}}}0*)?"
NOON = time(12)
_OFFSET_MINUTES = 60
_OUTPUT = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """Reads a file as a mapping says. Rows of a feed belong to its scenario unless the mapping reads the scenario too."""

    mapping: FieldMapping
    scenario: str
    name: str = MAPPED

    @property
    def person(self) -> tuple[str, ...]:
        """The columns out of which the subject is made."""
        return next((field.columns for field in self.mapping.fields if field.code == "subject"), ())

    @property
    def required(self) -> tuple[str, ...]:
        """Every column that the mapping names: one that was renamed must not silently empty a field."""
        return self.mapping.columns

    @property
    def style(self) -> TextStyle:
        """How the file's text is written."""
        return self.mapping.style

    def wanted(self, fields: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002  the file has columns of its own
        """Return the columns that the mapping reads."""
        return self.mapping.columns

    def adapt(self, table: pa.Table) -> Adapted:
        """Return the standard fields of every row that can be read, and for every other row its first fault."""
        with closing(open_tables()) as tables:
            _map(tables, table, self.mapping)
            given = [f"v{n} as {quoted(field.code)}" for n, field in enumerate(self.mapping.fields)]
            if "scenario" not in self.mapping.codes:
                given.append(f"{text(self.scenario)} as scenario")
            rows = tables.sql(
                f"select row_number, {', '.join(given)} from mapped where fault is null order by row_number"
            ).to_arrow_table()
            shown = case(
                [
                    (f"fault = {n}", f"s{n}")
                    for n, field in enumerate(self.mapping.fields)
                    if field.columns and field.code != "subject"
                ],
                "''",
            )
            reason = case([(f"fault = {n}", f"f{n}") for n in range(len(self.mapping.fields))])
            faults = tables.sql(
                f"select row_number, {reason}, fault, {shown} from mapped where fault is not null order by 1"
            ).fetchall()
        settled = tuple(
            RowVerdict(row_number=number, reason=why, field=self.mapping.fields[place].code, value=value)
            for number, why, place, value in faults
        )
        return Adapted(rows=rows, settled=settled)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One field of one row: what the file has, what it is in our terms, and why it is nothing of ours (empty: it is)."""

    source: str
    value: str
    reason: str


def cells_of(form: Mapped, table: pa.Table) -> dict[int, tuple[Cell, ...]]:
    """Return every field of every row by its number, to be looked at; each fault is named, not only the first of a row."""
    wanted = ", ".join(f"s{n}, v{n}, f{n}" for n in range(len(form.mapping.fields)))
    with closing(open_tables()) as tables:
        _map(tables, table, form.mapping)
        rows = tables.sql(f"select row_number, {wanted} from mapped order by 1").fetchall()
    return {
        number: tuple(
            Cell(source=cells[n], value="" if cells[n + 2] else cells[n + 1] or "", reason=cells[n + 2] or "")
            for n in range(0, len(cells), 3)
        )
        for number, *cells in rows
    }


def _map(tables: Any, table: pa.Table, mapping: FieldMapping) -> None:
    """Make the table `mapped`: of each row its fields as text, with the fault of each and the place of the first."""
    _lay_out(tables, table, mapping)
    for number, field in enumerate(mapping.fields):
        if field.time is not None and field.time.is_pattern:
            _lay_down_zone(tables, number, field.time.zone)
    tables.execute(f"create table mapped as {_select(mapping)}")


def _lay_out(tables: Any, table: pa.Table, mapping: FieldMapping) -> None:
    """Make the table `part`: of each field its text s<n> as it stands in the file, and the local moment t<n> of times."""
    source = pa.table({"row_number": table.column("row_number")})
    for number, name in enumerate(mapping.columns):
        cells = (
            pa.compute.utf8_trim_whitespace(pa.compute.fill_null(table.column(name), ""))
            if name in table.column_names
            else pa.repeat(pa.scalar("", pa.string()), table.num_rows)
        )
        source = source.append_column(f"c{number}", cells)
    tables.register("source", source)
    place = {name: f"c{number}" for number, name in enumerate(mapping.columns)}
    found = []
    for number, field in enumerate(mapping.fields):
        cells = [place[name] for name in field.columns]
        found.append(f"{_joined(cells, field)} as s{number}")
        if len(cells) > 1:
            empty = " or ".join(f"{cell} = ''" for cell in cells)
            found.append(f"({empty}) and s{number} != '' as p{number}")
        if field.time is not None and field.time.is_pattern:
            found.append(f"{_local(f's{number}', field.time)} as t{number}")
    tables.execute(f"create table part as select row_number, {', '.join(found)} from source")


def _joined(cells: Sequence[str], field: MappedField) -> str:
    if not cells:
        return text(field.constant)
    if len(cells) == 1:
        return cells[0]
    nothing = " and ".join(f"{cell} = ''" for cell in cells)
    return f"case when {nothing} then '' else {f' || {text(field.joined_by)} || '.join(cells)} end"


def _local(cell: str, form: TimeForm) -> str:
    """Return SQL for the local moment of a cell, null where the cell is not written as the pattern says."""
    expression = text(moment_expression(form.pattern))
    return (
        f"case when regexp_full_match({cell}, {expression}) "
        f"then try_strptime({cell}, {text(form.pattern)}) end"
    )


def _select(mapping: FieldMapping) -> str:
    """Return the SELECT of value v<n> and fault f<n> of each field, and the place of the first fault."""
    found, joins = [], []
    for number, field in enumerate(mapping.fields):
        value, fault = _value(number, field)
        if len(field.columns) > 1:
            fault = case([(f"p{number}", "'MISSING_FIELD'")], fault)
        found += [f"{value} as v{number}", f"{fault} as f{number}"]
        if field.time is not None and field.time.is_pattern:
            joins.append(
                f"left join zone_day_{number} as d{number} on d{number}.day = t{number}::date "
                f"left join zone_minute_{number} as m{number} on m{number}.minute = date_trunc('minute', t{number})"
            )
    first = case([(f"f{n} is not null", str(n)) for n in range(len(mapping.fields))])
    return f"select part.*, {', '.join(found)}, {first} as fault from part {' '.join(joins)}"


def _value(number: int, field: MappedField) -> tuple[str, str]:
    """Return SQL for a field's value as text, and for the reason why the row has none; an empty cell is no value."""
    cell = f"s{number}"
    if field.conversion is not None:
        return _converted(cell, field.conversion)
    if field.codes:
        known = [(f"{cell} = {text(code)}", text(ours)) for code, ours in field.codes]
        value = case([(f"{cell} = ''", "''"), *known])
        return value, case([(f"v{number} is null", "'UNKNOWN_CODE'")])
    if field.time is not None:
        return _moment(number, field.time)
    return cell, "null::varchar"


def _converted(cell: str, conversion: Conversion) -> tuple[str, str]:
    """Return SQL for a number in our unit: whole numbers only, so that a result is exact or there is none."""
    multiply, divide = conversion.steps
    whole = f"ltrim(regexp_extract({cell}, '^[+-]?([0-9]+)', 1), '0')"
    fraction = f"left(regexp_extract({cell}, '[.]([0-9]+)$', 1), {SOURCE_PLACES})"
    scaled = f"cast('0' || {whole} || rpad({fraction}, {SOURCE_PLACES}, '0') as hugeint)"
    right = f"regexp_full_match({cell}, {text(_NUMBER)})"
    scaled = f"(case when {right} then {scaled} end)"
    result = f"(({scaled} // {divide}::hugeint) * {multiply}::hugeint)"
    size = f"{10**conversion.places}::hugeint"
    behind = f"rtrim(lpad(({result} % {size})::varchar, {conversion.places}, '0'), '0')"
    shown = f"({result} // {size})::varchar"
    if conversion.places:
        shown = f"{shown} || case when {behind} = '' then '' else '.' || {behind} end"
    sign = f"case when {cell}[1] = '-' and {result} != 0 then '-' else '' end"
    fault = case(
        [
            (f"{cell} = ''", "null"),
            (f"not {right}", "'BAD_NUMBER'"),
            (f"{scaled} % {divide}::hugeint != 0", "'CONVERSION_NOT_EXACT'"),
        ]
    )
    return f"case when {cell} = '' then '' else {sign} || {shown} end", fault


def _moment(number: int, form: TimeForm) -> tuple[str, str]:
    """Return SQL for a moment with its offset."""
    cell = f"s{number}"
    if form.pattern == "iso":
        right = f"regexp_full_match({cell}, '.+(Z|[+-][0-9]{{2}}:?[0-9]{{2}})')"
        return cell, case([(f"{cell} = '' or {right}", "null")], "'BAD_TIME'")
    if not form.is_pattern:
        digits = 10 if form.pattern == "unix_s" else 13
        right = f"regexp_full_match({cell}, '[0-9]{{{digits}}}')"
        ahead = int(CHINA.utcoffset(None).total_seconds())
        seconds = f"left({cell}, 10)::bigint + {ahead}"
        parts = f"strftime(make_timestamp(({seconds}) * 1000000), '{_OUTPUT}')"
        if form.pattern == "unix_ms":
            parts += f" || '.' || right({cell}, 3)"
        value = f"case when {cell} = '' then '' when {right} then {parts} || '+08:00' end"
        return value, case([(f"{cell} = '' or {right}", "null")], "'BAD_TIME'")
    offset = f"coalesce(m{number}.offset_text, d{number}.offset_text)"
    value = f"case when {cell} = '' then '' else strftime(t{number}, '{_OUTPUT}') || {offset} end"
    fault = case(
        [
            (f"{cell} = ''", "null"),
            (f"t{number} is null", "'BAD_TIME'"),
            (f"m{number}.fault is not null", f"m{number}.fault"),
            (f"{offset} is null", "'BAD_TIME'"),
        ]
    )
    return value, fault


def _lay_down_zone(tables: Any, number: int, zone: str) -> None:
    """Give the tables the offset of each local day, and of each local minute of the days on which it changes."""
    days = [row[0] for row in tables.execute(f"select distinct t{number}::date from part").fetchall()]
    known = {day: _offset_of_day(zone, day) for day in days if day is not None}
    changing = [day for day, offset in known.items() if offset is None]
    minutes: list[datetime] = []
    if changing:
        tables.register("changing", pa.table({"day": pa.array(changing, pa.date32())}))
        minutes = [
            row[0]
            for row in tables.execute(
                f"select distinct date_trunc('minute', t{number}) from part "
                f"join changing on day = t{number}::date"
            ).fetchall()
        ]
        tables.unregister("changing")
    told = [_offset_of_minute(zone, minute) for minute in minutes]
    _table(
        tables,
        f"zone_day_{number}",
        {
            "day": pa.array(known.keys(), pa.date32()),
            "offset_text": pa.array(known.values(), pa.string()),
        },
    )
    _table(
        tables,
        f"zone_minute_{number}",
        {
            "minute": pa.array(minutes, pa.timestamp("us")),
            "offset_text": pa.array([offset for offset, _ in told], pa.string()),
            "fault": pa.array([fault for _, fault in told], pa.string()),
        },
    )


def _table(tables: Any, name: str, columns: dict[str, pa.Array]) -> None:
    tables.register("laid_down", pa.table(columns))
    tables.execute(f"create table {name} as select * from laid_down")
    tables.unregister("laid_down")


def _offset_of_day(zone: str, day: date) -> str | None:
    """Return the offset that holds all day, None where it changes near that day, so that each minute is asked for."""
    if zone[0] in "+-":
        return zone
    named = ZoneInfo(zone)
    noon = datetime.combine(day, NOON)
    around = (noon + timedelta(days=shift) for shift in (-1, 0, 1))
    offsets = {named.utcoffset(moment) for moment in around}
    return _offset_text(offsets) if len(offsets) == 1 else None


def _offset_of_minute(zone: str, minute: datetime) -> tuple[str | None, str | None]:
    """Return (offset, fault) of a local minute: a clock that was put back shows it twice, one put forward never."""
    named = ZoneInfo(zone)
    before, after = (named.utcoffset(minute.replace(fold=fold)) for fold in (0, 1))
    if before is None or after is None:
        return None, "BAD_TIME"
    if before > after:
        return None, "AMBIGUOUS_TIME"
    if before < after:
        return None, "NONEXISTENT_TIME"
    return _offset_text({before}), None


def _offset_text(offsets: Iterable[timedelta | None]) -> str | None:
    """Return an offset as +08:00; None for one with seconds, as clocks had before there were zones."""
    (offset,) = offsets
    if offset is None:
        return None
    minutes, rest = divmod(int(offset.total_seconds()), _OFFSET_MINUTES)
    if rest:
        return None
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
