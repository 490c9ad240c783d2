"""What taking over the accounts of an existing city programme decides without a database (存量账户迁入)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from tanpuhui.foundation.kernel.actors import area_covers
from tanpuhui.foundation.kernel.errors import Invalid, Refusal

ADMISSION_PROCESS = "programme_admission"
ADMISSION_SUBJECT = "programme_admission"
ADMISSION_JOURNAL = "programme_admission"
"""The kind of the journal that credits an accepted balance: points only, on the day of the acceptance."""
BUDGET_JOURNAL = "programme_admission_budget"
RETURN_JOURNAL = "programme_admission_return"
FUNDING = "points:admission_funding"
"""The system account that stands for whoever pays for admitted points; what was set aside and not taken goes back to it."""

RATE_RULE = "admission.points_rate"
"""How many of our points one point of a programme is worth, by the programme's area (scope); unset, a person states it."""
CLAIM_DAYS_RULE = "admission.claim_days"
"""Days in which a waiting balance can be accepted; unset, it stays open."""

COLUMNS = ("member_id", "phone", "area", "points", "grams", "as_of", "member_since")
REQUIRED = ("member_id", "phone", "area", "points", "as_of")
PLACES_MAX = 2
HUNDREDTHS = 100
DIGITS_MAX = 12
MEMBER_CHARACTERS_MAX = 128
_NUMBER = re.compile(r"^(-?)([0-9]+)(?:\.([0-9]+))?$")
_DAY = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_RATE = re.compile(r"^([0-9]{1,9})(?:/([0-9]{1,9})|\.([0-9]{1,6}))?$")


def budget_account(admission_id: int) -> str:
    """Return the code of the system account that holds what an admission may give out."""
    return f"points:admission:{admission_id}"


class AdmissionState(StrEnum):
    """How an admission stands: received, in its case, open to be accepted, and over."""

    RECEIVED = "received"
    PROPOSED = "proposed"
    OPEN = "open"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class BalanceState(StrEnum):
    """How one row stands. Only received, waiting and claimed ones hold what says whose they are."""

    RECEIVED = "received"
    WAITING = "waiting"
    CLAIMED = "claimed"
    REFUSED = "refused"
    DECLINED = "declined"
    LAPSED = "lapsed"
    DROPPED = "dropped"


class AdmissionNotDecided(Refusal):
    """An effect was called without its case's decision (案件没有这样决定)."""

    code = "ADMISSION_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，迁入没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; the admission stands as it did."


class AdmissionCannotFollow(Refusal):
    """The admission is not where this begins (现在不能这样办)."""

    code = "ADMISSION_CANNOT_FOLLOW"
    zh = "迁入 {admission_id} 现在是“{state}”，不能这样办理。请刷新页面查看。"
    en = "Admission {admission_id} is now {state}; this cannot follow. Reload the page."


class NothingToAdmit(Refusal):
    """No row of the file can be taken over (没有可迁入的行)."""

    code = "NOTHING_TO_ADMIT"
    zh = "文件里没有一行可以迁入。请下载结果，改正后重新送来。"
    en = "No row of the file can be taken over. Download the report, correct the file and send it again."


class AdmissionRateUnset(Refusal):
    """No rule sets the conversion, so a person states it with its source (兑换率未定)."""

    code = "ADMISSION_RATE_UNSET"
    zh = "规则没有写明原积分怎样折算（admission.points_rate 未设）。请写明折算率和依据。"
    en = "No rule says how their points convert (admission.points_rate is unset). State the rate and its source."


class AdmissionRateSet(Refusal):
    """A rule sets the conversion, so nobody states another (兑换率已有规则)."""

    code = "ADMISSION_RATE_SET"
    zh = "规则已经写明折算率 {rate}（依据：{basis}），不能另填。请把折算率和依据留空。"
    en = "A rule sets the rate {rate} ({basis}); no other can be stated. Leave rate and source empty."


class AdmissionBudgetTooSmall(Refusal):
    """The budget does not cover what would be admitted (预算不足)."""

    code = "ADMISSION_BUDGET_TOO_SMALL"
    zh = "折算后共 {points} 积分，超过预算 {budget}。请增加预算，或改正折算率。"
    en = "Converted, that is {points} points, more than the budget of {budget}. Raise the budget or correct the rate."


class NothingToClaim(Refusal):
    """Nothing of this programme waits for this person (没有等待迁入的余额)."""

    code = "NOTHING_TO_CLAIM"
    zh = "没有等您确认的迁入余额：可能已经迁入、已经放弃，或者过了期限。请刷新页面查看。"
    en = "Nothing waits for you: it was taken over or declined before, or its time is over. Reload the page."


VERDICTS: Mapping[str, tuple[str, str]] = {
    "": ("可以迁入", "can be taken over"),
    "ROW_UNREADABLE": (
        "这一行读不出来，请检查引号、编码和列数",
        "the line could not be read; check quotes, encoding and columns",
    ),
    "MEMBER_MISSING": ("没有会员号", "the member id is missing"),
    "MEMBER_TOO_LONG": ("会员号超过 128 个字", "the member id is longer than 128 characters"),
    "MEMBER_REPEATED": (
        "会员号在文件里出现多次，各行都不计入，请合并后重报",
        "the member id stands more than once, so no such row counts; merge them and resend",
    ),
    "PHONE_INVALID": (
        "手机号不是 11 位数字，或不以 13 至 19 开头",
        "the phone is not 11 digits that begin with 13 to 19",
    ),
    "PHONE_REPEATED": (
        "手机号在文件里出现多次，分不清是谁的，各行都不计入",
        "the phone stands more than once, so nobody can say whose it is and no such row counts",
    ),
    "ADMITTED_BEFORE": (
        "这个会员或手机号在本平台以前的文件里已经收到",
        "this member or phone came in an earlier file of the programme",
    ),
    "AREA_UNKNOWN": ("地区代码不存在", "there is no such area code"),
    "AREA_ELSEWHERE": ("地区不在这个平台的城市里", "the area lies outside the programme's city"),
    "POINTS_NOT_A_NUMBER": ("积分不是数字", "the points are no number"),
    "POINTS_NEGATIVE": ("积分是负数", "the points are negative"),
    "POINTS_PLACES": ("积分的小数超过两位", "the points have more than two places"),
    "POINTS_TOO_LARGE": ("积分超过 12 位数", "the points have more than 12 digits"),
    "GRAMS_NOT_WHOLE": ("克数不是非负整数", "the grams are no whole number of zero or more"),
    "DAY_INVALID": ("日期不是有效的年-月-日", "a day is no valid year-month-day"),
    "AS_OF_OTHER": ("截止日期和整份文件的不同", "the as-of day differs from the file's"),
    "SINCE_AFTER_AS_OF": ("入会日期晚于截止日期", "the membership begins after the as-of day"),
}
"""Why a row is taken or not, for the report: sentences of Chinese and English; the empty code is a good row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """One row of a programme's file, judged. Of a refused one only number and verdict go further.

    `hundredths` is their balance in hundredths of their point. `shown_grams` is history that a person may read; it is no
    `Grams`, so that nothing that counts, pools or certifies reductions can take it.
    """

    number: int
    verdict: str
    member_id: str = ""
    phone: str = ""
    area: str = ""
    hundredths: int = 0
    shown_grams: int | None = None
    member_since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What rows of one file are held against: its day, the programme's city, the area codes there are, and how a phone is read."""

    as_of: date
    area: str
    areas: Collection[str]
    normal_phone: Callable[[str], str]


def judge_row(number: int, values: Mapping[str, str], bounds: Bounds) -> MemberRow:
    """Return one row with its verdict, without looking at others."""
    member_id, area = values.get("member_id", ""), values.get("area", "")
    hundredths, verdict = _hundredths(values.get("points", ""))
    grams, since = values.get("grams", ""), _day(values.get("member_since", ""))
    try:
        phone = bounds.normal_phone(values.get("phone", ""))
    except Invalid:
        phone = ""
    tests = (
        ("MEMBER_MISSING", not member_id),
        ("MEMBER_TOO_LONG", len(member_id) > MEMBER_CHARACTERS_MAX),
        ("PHONE_INVALID", not phone),
        ("AREA_UNKNOWN", area not in bounds.areas),
        ("AREA_ELSEWHERE", not area_covers(bounds.area, area)),
        (verdict, bool(verdict)),
        ("GRAMS_NOT_WHOLE", bool(grams) and re.fullmatch(r"[0-9]{1,15}", grams) is None),
        (
            "DAY_INVALID",
            _day(values.get("as_of", "")) is None or (bool(values.get("member_since")) and not since),
        ),
        ("AS_OF_OTHER", _day(values.get("as_of", "")) != bounds.as_of),
        ("SINCE_AFTER_AS_OF", since is not None and since > bounds.as_of),
    )
    fault = next((code for code, holds in tests if holds), "")
    if fault:
        return MemberRow(number=number, verdict=fault)
    return MemberRow(
        number=number,
        verdict="",
        member_id=member_id,
        phone=phone,
        area=area,
        hundredths=hundredths,
        shown_grams=int(grams) if grams else None,
        member_since=since,
    )


def without_repeats(rows: Iterable[MemberRow]) -> list[MemberRow]:
    """Refuse every row whose member or phone stands more than once: which of them is right, nobody can say."""
    found = list(rows)
    good = [row for row in found if not row.verdict]
    members, phones = Counter(row.member_id for row in good), Counter(row.phone for row in good)

    def judged(row: MemberRow) -> MemberRow:
        if not row.verdict and members[row.member_id] > 1:
            return MemberRow(number=row.number, verdict="MEMBER_REPEATED")
        if not row.verdict and phones[row.phone] > 1:
            return MemberRow(number=row.number, verdict="PHONE_REPEATED")
        return row

    return [judged(row) for row in found]


def refused(row: MemberRow, verdict: str) -> MemberRow:
    """Return the row refused for a reason found later, with nothing left of whose it was."""
    return MemberRow(number=row.number, verdict=verdict)


def _hundredths(text: str) -> tuple[int, str]:
    found = _NUMBER.match(text)
    if found is None:
        return 0, "POINTS_NOT_A_NUMBER"
    sign, whole, places = found[1], found[2], (found[3] or "").rstrip("0")
    if sign and (whole.strip("0") or places):
        return 0, "POINTS_NEGATIVE"
    if len(places) > PLACES_MAX:
        return 0, "POINTS_PLACES"
    if len(whole.lstrip("0")) > DIGITS_MAX:
        return 0, "POINTS_TOO_LARGE"
    return int(whole) * HUNDREDTHS + int(places.ljust(PLACES_MAX, "0")), ""


def _day(text: str) -> date | None:
    # Written strictly: fromisoformat also reads weeks and days without hyphens, which no column of ours means.
    if _DAY.match(text[:10]) is None or text[10:] not in {"", "T00:00:00"}:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def read_rate(text: str) -> Fraction:
    """Return a rate written as `1/2`, `3` or `0.25`, exactly; raises Invalid for anything else and for zero."""
    found = _RATE.match(text.strip())
    if found is not None and (found[2] is None or int(found[2])):
        rate = Fraction(text.strip())
        if rate > 0:
            return rate
    raise Invalid(field="rate", why="折算率写成 1/2、3 或 0.25，大于零 / 1/2, 3 or 0.25, above zero")


def converted(hundredths: int, rate: Fraction) -> int:
    """Return our points for a balance in hundredths of theirs: multiplied exactly, then floored to whole points."""
    return hundredths * rate.numerator // (HUNDREDTHS * rate.denominator)


def signed_terms(*, rate: str, rate_source: str, budget: int, payer: str) -> dict[str, str]:
    """Return the terms of an admission in the words in which its case asks for them."""
    return {"rate": rate, "rate_source": rate_source, "budget": str(budget), "payer": payer}
