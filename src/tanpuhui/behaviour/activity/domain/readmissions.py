"""Refusals of letting a record count that was set aside (申诉后计入)."""

from __future__ import annotations

from tanpuhui.foundation.kernel.errors import Refusal


class SetAsideNotFound(Refusal):
    """Only what a settlement set aside can be let count."""

    code = "SET_ASIDE_NOT_FOUND"
    zh = "没有找到这条未计入的记录（第 {row} 行），或它不属于这个账户。请回到减排记录重新打开。"
    en = "There is no such record that was not counted (row {row}), or it is another account's. Open it again from the records."


class RecordErased(Refusal):
    """What is needed to calculate the record was erased at the person's wish."""

    code = "RECORD_ERASED"
    zh = "这条记录（第 {row} 行）的时间、地点已按本人要求删除，不能再核算。"
    en = "Time and place of this record (row {row}) were erased at the person's wish, so it cannot be calculated any more."


class RecordReadmittedAlready(Refusal):
    """A record is let count once."""

    code = "RECORD_READMITTED_ALREADY"
    zh = "这条记录（第 {row} 行）已经因申诉改为计入，不能再来一次。"
    en = "This record (row {row}) was let count after an appeal already."
