"""The verbs of intake.

Errors: NotPermitted, NotFound, Invalid, AdapterUnknown, FeedClosed, BatchNotFound, BatchNotSettled, NothingToMend,
NothingResent, CaseAlreadyOpen, IdempotencyConflict, ParameterUnset, Busy.
Of recalculation: NotRecalculable, NothingToRecalculate, RecalculationOpen, PreviewOutdated,
VersionNotFiled, WrongRecalculationState, RecalculationNotDecided, and methodology's VersionBlocked.
"""

from tanpuhui.behaviour.activity.operations._open_scenario import (
    FeedOpened,
    ScenarioOpened,
    open_feed,
    open_scenario,
)
from tanpuhui.behaviour.activity.operations._post_batch import BatchPosted, post_batch
from tanpuhui.behaviour.activity.operations._recalculate import (
    RecalculationPrepared,
    RecalculationPreviewed,
    RecalculationProposed,
    RecalculationSettled,
    StepAdjusted,
    adjust_next_step,
    approve_recalculation,
    prepare_recalculation,
    preview_recalculation,
    propose_recalculation,
    reject_recalculation,
)
from tanpuhui.behaviour.activity.operations._receive_batch import BatchReceived, file_batch, receive_batch
from tanpuhui.behaviour.activity.operations._request_correction import (
    CorrectionRequested,
    ResubmissionFound,
    check_resubmission,
    request_correction,
)

__all__ = [
    "BatchPosted",
    "BatchReceived",
    "CorrectionRequested",
    "FeedOpened",
    "RecalculationPrepared",
    "RecalculationPreviewed",
    "RecalculationProposed",
    "RecalculationSettled",
    "ResubmissionFound",
    "ScenarioOpened",
    "StepAdjusted",
    "adjust_next_step",
    "approve_recalculation",
    "check_resubmission",
    "file_batch",
    "open_feed",
    "open_scenario",
    "post_batch",
    "prepare_recalculation",
    "preview_recalculation",
    "propose_recalculation",
    "receive_batch",
    "reject_recalculation",
    "request_correction",
]
