"""Records that stop counting after they were posted (记录例外): kinds, reasons, refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import rfc8785

from tanpuhui.foundation.kernel.errors import Refusal


class ExceptionKind(StrEnum):
    """What an exception does to a record: it stops counting, or it counts again."""

    EXCLUDED = "excluded"
    REINSTATED = "reinstated"


SAME_RECORD_OTHER_DAY = "SAME_RECORD_OTHER_DAY"
CLAWED_BACK = "CLAWED_BACK"
APPEAL_UPHELD = "APPEAL_UPHELD"
DISOWNED = "DISOWNED"
CLAW_BACK_RESCINDED = "CLAW_BACK_RESCINDED"
REASONS_OF_EXCEPTIONS = {
    SAME_RECORD_OTHER_DAY: (
        "同一编号的记录在另一天已经计入，这一条按重复冲回。",
        "A record with this id counts on another day, so this one was taken back as a repeat.",
    ),
    CLAWED_BACK: ("经核查不应计入，已冲回。", "Found not to count after a check, and taken back."),
    DISOWNED: (
        "本人说明不是自己的，经核实已冲回。",
        "Its person said that it is not theirs; that was found right, and it was taken back.",
    ),
    CLAW_BACK_RESCINDED: (
        "冲回的决定已撤销，恢复计入。",
        "The decision to take it back was rescinded: it counts again.",
    ),
    APPEAL_UPHELD: ("申诉成立，恢复计入。", "The appeal was upheld: it counts again."),
}
LEDGER_KIND = "record_exception"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordRef:
    """A posted record: its posting, its row, and the record that counts instead (`batch:row`), empty where none does."""

    posting_id: int
    row: int
    because: str = ""


class RecordExcludedAlready(Refusal):
    """The record does not count already."""

    code = "RECORD_EXCLUDED_ALREADY"
    zh = "入账 {posting_id} 的第 {row} 行已经冲回，不能再冲一次。"
    en = "Row {row} of posting {posting_id} was taken back already and cannot be again."


class RecordNotExcluded(Refusal):
    """Only what was taken back can count again."""

    code = "RECORD_NOT_EXCLUDED"
    zh = "入账 {posting_id} 的第 {row} 行没有冲回过，不需要恢复。"
    en = "Row {row} of posting {posting_id} was never taken back, so it need not be reinstated."


class RecalculationRuns(Refusal):
    """While a recalculation of the scenario is decided or posted, what its records give is in motion."""

    code = "RECALCULATION_RUNS"
    zh = "场景 {scenario} 正在重算，完成以后再冲回或恢复记录。"
    en = "The scenario {scenario} is being recalculated. Take records back or reinstate them when it is done."
    retryable = True


def records_sha256(rows: Iterable[tuple[int, int, int, date, int, int]]) -> bytes:
    """Return the one hash over the records of a run (posting, row, account, day, grams, points), in their order."""
    plain = [[*(str(part) for part in row)] for row in sorted(rows)]
    return hashlib.sha256(rfc8785.dumps(plain)).digest()
