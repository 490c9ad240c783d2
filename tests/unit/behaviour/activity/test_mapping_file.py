"""A field mapping is data: what the document says is read, and every mistake is refused with its line in both languages."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tanpuhui.behaviour.activity.adapters.mapping_file import DOCUMENT_BYTES_MAX, read_mapping
from tanpuhui.behaviour.activity.domain.mappings import (
    MappingInvalid,
    TextStyle,
    TimeForm,
    mapping_sha256,
    moment_expression,
)

WHOLE = """\
format: tanpuhui-field-mapping/1
file:
  encoding: gb18030
  delimiter: ";"
fields:
  record_id: {columns: [设备, 流水号], joined_by: "-"}
  subject: {column: 会员号}
  started_at: {columns: [日期, 时刻], time: "%Y/%m/%d %H:%M:%S", zone: Asia/Shanghai}
  ended_at: {column: 结束, time: unix_ms}
  area: {constant: "990102"}
  distance_km: {column: 里程, from_unit: m, to_unit: km, places: 3}
  vehicle_type: {column: 车型, codes: {"1": electric, "2": diesel}}
"""
LEAST = """\
format: tanpuhui-field-mapping/1
fields:
  record_id: {column: id}
  subject: {column: who}
  started_at: {column: at, time: iso}
"""


def test_a_whole_mapping_is_read_as_written() -> None:
    found = read_mapping(WHOLE)
    assert found.style == TextStyle(encoding="gb18030", delimiter=";")
    assert found.columns == ("设备", "流水号", "会员号", "日期", "时刻", "结束", "里程", "车型")
    assert found.codes == (
        "record_id", "subject", "started_at", "ended_at", "area", "distance_km", "vehicle_type",
    )  # fmt: skip
    started = found.field("started_at")
    assert started is not None
    assert started.time == TimeForm(pattern="%Y/%m/%d %H:%M:%S", zone="Asia/Shanghai")
    distance = found.field("distance_km")
    assert distance is not None
    assert distance.conversion is not None
    assert (distance.conversion.factor, distance.conversion.steps) == (Fraction(1, 1000), (1, 10**12))


def test_a_file_is_plain_unless_the_mapping_says_otherwise() -> None:
    assert read_mapping(LEAST).style == TextStyle(encoding="utf-8", delimiter=",")
    marked = LEAST.replace("fields:", "file: {encoding: utf-8-sig, delimiter: tab}\nfields:")
    assert read_mapping(marked).style == TextStyle(encoding="utf-8", delimiter="\t")


def test_another_text_is_another_mapping_even_where_it_says_the_same() -> None:
    assert mapping_sha256(LEAST) != mapping_sha256(LEAST + "# 一句说明\n")


@pytest.mark.parametrize(
    ("line", "old", "new", "zh", "en"),
    [
        (1, "format: tanpuhui-field-mapping/1", "format: other/9", "tanpuhui-field-mapping/1", "one of"),
        (3, "gb18030", "big5", "utf-8-sig", "one of"),
        (4, '";"', '"::"', "tab", "one of"),
        (4, 'delimiter: ";"', 'delimiter: ";"\n  quote: x', "不认识的键“quote”", "Unknown key"),
        (6, "record_id:", "Record:", "不是标准字段的代码", "no code"),
        (6, "[设备, 流水号]", "[流水号]", "2 到 4 列", "2 to 4"),
        (6, "[设备, 流水号]", '[设备, "a;b"]', "不能用", "cannot be used"),
        (7, "{column: 会员号}", "{constant: U1}", "不能写成常数", "no constant"),
        (7, "{column: 会员号}", "{column: 会员号, columns: [a, b]}", "只能写一个", "either"),
        (7, "{column: 会员号}", "{}", "column、columns 或 constant", "one of column"),
        (7, "{column: 会员号}", '{column: 会员号, joined_by: "-"}', "columns 后面", "beside columns"),
        (7, "{column: 会员号}", "{column: 会员号, time: iso}", "不是时间", "no moment"),
        (8, '"%Y/%m/%d %H:%M:%S"', '"%Y/%m/%d"', "%H", "%H"),
        (8, '"%Y/%m/%d %H:%M:%S"', '"%y/%m/%d %H:%M"', "%y", "%y"),
        (8, '"%Y/%m/%d %H:%M:%S"', '"%Y/%m/%d %H:%M %d"', "读不懂", "cannot be read"),
        (8, "Asia/Shanghai", "Asia/Nowhere", "要写时区", "needs a zone"),
        (8, ", zone: Asia/Shanghai", "", "要写时区", "needs a zone"),
        (8, "Asia/Shanghai", '"+25:00"', "要写时区", "needs a zone"),
        (8, "Asia/Shanghai", "../../etc/passwd", "要写时区", "needs a zone"),
        (9, "time: unix_ms", "time: unix_ms, zone: Asia/Shanghai", "不能再写 zone", "zone is not given"),
        (9, ", time: unix_ms", "", "缺少“time”", "'time' is missing"),
        (10, '{constant: "990102"}', '{constant: "1", codes: {"1": "990102"}}', "只能有一个", "only one"),
        (11, "from_unit: m", "from_unit: mile", "mile", "mile"),
        (11, "from_unit: m,", "from_unit: kg,", "不能换算成", "cannot be converted"),
        (11, "from_unit: m,", "", "缺少“from_unit”", "'from_unit' is missing"),
        (11, ", places: 3", "", "缺少“places”", "'places' is missing"),
        (11, "places: 3", "places: 40", "整数", "whole number"),
        (11, "places: 3", 'places: 3, codes: {"1": "2"}', "只能有一个", "only one"),
        (12, '"2": diesel', '"1": diesel', "重复", "repeated"),
        (12, '"2": diesel', '"2": ""', "两边都要有值", "Both sides"),
        (12, '{"1": electric, "2": diesel}', "[electric]", "来源值", "lists"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_line(line: int, old: str, new: str, zh: str, en: str) -> None:
    assert old in WHOLE
    with pytest.raises(MappingInvalid) as refused:
        read_mapping(WHOLE.replace(old, new, 1))
    told = refused.value
    found = int(str(told.data["line"]))
    # An unknown key stands on the line behind the one that was changed.
    assert found - line in ({0, 1} if "quote" in new else {0})
    assert zh in told.message("zh")
    assert en in told.message("en")


@pytest.mark.parametrize("code", ["record_id", "subject", "started_at"])
def test_what_every_record_has_must_be_mapped(code: str) -> None:
    lines = [line for line in LEAST.splitlines() if not line.strip().startswith(code)]
    with pytest.raises(MappingInvalid, match=f"'{code}' is not mapped"):
        read_mapping("\n".join(lines))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "- a",
        "format: tanpuhui-field-mapping/1",
        "format: tanpuhui-field-mapping/1\nfields: [a]",
        LEAST + "x: &a 1\ny: *a\n",
        LEAST + "x: !!python/object/apply:os.system [id]\n",
        "#" * (DOCUMENT_BYTES_MAX + 1),
        LEAST + "\t\x00",
    ],
)
def test_what_is_no_mapping_at_all_is_refused(document: str) -> None:
    with pytest.raises(MappingInvalid):
        read_mapping(document)


def test_digits_that_follow_each_other_are_two_each_and_others_may_lack_their_zero() -> None:
    assert moment_expression("%Y%m%d%H%M") == "[12][0-9]{3}[0-9]{2}[0-9]{2}[0-9]{2}[0-9]{2}"
    assert moment_expression("%Y/%m/%d %H:%M").endswith(r"[0-9]{1,2}:[0-9]{1,2}")
