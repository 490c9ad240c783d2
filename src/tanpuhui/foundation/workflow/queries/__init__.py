"""Reads of cases: inbox, one case, its timeline, what is open to whom, the diagram, the invariants."""

from tanpuhui.foundation.workflow.domain import NoticeState
from tanpuhui.foundation.workflow.queries._breaches import (
    breaches,
)
from tanpuhui.foundation.workflow.queries._cases import (
    CASES_MAX,
    DecisionView,
    asks_of,
    available_outcomes,
    case,
    cases,
    cases_of,
    latest_decision,
    latest_outcome,
)
from tanpuhui.foundation.workflow.queries._guards import (
    Guard,
    check_evidence,
    check_guard,
    install_guards,
    installed_guards,
)
from tanpuhui.foundation.workflow.queries._history import (
    DiagramEdge,
    DiagramState,
    ProcessDiagram,
    TimelineLine,
    process_diagram,
    timeline,
)
from tanpuhui.foundation.workflow.queries._inbox import (
    INBOX_LINES_MAX,
    inbox,
)
from tanpuhui.foundation.workflow.queries._notice_comments import (
    AnswerView,
    CommentFile,
    CommentView,
    PublishedComment,
    comment,
    comments_of_notice,
    comments_of_person,
    published_comments,
)
from tanpuhui.foundation.workflow.queries._notice_terms import (
    NoticeTerms,
    notice_documents,
    notice_terms,
)
from tanpuhui.foundation.workflow.queries._notices import (
    NOTICES_MAX,
    NoticeDocument,
    NoticeExtensionView,
    NoticePage,
    NoticeView,
    last_day_of,
    may_answer,
    notice,
    notice_processes,
    notices,
    notices_of,
    notices_waiting,
    reckoned_last_day,
)
from tanpuhui.foundation.workflow.queries._signature import (
    decision_sha256,
)
from tanpuhui.foundation.workflow.queries._views import (
    AvailableOutcome,
    CaseView,
    InboxLine,
    actor_name,
    facts_of,
)

__all__ = [
    "CASES_MAX",
    "INBOX_LINES_MAX",
    "NOTICES_MAX",
    "AnswerView",
    "AvailableOutcome",
    "CaseView",
    "CommentFile",
    "CommentView",
    "DecisionView",
    "DiagramEdge",
    "DiagramState",
    "Guard",
    "InboxLine",
    "NoticeDocument",
    "NoticeExtensionView",
    "NoticePage",
    "NoticeState",
    "NoticeTerms",
    "NoticeView",
    "ProcessDiagram",
    "PublishedComment",
    "TimelineLine",
    "actor_name",
    "asks_of",
    "available_outcomes",
    "breaches",
    "case",
    "cases",
    "cases_of",
    "check_evidence",
    "check_guard",
    "comment",
    "comments_of_notice",
    "comments_of_person",
    "decision_sha256",
    "facts_of",
    "inbox",
    "install_guards",
    "installed_guards",
    "last_day_of",
    "latest_decision",
    "latest_outcome",
    "may_answer",
    "notice",
    "notice_documents",
    "notice_processes",
    "notice_terms",
    "notices",
    "notices_of",
    "notices_waiting",
    "process_diagram",
    "published_comments",
    "reckoned_last_day",
    "timeline",
]
