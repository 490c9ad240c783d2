"""What this room tells others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertCalled:
    """An expert was called to a seat of a panel, by the draw or in another's place (抽到专家)."""

    panel_id: int
    case_id: int
    expert_number: int
