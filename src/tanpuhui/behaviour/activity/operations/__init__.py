"""The verbs of intake.

Errors: NotPermitted, NotFound, Invalid, AdapterUnknown, FeedClosed, BatchNotFound, BatchNotSettled, NothingToMend,
NothingResent, CaseAlreadyOpen, IdempotencyConflict, ParameterUnset, Busy.
Of recalculation: NotRecalculable, NothingToRecalculate, RecalculationOpen, PreviewOutdated,
VersionNotFiled, WrongRecalculationState, RecalculationNotDecided, and methodology's VersionBlocked.
Of scenario applications and the sandbox: ApplicationNotEditable, ApplicationChanged, ApplicationIncomplete,
FeedStands, SandboxClosed, DefinitionIncomplete, SampleTooLarge, SampleOutdated.
"""

from tanpuhui.behaviour.activity.operations._apply import (
    APPLICANTS,
    ApplicationSaved,
    attach_to_application,
    detach_from_application,
    discard_application,
    open_application,
    save_application,
)
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
from tanpuhui.behaviour.activity.operations._sandbox import (
    SampleAccepted,
    SampleErased,
    SamplesErased,
    SampleTried,
    accept_sample,
    erase_due_samples,
    erase_sample,
    try_sample,
)

__all__ = [
    "APPLICANTS",
    "ApplicationSaved",
    "BatchPosted",
    "BatchReceived",
    "CorrectionRequested",
    "FeedOpened",
    "RecalculationPrepared",
    "RecalculationPreviewed",
    "RecalculationProposed",
    "RecalculationSettled",
    "ResubmissionFound",
    "SampleAccepted",
    "SampleErased",
    "SampleTried",
    "SamplesErased",
    "ScenarioOpened",
    "StepAdjusted",
    "accept_sample",
    "adjust_next_step",
    "approve_recalculation",
    "attach_to_application",
    "check_resubmission",
    "detach_from_application",
    "discard_application",
    "erase_due_samples",
    "erase_sample",
    "file_batch",
    "open_application",
    "open_feed",
    "open_scenario",
    "post_batch",
    "prepare_recalculation",
    "preview_recalculation",
    "propose_recalculation",
    "receive_batch",
    "reject_recalculation",
    "request_correction",
    "save_application",
    "try_sample",
]
