"""Tables of this room: cases and decisions, what lies in the case beside them, public notice."""

from tanpuhui.foundation.workflow.models.casefile import (
    Attachment,
    CaseAct,
    CaseRelation,
    CaseSubscription,
    DecisionCorrection,
    Remark,
)
from tanpuhui.foundation.workflow.models.cases import Case, CaseParty, CaseSequence, Decision
from tanpuhui.foundation.workflow.models.letters import DecisionLetter, LetterSequence
from tanpuhui.foundation.workflow.models.lists import CaseSearch, SavedFilter
from tanpuhui.foundation.workflow.models.notices import (
    CommentAnswer,
    CommentWithdrawal,
    Notice,
    NoticeComment,
    NoticeExtension,
)

__all__ = [
    "Attachment",
    "Case",
    "CaseAct",
    "CaseParty",
    "CaseRelation",
    "CaseSearch",
    "CaseSequence",
    "CaseSubscription",
    "CommentAnswer",
    "CommentWithdrawal",
    "Decision",
    "DecisionCorrection",
    "DecisionLetter",
    "LetterSequence",
    "Notice",
    "NoticeComment",
    "NoticeExtension",
    "Remark",
    "SavedFilter",
]
