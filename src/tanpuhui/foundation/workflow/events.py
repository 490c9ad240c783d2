"""What this room tells others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecided:
    """A case was moved by a decision (案件已决定)."""

    case_id: int
    number: str
    process: str
    subject_type: str
    subject_id: str
    outcome: str
    state: str
    decision_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStarted:
    """A case was opened (立案)."""

    case_id: int
    number: str
    process: str
    subject_type: str
    subject_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUrged:
    """Somebody waits for a case and said so (催办)."""

    case_id: int
    number: str
    act_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned:
    """The present step of a case is held for one person (转办)."""

    case_id: int
    number: str
    user_id: int
    act_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOpened:
    """A case is before the public (公示开始)."""

    notice_id: int
    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeClosed:
    """The public notice of a case is over and its result is known (公示结束)."""

    notice_id: int
    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeExtended:
    """The last day of a notice was put off (公示延长)."""

    notice_id: int
    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCommented:
    """Somebody commented on a notice, or objected (收到意见)."""

    comment_id: int
    notice_id: int
    case_id: int
    number: str
    objection: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCommentAnswered:
    """A comment was answered, and both are public now (意见已答复)."""

    comment_id: int
    notice_id: int
    case_id: int
    number: str
    user_id: int
