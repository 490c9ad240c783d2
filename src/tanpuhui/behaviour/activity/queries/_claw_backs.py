"""Claw-backs as the desk shows them, and that each that was decided took records back (冲回)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.domain.claw_backs import REASONS_OF_LINES, ClawBackState
from tanpuhui.behaviour.activity.models import ClawBack, ExceptionRun
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Grams, Points


@dataclass(frozen=True, kw_only=True, slots=True)
class ClawBackView:
    """A claw-back: what it took, or, before it is decided, what it would take (losses are negative)."""

    id: int
    scenario: str
    partner_id: int
    ground: str
    state: ClawBackState
    case_id: int
    run_id: int | None
    proposed_at: datetime
    records: int
    people: int
    grams: Grams
    points: Points
    due_grams: Grams
    due_points: Points
    left: tuple[tuple[int, str, str], ...]

    def left_text(self, locale: str = "zh") -> tuple[tuple[int, str, str], ...]:
        """Return number, words and reason in words of each line that named nothing."""
        place = 1 if locale.startswith("en") else 0
        return tuple((line, words, REASONS_OF_LINES[reason][place]) for line, words, reason in self.left)


def claw_back(claw_back_id: int) -> ClawBackView:
    """Return a claw-back. Raises NotFound."""
    row = ClawBack.objects.filter(pk=claw_back_id).first()
    if row is None:
        raise NotFound(what="冲回 / claw-back", id=claw_back_id)
    run = ExceptionRun.objects.filter(pk=row.run_id).first() if row.run_id is not None else None
    came_to = row.preview
    return ClawBackView(
        id=row.pk,
        scenario=row.scenario,
        partner_id=row.partner_id,
        ground=row.ground,
        state=ClawBackState(row.state),
        case_id=row.case_id or 0,
        run_id=row.run_id,
        proposed_at=row.proposed_at,
        records=run.records if run else came_to["records"],
        people=came_to["people"],
        grams=run.grams if run else Grams(came_to["grams"]),
        points=run.points if run else Points(came_to["points"]),
        due_grams=run.due_grams if run else Grams(came_to["due_grams"]),
        due_points=run.due_points if run else Points(came_to["due_points"]),
        left=tuple((line, words, reason) for line, words, reason in row.left),
    )


def claw_back_breaches() -> Iterator[Breach]:
    """Yield each claw-back that is done without a run of its own case."""
    for row in ClawBack.objects.filter(state=ClawBackState.DONE).order_by("id").iterator():
        run = ExceptionRun.objects.filter(pk=row.run_id or 0).first()
        if run is None or run.case_id != row.case_id or run.records > len(row.records):
            yield Breach(
                "activity.claw_backs_are_decided",
                f"claw_back:{row.pk}",
                f"run {row.run_id} is not of its case",
            )
