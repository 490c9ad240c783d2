"""Recalculation (重算): prepare and preview, propose, then adjust step by step."""

from tanpuhui.behaviour.activity.operations._recalculate._adjust import StepAdjusted, adjust_next_step
from tanpuhui.behaviour.activity.operations._recalculate._prepare import (
    RecalculationPrepared,
    prepare_recalculation,
)
from tanpuhui.behaviour.activity.operations._recalculate._preview import (
    RecalculationPreviewed,
    preview_recalculation,
)
from tanpuhui.behaviour.activity.operations._recalculate._propose import (
    RecalculationProposed,
    RecalculationSettled,
    approve_recalculation,
    propose_recalculation,
    reject_recalculation,
)

__all__ = [
    "RecalculationPrepared",
    "RecalculationPreviewed",
    "RecalculationProposed",
    "RecalculationSettled",
    "StepAdjusted",
    "adjust_next_step",
    "approve_recalculation",
    "prepare_recalculation",
    "preview_recalculation",
    "propose_recalculation",
    "reject_recalculation",
]
