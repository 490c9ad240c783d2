"""Data-sharing agreements (数据共享协议): states, what they cover day by day, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

PROCESS = "data_agreement"
SUBJECT_TYPE = "data_agreement"
END_PROCESS = "data_agreement_end"
END_SUBJECT = "data_agreement_end"
REQUIRED = "intake.agreement_required"
"""The rule, by scenario: records of a day that no agreement covers are refused. Unset: an agreement is not asked for."""
NO_AGREEMENT = "NO_AGREEMENT"
NUMBER_CHARACTERS_MAX = 60
WORDS_CHARACTERS_MAX = 500


class AgreementState(StrEnum):
    """How an agreement stands: before its days and after them it is `agreed` too."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Days:
    """Days, the first and the last included."""

    first: date
    last: date


def uncovered(covered: Sequence[Days]) -> tuple[Days, ...]:
    """Return the days on which no agreement holds, in order, none overlapping; all days where there is no agreement."""
    gaps: list[Days] = []
    free = date.min
    for one in sorted(covered, key=lambda days: days.first):
        if one.last < one.first or one.last < free:
            continue
        if one.first > free:
            gaps.append(Days(first=free, last=one.first - timedelta(days=1)))
        if one.last == date.max:
            return tuple(gaps)
        free = one.last + timedelta(days=1)
    gaps.append(Days(first=free, last=date.max))
    return tuple(gaps)


class AgreementNumberTaken(Refusal):
    """The number of an agreement names one agreement."""

    code = "AGREEMENT_NUMBER_TAKEN"
    zh = "编号 {number} 已经用于另一份协议。请核对，续签也用新的编号。"
    en = "The number {number} belongs to another agreement. Check it; a renewal has a number of its own."


class AgreementEndOpen(Refusal):
    """One ending at a time."""

    code = "AGREEMENT_END_OPEN"
    zh = "协议 {number} 已有一件提前终止等待复核。"
    en = "An early end of agreement {number} is waiting for the checker already."


class AgreementNotInForce(Refusal):
    """Only what is agreed, and from a day within its days on, can end early."""

    code = "AGREEMENT_NOT_IN_FORCE"
    zh = "协议 {number} 在 {day} 不在有效期内，不能在这一天终止。"
    en = "Agreement {number} does not hold on {day} and cannot end on that day."


class AgreementNotDecided(Refusal):
    """An effect runs only for what its case decided last."""

    code = "AGREEMENT_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，协议没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; the agreement stands as it did."
