"""What waits for an expert, and how the work is spread: reads over panels, seats and meetings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import SeatState, VersionState
from tanpuhui.science.methodology.models import MeetingVote, PanelSeat, ReviewMeeting
from tanpuhui.science.methodology.queries._experts import fees
from tanpuhui.science.methodology.queries._panels import SITTING, submitted_by


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertTask:
    """One thing that an expert is asked to do: declare, review, vote or sign."""

    kind: str
    panel_id: int
    case: workflow.CaseView
    version_id: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadView:
    """What one expert has open, has done and is owed. `fees_unset` counts the lines for which no rule set a fee."""

    open: int
    reviews: int
    meetings: int
    fen: Fen
    fees_unset: int


def tasks_of_expert(expert_number: int) -> tuple[ExpertTask, ...]:
    """Return what waits for an expert on running cases, the oldest first."""
    seats = PanelSeat.objects.filter(
        expert_id=expert_number,
        state__in=SITTING,
        panel__filing__version__state=VersionState.PROPOSED.value,
    ).select_related("panel__filing")
    found = []
    for seat in seats.order_by("seated_at", "id"):
        case = workflow.case(seat.panel.case_id)
        kind, since = _task(seat)
        if kind and case.closed_at is None:
            found.append(
                ExpertTask(
                    kind=kind,
                    panel_id=seat.panel_id,
                    case=case,
                    version_id=seat.panel.filing.version_id,
                    since=since,
                )
            )
    return tuple(sorted(found, key=lambda task: task.since))


def workload(expert_numbers: Sequence[int]) -> dict[int, WorkloadView]:
    """Return the work of each of these experts."""
    found = {}
    for number in expert_numbers:
        lines = fees(expert_number=number)
        found[number] = WorkloadView(
            open=len(tasks_of_expert(number)),
            reviews=sum(line.kind == "review" for line in lines),
            meetings=sum(line.kind == "meeting" for line in lines),
            fen=Fen.total(line.fen for line in lines if line.fen is not None),
            fees_unset=sum(line.fen is None for line in lines),
        )
    return found


def _task(seat: PanelSeat) -> tuple[str, datetime]:
    version_id = seat.panel.filing.version_id
    if seat.state == SeatState.SEATED:
        return "declare", seat.seated_at
    if seat.expert_id not in submitted_by(seat.panel_id, version_id=version_id):
        return "review", seat.declared_at or seat.seated_at
    meeting = ReviewMeeting.objects.filter(
        panel_id=seat.panel_id, version_id=version_id, signed_at__isnull=True, voided_at__isnull=True
    ).first()
    if meeting is None or seat.expert_id not in meeting.present:
        return "", seat.seated_at
    cast = set(MeetingVote.objects.filter(meeting=meeting).values_list("expert_id", flat=True))
    if seat.expert_id not in cast:
        return "vote", meeting.recorded_at
    if seat.expert_id == meeting.chair_id and len(cast) == len(meeting.present) and meeting.minutes_sha256:
        return "sign", meeting.recorded_at
    return "", seat.seated_at
