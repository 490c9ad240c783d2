"""Tell an expert that a panel waits for their declaration (抽中通知)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.messages.operations import tell
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import SeatState
from tanpuhui.science.methodology.models import PanelSeat


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertTold:
    """Whether an expert was told; who has declared or left meanwhile is not."""

    panel_id: int
    told: int


@operation(roles={Role.SYSTEM}, subject="review_panel:{panel_id}")
def tell_called_expert(*, actor: Actor, at: datetime, panel_id: int, expert_number: int) -> ExpertTold:
    """Tell an expert once that they were called and are asked to declare. Raises NotFound, TemplateUnknown."""
    seat = (
        PanelSeat.objects.select_related("panel", "expert")
        .filter(panel_id=panel_id, expert_id=expert_number)
        .first()
    )
    if seat is None:
        raise NotFound(what="席位 / seat", id=expert_number)
    if seat.state != SeatState.SEATED:
        return ExpertTold(panel_id=panel_id, told=0)
    case = workflow.case(seat.panel.case_id)
    told = tell(
        at=at,
        user_ids=[seat.expert.user_id],
        template="review.called",
        data={"panel_id": panel_id, "number": case.number, "title": case.title},
        event=f"panel:{panel_id}:expert:{expert_number}",
    )
    return ExpertTold(panel_id=panel_id, told=len(told.user_ids))
