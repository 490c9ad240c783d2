"""Reads of cases: inbox, one case, its timeline, what is open to whom, the diagram, the invariants."""

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
from tanpuhui.foundation.workflow.queries._signature import (
    decision_sha256,
)
from tanpuhui.foundation.workflow.queries._views import (
    AvailableOutcome,
    CaseView,
    InboxLine,
    Versions,
    actor_name,
    facts_of,
)

__all__ = [
    "CASES_MAX",
    "INBOX_LINES_MAX",
    "AvailableOutcome",
    "CaseView",
    "DecisionView",
    "DiagramEdge",
    "DiagramState",
    "Guard",
    "InboxLine",
    "ProcessDiagram",
    "TimelineLine",
    "Versions",
    "actor_name",
    "asks_of",
    "available_outcomes",
    "breaches",
    "case",
    "cases",
    "cases_of",
    "check_evidence",
    "check_guard",
    "decision_sha256",
    "facts_of",
    "inbox",
    "install_guards",
    "installed_guards",
    "latest_decision",
    "latest_outcome",
    "process_diagram",
    "timeline",
]
