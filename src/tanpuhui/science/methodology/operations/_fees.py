"""What experts earn (评审费): one line per review and per meeting, by the rule of that day, or none where no rule sets it."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology.models import FeeLine, ReviewPanel

FEES = {"review": "methodology.review_fee", "meeting": "methodology.meeting_fee"}
"""Kind of work → the rule parameter that says its fee, in fen."""


def earn(*, panel: ReviewPanel, expert_number: int, kind: str, subject: str, at: datetime) -> None:
    """Write the line of one piece of work, once."""
    rule = rulebook.parameter(key=FEES[kind], at=at)
    FeeLine.objects.get_or_create(
        expert_id=expert_number,
        kind=kind,
        subject=subject,
        defaults={
            "panel": panel,
            "fen": None if rule.value is None else Fen(int(rule.value)),
            "basis": f"{FEES[kind]} [{rule.confidence}] {rule.basis}".strip(),
            "earned_at": at,
        },
    )
