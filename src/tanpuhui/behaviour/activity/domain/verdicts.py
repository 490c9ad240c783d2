"""What can be said of one row (逐行结论), and why, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class BatchState(StrEnum):
    """States of a batch (批次状态). Posted and refused are final; a file is received once."""

    RECEIVED = "received"
    POSTED = "posted"
    REFUSED = "refused"


class Verdict(StrEnum):
    """The one verdict of every row. The counts of all verdicts add up to the rows of the file."""

    COUNTED = "counted"
    CLIPPED = "clipped"
    PAIRED = "paired"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    PENDING = "pending"
    WAITING = "waiting"
    EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasonText:
    """One reason: its verdict and one sentence per language for the partner who must act on it."""

    verdict: Verdict
    zh: str
    en: str

    def text(self, locale: str = "zh") -> str:
        """Return the sentence, Chinese unless English is asked for."""
        return self.en if locale.startswith("en") else self.zh


def _rejected(zh: str, en: str) -> ReasonText:
    return ReasonText(verdict=Verdict.REJECTED, zh=zh, en=en)


REASONS: Mapping[str, ReasonText] = {
    "BAD_ENCODING": _rejected(
        "这一行不是 UTF-8 编码，值为出错的字节位置。请转成 UTF-8 后重发这一行。",
        "This line is not UTF-8; the value is the position of the byte. Convert it to UTF-8 and resend the line.",
    ),
    "NOT_GB18030": _rejected(
        "这一行不是 GB18030 编码，值为出错的字节位置。请按字段映射约定的编码重发这一行。",
        "This line is not GB18030; the value is the position of the byte. Resend the line in the encoding of the field mapping.",
    ),
    "UNKNOWN_CODE": _rejected(
        "字段映射的代码表里没有这个值。请改用约定的代码，或先把它补进映射。",
        "The code list of the field mapping lacks this value. Use an agreed code, or have it added to the mapping first.",
    ),
    "CONVERSION_NOT_EXACT": _rejected(
        "这个数换算成标准单位后，小数位数超过字段映射约定的位数；平台不四舍五入。请少报几位小数。",
        "Converted to our unit, this number needs more decimals than the field mapping allows; nothing is rounded. Send fewer.",
    ),
    "AMBIGUOUS_TIME": _rejected(
        "当地时钟拨回，这个时间出现两次，不知道是哪一次。请带时区重发。",
        "Clocks were put back, so this local time came twice and which one is meant is not known. Resend it with its offset.",
    ),
    "NONEXISTENT_TIME": _rejected(
        "当地时钟拨快，这个时间不存在。请核对后重发。",
        "Clocks were put forward over this local time, so it never was. Check it and resend.",
    ),
    "LINE_TOO_LONG": _rejected(
        "这一行超过允许的长度，值为上限字节数。请检查是否缺少换行。",
        "This line is longer than allowed; the value is the limit in bytes. Check for a missing line break.",
    ),
    "BAD_ROW": _rejected(
        "这一行读不成一条记录：列数不对、引号不成对或不是 JSON 对象。请改正格式后重发。",
        "This line is no record: wrong number of columns, unbalanced quotes or no JSON object. Correct it and resend.",
    ),
    "FORMULA_CELL": _rejected(
        "单元格以公式符号（= + - @）开头。请发送纯文本值。",
        "A cell begins with a formula sign (= + - @). Send the plain value.",
    ),
    "VALUE_TOO_LONG": _rejected(
        "这个值超过允许的长度。请缩短后重发。", "This value is longer than allowed. Shorten it and resend."
    ),
    "MISSING_FIELD": _rejected(
        "缺少必填项。请补上后重发。", "A required field is empty. Fill it and resend."
    ),
    "BAD_NUMBER": _rejected(
        "这不是规定格式的数（小数位数也有上限）。请按字段说明改正。",
        "This is no number of the declared form (places are limited too). Correct it as the field demands.",
    ),
    "NEGATIVE_DISTANCE": _rejected(
        "距离不能为负。请核对后重发。", "A distance cannot be negative. Check it and resend."
    ),
    "OUT_OF_BOUNDS": _rejected(
        "数值超出方法学规定的范围。请核对后重发。",
        "The value lies outside the bounds of the methodology. Check it and resend.",
    ),
    "UNKNOWN_OPTION": _rejected(
        "这个取值不在方法学的选项之内。请改用规定的选项。",
        "This is none of the options of the methodology. Use one of them.",
    ),
    "BAD_TIME": _rejected(
        "时间读不懂。请用 2026-11-20T08:00:00+08:00 的写法。",
        "The time cannot be read. Write 2026-11-20T08:00:00+08:00.",
    ),
    "TIME_ORDER": _rejected(
        "结束时间早于开始时间。请核对后重发。", "The end is before the start. Check it and resend."
    ),
    "FUTURE_TIME": _rejected(
        "时间晚于收到文件的时间。请核对设备时钟后重发。",
        "The time is after the file was received. Check the device's clock and resend.",
    ),
    "TOO_LATE": _rejected(
        "超过了这个场景允许的迟报天数。如有异议请联系运营机构。",
        "The record came later than the scenario allows. Contact the operator if you disagree.",
    ),
    "UNKNOWN_AREA": _rejected(
        "行政区划代码不在登记的区域之内。请核对六位代码。",
        "The area code is not among the registered regions. Check the six digits.",
    ),
    "UNKNOWN_SCENARIO": _rejected(
        "没有这个场景，或本机构没有开通它的数据接入。请联系运营机构。",
        "There is no such scenario, or you have no open feed for it. Contact the operator.",
    ),
    "NO_AGREEMENT": _rejected(
        "这一天没有与本机构的有效数据共享协议。签订或续签以后，协议期内的记录可以重发；请联系运营机构。",
        "No data-sharing agreement with you covers this day. Records within an agreement can be resent once there is one; contact the operator.",
    ),
    "SCENARIO_SUSPENDED": _rejected(
        "这一天场景暂停。暂停以前和恢复以后的记录照常计入；如有异议请联系运营机构。",
        "The scenario was suspended on this day. Records from before and after count. Contact the operator if you disagree.",
    ),
    "SCENARIO_CLOSED": _rejected(
        "这一天场景已经关闭。关闭以前的记录在允许的迟报天数内照常计入。",
        "The scenario was closed by this day. Records from before count while they are not too late.",
    ),
    "NO_METHODOLOGY": _rejected(
        "这一天没有已备案的方法学可用。备案以后可以重发。",
        "No methodology was filed for this day. Resend after the filing.",
    ),
    "PARAMETER_UNSET": _rejected(
        "方法学或规则中的参数还没有取值，不能计算。取值确定以后可以重发。",
        "A parameter of the methodology or rule has no value yet. Resend when it has been decided.",
    ),
    "CAP_NOT_SUPPORTED": _rejected(
        "方法学的活动量上限按账户以外的对象计算，平台尚不支持。请联系运营机构。",
        "The methodology caps something other than an account, which intake cannot do. Contact the operator.",
    ),
    "NO_VARIANT": _rejected(
        "记录给出的字段不满足方法学的任何一种算法。请补充字段后重发。",
        "The fields given fit none of the methodology's ways to calculate. Add fields and resend.",
    ),
    "NO_CONSENT": _rejected(
        "本人没有授权这个场景。授权以后发生的行为才能计入。",
        "The person has never consented to this scenario. Only what happens after consent counts.",
    ),
    "BEFORE_CONSENT": _rejected(
        "记录早于本人对这个场景的授权，不能计入。",
        "The record lies before the person's consent to this scenario and cannot count.",
    ),
    "AFTER_WITHDRAWAL": _rejected(
        "记录晚于本人撤回授权，不能计入。以后请不要再报送此人这个场景的记录。",
        "The record lies after the person withdrew consent and cannot count. Send no more records of this person and scenario.",
    ),
    "UNMATCHED_ENTRY": _rejected(
        "进站没有对应的出站，不成一次行程。", "An entry tap without an exit is no trip."
    ),
    "UNMATCHED_EXIT": _rejected(
        "出站没有对应的进站，不成一次行程。", "An exit tap without an entry is no trip."
    ),
    "MISSING_STATION": _rejected("缺少站点或线路。", "The station or line is missing."),
    "UNKNOWN_TAP": _rejected("刷卡类型不认识。", "The kind of tap is not known."),
    "PERSON_UNKNOWN": ReasonText(
        verdict=Verdict.PENDING,
        zh="这个用户标识还没有绑定个人。绑定以后可以重发。",
        en="This subject is not bound to a person yet. Resend after binding.",
    ),
    "NO_ACCOUNT": ReasonText(
        verdict=Verdict.PENDING,
        zh="本人还没有开立碳账户。开户以后可以重发。",
        en="The person has no carbon account yet. Resend after opening.",
    ),
    "DUPLICATE_IN_FILE": ReasonText(
        verdict=Verdict.DUPLICATE,
        zh="同一文件里已经有这条记录，值为先出现的行号。",
        en="The record stands in this file already; the value is the row of the first.",
    ),
    "DUPLICATE_POSTED": ReasonText(
        verdict=Verdict.DUPLICATE, zh="这条记录以前已经计过。", en="This record has been counted before."
    ),
    "SETTLES_LATER": ReasonText(
        verdict=Verdict.WAITING,
        zh="这条记录先与其他来源核对，到场景规定的日期结算。",
        en="The record is compared with other sources first and settled on the day that the scenario sets.",
    ),
    "HELD_FOR_REVIEW": ReasonText(
        verdict=Verdict.WAITING,
        zh="这条记录的数值不寻常，由工作人员复核后再定是否计入。",
        en="The values of this record are unusual; staff review it before it counts.",
    ),
    "IMPLAUSIBLE_PLACE": _rejected(
        "本人刚在另一座城市有记录，这么短的时间到不了这里；值为两条记录相隔的秒数和规则的下限。请核对时间和地点。",
        "The person had a record in another city just before; the value is the time between them and the least by the rule, "
        "in seconds. Check time and place.",
    ),
    "IMPLAUSIBLE_SPEED": _rejected(
        "距离除以用时，超过这个场景的最高时速，值为时速和上限。请核对距离和起止时间。",
        "Distance over time is faster than the scenario allows; the value is the speed and the limit. Check distance and times.",
    ),
    "IMPLAUSIBLE_DISTANCE": _rejected(
        "距离超过这个场景一条记录的上限，值为距离和上限。请核对单位和数值。",
        "The distance is longer than one record of the scenario may be; the value is both. Check unit and number.",
    ),
    "IMPLAUSIBLE_FREQUENCY": _rejected(
        "这一天本人这个场景的记录数超过上限，值为第几条和上限。如有异议，请本人联系运营机构。",
        "The person has more records of the scenario that day than the rule allows; the value is which and the limit.",
    ),
    "REFUSED_IN_REVIEW": _rejected(
        "工作人员复核后没有计入。本人有异议的，可以在减排记录里申诉。",
        "Staff reviewed the record and did not count it. The person can appeal on the page of their records.",
    ),
    "SAME_RIDE_OTHER_PARTNER": ReasonText(
        verdict=Verdict.DUPLICATE,
        zh="同一次出行已按另一来源的记录计入。本人有异议的，可以在减排记录里申诉。",
        en="The same trip counts by another source's record. The person can appeal on the page of their records.",
    ),
    "EXCLUSIVE_IN_TIME": ReasonText(
        verdict=Verdict.EXCLUDED,
        zh="同一时间本人已有另一次行为计入，二者不能并存。本人有异议的，可以在减排记录里申诉。",
        en="Another activity of the same person at the same time counts, and the two exclude each other. The person can appeal on the page of their records.",
    ),
    "EXCLUDED": ReasonText(
        verdict=Verdict.EXCLUDED,
        zh="同一天同一互斥组只计一类行为，这一天计入的是另一类，值为互斥组。",
        en="Of an exclusion group only one kind of activity counts a day, and another did; the value is the group.",
    ),
    "PART_OF_TRIP": ReasonText(
        verdict=Verdict.PAIRED,
        zh="与另一行合成一次行程，值为那一行的行号。",
        en="Joined with another row into one trip; the value is that row's number.",
    ),
    "CLIPPED_BY_CAP": ReasonText(
        verdict=Verdict.CLIPPED,
        zh="超过活动量上限的部分没有计入。",
        en="The part above the cap on activity was not counted.",
    ),
}
"""Reasons of the platform. A methodology's eligibility rules add their own codes and sentences."""

MENDABLE = frozenset(
    {
        "BAD_ENCODING",
        "NOT_GB18030",
        "UNKNOWN_CODE",
        "CONVERSION_NOT_EXACT",
        "AMBIGUOUS_TIME",
        "NONEXISTENT_TIME",
        "LINE_TOO_LONG",
        "BAD_ROW",
        "FORMULA_CELL",
        "VALUE_TOO_LONG",
        "MISSING_FIELD",
        "BAD_NUMBER",
        "NEGATIVE_DISTANCE",
        "OUT_OF_BOUNDS",
        "UNKNOWN_OPTION",
        "BAD_TIME",
        "TIME_ORDER",
        "FUTURE_TIME",
        "UNKNOWN_AREA",
        "NO_VARIANT",
        "IMPLAUSIBLE_PLACE",
        "IMPLAUSIBLE_SPEED",
        "IMPLAUSIBLE_DISTANCE",
        "MISSING_STATION",
        "UNKNOWN_TAP",
    }
)
"""Reasons that lie in the row itself, so that its sender can correct it and send it again (可由报送方更正).

The others wait for somebody else (consent, binding, a parameter) or cannot be mended (too late, counted before).
"""


CORRECTS_ROW = "corrects_row"
"""The column by which a corrected row names the row of the earlier file that it takes the place of."""


def rows_to_mend(reasons: Mapping[str, int]) -> int:
    """Return how many rows of a report their sender can correct."""
    return sum(count for code, count in reasons.items() if code in MENDABLE)


def needs_correction(*, rows: int, to_mend: int, refused: bool, share_max: Fraction | None) -> bool:
    """Say whether the rule asks for a correction by itself: more than the share of the rows, or the whole file.

    Without a rule (None) nothing is asked for by itself; then a person decides.
    """
    if share_max is None:
        return False
    return refused or to_mend > share_max * rows


def reason_text(code: str, locale: str = "zh") -> str:
    """Return the sentence of a reason; a methodology's own code is returned as it is."""
    known = REASONS.get(code)
    return known.text(locale) if known else code


def neutral_cell(text: str) -> str:
    """Return the text as a CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
