"""The verbs of intake.

Errors: NotPermitted, NotFound, Invalid, AdapterUnknown, FeedClosed, BatchNotFound, BatchNotSettled, NothingToMend,
NothingResent, CaseAlreadyOpen, IdempotencyConflict, ParameterUnset, Busy.
"""

from tanpuhui.behaviour.activity.operations._open_scenario import (
    FeedOpened,
    ScenarioOpened,
    open_feed,
    open_scenario,
)
from tanpuhui.behaviour.activity.operations._post_batch import BatchPosted, post_batch
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
    "ResubmissionFound",
    "ScenarioOpened",
    "check_resubmission",
    "file_batch",
    "open_feed",
    "open_scenario",
    "post_batch",
    "receive_batch",
    "request_correction",
]
