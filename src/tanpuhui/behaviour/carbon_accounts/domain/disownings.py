"""Disowning (否认记录): a person says that a record on their account is not theirs."""

from __future__ import annotations

from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

DISOWNING_PROCESS = "record_disowning"
DISOWNING_SUBJECT = "record_disowning"


class DisowningState(StrEnum):
    """How a disowning stands (否认状态)."""

    LODGED = "lodged"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


class RecordCountsNot(Refusal):
    """What does not count cannot be disowned."""

    code = "RECORD_COUNTS_NOT"
    zh = "这条记录已经不计入，不用再说明。"
    en = "This record does not count any more, so there is nothing to disown."


class RecordDisownedAlready(Refusal):
    """One statement about a record is dealt with once."""

    code = "RECORD_DISOWNED_ALREADY"
    zh = "这条记录您已经说明过（办件 {number}），进展和结果见“我的申诉”。"
    en = "You have said so of this record already (case {number}); see “My appeals”."


class DisowningNotDecided(Refusal):
    """An effect runs only for what its case decided last."""

    code = "DISOWNING_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; nothing changed."
