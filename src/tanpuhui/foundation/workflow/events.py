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
