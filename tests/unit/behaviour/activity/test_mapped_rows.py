"""Mapped columns are what reading the file row by row with exact decimals would give, for any file."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanpuhui.behaviour.activity.adapters import Adapted
from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.mapped import Mapped
from tanpuhui.behaviour.activity.adapters.mapping_file import read_mapping
from tanpuhui.behaviour.activity.adapters.reading import read_file
from tanpuhui.behaviour.activity.domain import FileUnusable

LIMITS = Limits(file_bytes_max=1 << 24, line_bytes_max=4096)
DOCUMENT = """\
format: tanpuhui-field-mapping/1
fields:
  record_id: {columns: [设备, 流水号], joined_by: "-"}
  subject: {column: 会员号}
  started_at: {columns: [日期, 时刻], time: "%Y/%m/%d %H:%M:%S", zone: Europe/Berlin}
  ended_at: {column: 结束, time: unix_s}
  distance_km: {column: 里程, from_unit: m, to_unit: km, places: 2}
  duration_h: {column: 时长, from_unit: minute, to_unit: h, places: 3}
  vehicle_type: {column: 车型, codes: {"1": electric, "2": diesel}}
  area: {constant: "990102"}
"""
NAMES = ("设备", "流水号", "会员号", "日期", "时刻", "结束", "里程", "时长", "车型")
NUMBER = re.compile(r"[+-]?0*[0-9]{1,12}(\.[0-9]{1,12}0*)?")
BERLIN = ZoneInfo("Europe/Berlin")


def table_of(rows: list[Mapping[str, str]]) -> pa.Table:
    columns = {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in NAMES}
    return pa.table({"row_number": pa.array(range(2, len(rows) + 2), pa.int64()), **columns})


def adapted(rows: list[Mapping[str, str]], document: str = DOCUMENT) -> Adapted:
    return Mapped(mapping=read_mapping(document), scenario="bus").adapt(table_of(rows))


class Fault(Exception):
    """The reason why a row goes no further, and the field."""


def joined(cells: list[str], by: str) -> str:
    if not any(cells):
        return ""
    if not all(cells):
        raise Fault("MISSING_FIELD")
    return by.join(cells)


def converted(cell: str, over: int, places: int) -> str:
    if not cell:
        return ""
    if NUMBER.fullmatch(cell) is None:
        raise Fault("BAD_NUMBER")
    with localcontext(prec=60):
        value = Decimal(cell) * Decimal(10) ** places / over
        if value != value.to_integral_value():
            raise Fault("CONVERSION_NOT_EXACT")
        shown = format((value / Decimal(10) ** places).normalize(), "f")
    return "0" if Decimal(shown) == 0 else shown


def local(cell: str) -> str:
    if not cell:
        return ""
    found = re.fullmatch(r"([12]\d{3})/(\d{1,2})/(\d{1,2}) (\d{1,2}):(\d{1,2}):(\d{1,2})", cell, re.ASCII)
    if found is None:
        raise Fault("BAD_TIME")
    try:
        moment = datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        raise Fault("BAD_TIME") from None
    before, after = (BERLIN.utcoffset(moment.replace(fold=fold)) for fold in (0, 1))
    assert before is not None
    assert after is not None
    if before != after:
        raise Fault("AMBIGUOUS_TIME" if before > after else "NONEXISTENT_TIME")
    if before.total_seconds() % 60:
        raise Fault("BAD_TIME")
    return moment.replace(tzinfo=BERLIN).isoformat()


def unix(cell: str) -> str:
    if not cell:
        return ""
    if re.fullmatch(r"\d{10}", cell, re.ASCII) is None:
        raise Fault("BAD_TIME")
    return datetime.fromtimestamp(int(cell), ZoneInfo("Etc/GMT-8")).isoformat()


def coded(cell: str) -> str:
    try:
        return {"": "", "1": "electric", "2": "diesel"}[cell]
    except KeyError:
        raise Fault("UNKNOWN_CODE") from None


def row_by_row(row: Mapping[str, str]) -> dict[str, str] | tuple[str, str]:
    """Read one row as a person would: the values, or the first fault in the order of the document."""
    cells = {name: row.get(name, "").strip() for name in NAMES}
    steps = (
        ("record_id", lambda: joined([cells["设备"], cells["流水号"]], "-")),
        ("subject", lambda: cells["会员号"]),
        ("started_at", lambda: local(joined([cells["日期"], cells["时刻"]], " "))),
        ("ended_at", lambda: unix(cells["结束"])),
        ("distance_km", lambda: converted(cells["里程"], 1000, 2)),
        ("duration_h", lambda: converted(cells["时长"], 60, 3)),
        ("vehicle_type", lambda: coded(cells["车型"])),
        ("area", lambda: "990102"),
    )
    found = {}
    for code, read in steps:
        try:
            found[code] = read()
        except Fault as fault:
            return code, str(fault)
    return found | {"scenario": "bus"}


digits = st.text("0123456789", min_size=1, max_size=14)
numbers = st.one_of(
    st.just(""),
    st.builds(lambda sign, whole: sign + whole, st.sampled_from(["", "-", "+"]), digits),
    st.builds(lambda sign, whole, part: f"{sign}{whole}.{part}", st.sampled_from(["", "-"]), digits, digits),
    st.integers(0, 10**6).map(lambda n: str(n * 10)),
    st.integers(0, 10**5).map(lambda n: str(n * 3)),
    st.sampled_from(
        ["0", "-0", "0.000", "1e3", "１２", "12,5", ".5", "5.", "1 2", "NaN", "1234.50", "-1230"]
    ),
)
days = st.one_of(
    st.dates(datetime(1850, 1, 1).date(), datetime(2200, 1, 1).date()).map(lambda d: f"{d.year}/{d.month}/{d.day}"),  # noqa: DTZ001
    st.sampled_from(["2026/3/29", "2026/10/25", "2026/02/30", "2026-01-01", "", "0001/1/1", "2026/13/1"]),
)  # fmt: skip
clocks = st.one_of(
    st.times().map(lambda t: f"{t.hour}:{t.minute:02d}:{t.second:02d}"),
    st.builds(lambda m, s: f"2:{m:02d}:{s:02d}", st.integers(0, 59), st.integers(0, 59)),
    st.sampled_from(["", "25:00:00", "8:60:00", "08:00", "8:00:60", "  8:00:00 "]),
)
words = st.sampled_from(["", "A", "甲", "x'y", 'q"q', "1", "2", "3", " 1 ", "a%b", "\\", "$1"])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "设备": words, "流水号": words, "会员号": words, "日期": days, "时刻": clocks, "里程": numbers,
            "结束": st.one_of(st.just(""), st.integers(0, 4 * 10**9).map(str)), "时长": numbers, "车型": words,
        }
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rows)
def test_columns_equal_reading_row_by_row(several: list[Mapping[str, str]]) -> None:
    found = adapted(several)
    good = {row["row_number"]: row for row in found.rows.to_pylist()}
    bad = {fault.row_number: (fault.field, fault.reason) for fault in found.settled}
    assert len(good) + len(bad) == len(several)
    for number, row in enumerate(several, start=2):
        expected = row_by_row(row)
        if isinstance(expected, tuple):
            assert bad[number] == expected, row
        else:
            assert good[number] == expected | {"row_number": number}, row


def one(**cells: str) -> dict[str, str]:
    return {"设备": "D", "流水号": "1", "会员号": "U", "日期": "2026/11/18", "时刻": "8:05:00", **cells}


def test_a_good_row_is_written_in_our_terms() -> None:
    found = adapted([one(里程="8450", 时长="12", 车型="2", 结束="1700000000")])
    assert found.settled == ()
    assert found.rows.to_pylist() == [
        {
            "row_number": 2, "record_id": "D-1", "subject": "U", "started_at": "2026-11-18T08:05:00+01:00",
            "ended_at": "2023-11-15T06:13:20+08:00", "distance_km": "8.45", "duration_h": "0.2",
            "vehicle_type": "diesel", "area": "990102", "scenario": "bus",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "field", "reason", "value"),
    [
        ({"里程": "8455"}, "distance_km", "CONVERSION_NOT_EXACT", "8455"),
        ({"时长": "1"}, "duration_h", "CONVERSION_NOT_EXACT", "1"),
        ({"里程": "8,4"}, "distance_km", "BAD_NUMBER", "8,4"),
        ({"车型": "3"}, "vehicle_type", "UNKNOWN_CODE", "3"),
        ({"日期": "2026/10/25", "时刻": "2:30:00"}, "started_at", "AMBIGUOUS_TIME", "2026/10/25 2:30:00"),
        ({"日期": "2026/3/29", "时刻": "2:30:00"}, "started_at", "NONEXISTENT_TIME", "2026/3/29 2:30:00"),
        ({"时刻": ""}, "started_at", "MISSING_FIELD", "2026/11/18 "),
        ({"结束": "2026-11-18"}, "ended_at", "BAD_TIME", "2026-11-18"),
    ],
)
def test_a_row_that_cannot_be_mapped_says_why(
    cells: dict[str, str], field: str, reason: str, value: str
) -> None:
    (fault,) = adapted([one(**cells)]).settled
    assert (fault.field, fault.reason, fault.value) == (field, reason, value)


def test_the_subject_never_stands_in_a_reason() -> None:
    document = DOCUMENT.replace("{column: 会员号}", '{column: 会员号, codes: {"U": V}}')
    (fault,) = adapted([one(会员号="13900000000")], document).settled
    assert (fault.field, fault.value) == ("subject", "")


def test_one_o_clock_and_the_half_hour_around_the_change_keep_their_offsets() -> None:
    moments = [one(日期="2026/10/25", 时刻=clock) for clock in ("1:59:59", "3:00:00", "23:59:59")]
    found = adapted(moments).rows.column("started_at").to_pylist()
    assert found == [
        "2026-10-25T01:59:59+02:00",
        "2026-10-25T03:00:00+01:00",
        "2026-10-25T23:59:59+01:00",
    ]


def read(content: bytes, document: str) -> Adapted:
    form = Mapped(mapping=read_mapping(document), scenario="bus")
    found = read_file(
        io.BytesIO(content),
        file_format="csv",
        limits=LIMITS,
        wanted=form.wanted(()),
        required=form.required,
        style=form.style,
    )
    made = form.adapt(found.table)
    return Adapted(rows=made.rows, settled=(*found.faults, *made.settled))


CHINESE = """\
format: tanpuhui-field-mapping/1
file: {encoding: gb18030, delimiter: ";"}
fields:
  record_id: {column: 流水号}
  subject: {column: 会员号}
  started_at: {column: 开始, time: iso}
"""


def test_a_line_in_a_wrong_encoding_is_refused_alone_and_the_others_are_read() -> None:
    head = "流水号;会员号;开始\n".encode("gb18030")
    good = "甲1;会员㐀;2026-11-18T08:00:00+08:00\n".encode("gb18030")
    found = read(head + good + b"\xff\xff;x;y\n" + good, CHINESE)
    assert found.rows.column("record_id").to_pylist() == ["甲1", "甲1"]
    assert found.rows.column("subject").to_pylist() == ["会员㐀", "会员㐀"]
    (fault,) = found.settled
    assert (fault.row_number, fault.reason, fault.value) == (
        3,
        "NOT_GB18030",
        str(len(head) + len(good) + 1),
    )


def test_a_file_without_a_mapped_column_is_refused_whole() -> None:
    with pytest.raises(FileUnusable, match="MISSING_COLUMN"):
        read("流水号;开始\n甲;x\n".encode("gb18030"), CHINESE)


def test_a_file_in_another_encoding_throughout_is_refused_whole() -> None:
    with pytest.raises(FileUnusable):
        read("流水号;会员号;开始\n甲;乙;x\n".encode(), CHINESE)
