"""Claw-back (冲回): which records were named, how the lines are read, states and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

PROCESS = "record_claw_back"
SUBJECT_TYPE = "claw_back"
RECORDS_MAX = 100_000
"""Records of one case: a checker has to be able to answer for them, and they are taken back in one transaction."""

BAD_LINE = "BAD_LINE"
BAD_DAY = "BAD_DAY"
NAMED_TWICE = "NAMED_TWICE"
NO_SUCH_RECORD = "NO_SUCH_RECORD"
TAKEN_BACK_ALREADY = "TAKEN_BACK_ALREADY"
OTHER_SCENARIO = "OTHER_SCENARIO"
REASONS_OF_LINES = {
    BAD_LINE: ("不是“日期,记录编号”", "Not “day,record id”"),
    BAD_DAY: ("日期不对，应为 2026-11-18 这样", "Not a day such as 2026-11-18"),
    NAMED_TWICE: ("前面已经列过", "Named before"),
    NO_SUCH_RECORD: (
        "没有这条已入账的记录，或者它的轨迹已删除",
        "No such posted record, or its traces are erased",
    ),
    TAKEN_BACK_ALREADY: ("已经冲回", "Taken back already"),
    OTHER_SCENARIO: ("属于别的场景", "Of another scenario"),
}
"""Why a line of a claw-back names nothing that can be taken back."""


class ClawBackState(StrEnum):
    """How a claw-back stands (冲回状态)."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRecord:
    """A line that can be read: its number, and the record's business day and id."""

    line: int
    day: date
    record_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftLine:
    """A line that names nothing to take back, with the reason."""

    line: int
    words: str
    reason: str


class NothingToTakeBack(Refusal):
    """A claw-back needs at least one record that counts."""

    code = "NOTHING_TO_TAKE_BACK"
    zh = "没有可以冲回的记录：{why_zh}。"
    en = "There is nothing to take back: {why_en}."


class TooManyRecords(Refusal):
    """One case takes so many records back and no more."""

    code = "TOO_MANY_RECORDS"
    zh = "一次最多冲回 {most} 条记录，这里有 {found} 条。请分成几件提出。"
    en = "One case takes back {most} records at most; these are {found}. Propose several cases."


class ClawBackNotDecided(Refusal):
    """An effect runs only for what its case decided last."""

    code = "CLAW_BACK_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，冲回没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; the claw-back stands as it did."


def read_lines(words: str) -> tuple[list[NamedRecord], list[LeftLine]]:
    """Return the records that the lines `day,record id` name, and the lines that cannot be read; empty lines say nothing."""
    named: list[NamedRecord] = []
    left: list[LeftLine] = []
    seen: set[tuple[date, str]] = set()
    for number, line in enumerate(words.splitlines(), start=1):
        plain = line.strip()
        if not plain:
            continue
        first, mark, rest = plain.replace("，", ",").replace("\t", ",").partition(",")
        record_id = rest.strip()
        if not mark or not record_id:
            left.append(LeftLine(line=number, words=plain, reason=BAD_LINE))
            continue
        try:
            day = date.fromisoformat(first.strip())
        except ValueError:
            left.append(LeftLine(line=number, words=plain, reason=BAD_DAY))
            continue
        if (day, record_id) in seen:
            left.append(LeftLine(line=number, words=plain, reason=NAMED_TWICE))
            continue
        seen.add((day, record_id))
        named.append(NamedRecord(line=number, day=day, record_id=record_id))
    return named, left
