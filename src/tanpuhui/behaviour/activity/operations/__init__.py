"""The verbs of intake.

Errors: NotPermitted, NotFound, Invalid, AdapterUnknown, FeedClosed, BatchNotFound, BatchNotSettled, NothingToMend,
NothingResent, CaseAlreadyOpen, IdempotencyConflict, ParameterUnset, Busy.
Of recalculation: NotRecalculable, NothingToRecalculate, RecalculationOpen, PreviewOutdated,
VersionNotFiled, WrongRecalculationState, RecalculationNotDecided, and methodology's VersionBlocked.
Of scenario applications and the sandbox: ApplicationNotEditable, ApplicationChanged, ApplicationIncomplete,
FeedStands, ApplicationRuns, MappingInvalid, MappingMissing, MappingNotLive, MappingOwnWork, MappingUnchanged, NotMapped,
ScenarioIsClosed, ScenarioNotDecided, SandboxClosed, DefinitionIncomplete, SampleTooLarge, SampleOutdated.
Of held records: HeldNotFound, HeldDecided. Of quotas: QuotaExceeded. Of appeals: SetAsideNotFound, RecordErased, RecordReadmittedAlready.
Of erased traces: ConsentNotWithdrawn, RecordsStillWait.
Of impact assessments: AssessmentOpen, AssessmentNotDecided.
Of agreements: AgreementNumberTaken, AgreementNotInForce, AgreementEndOpen, AgreementNotDecided.
Of results: Busy (retryable).
Of claw-backs: NothingToTakeBack, TooManyRecords, ClawBackNotDecided.
Of standing: DayPassed, StandingCannotFollow, StandingChangeOpen.
"""

from tanpuhui.behaviour.activity.domain.erasures import ConsentNotWithdrawn, RecordsStillWait
from tanpuhui.behaviour.activity.domain.exceptions import APPEAL_UPHELD, DISOWNED, RecordRef
from tanpuhui.behaviour.activity.domain.readmissions import (
    RecordErased,
    RecordReadmittedAlready,
    SetAsideNotFound,
)
from tanpuhui.behaviour.activity.operations._admit import (
    ApplicationSettled,
    ApplicationSubmitted,
    go_live,
    reject_application,
    restore_application,
    resubmit_application,
    return_application,
    revise_application,
    submit_application,
    withdraw_application,
)
from tanpuhui.behaviour.activity.operations._agree import (
    AgreementProposed,
    AgreementSettled,
    approve_agreement,
    end_agreement,
    keep_agreement,
    propose_agreement,
    propose_agreement_end,
    reject_agreement,
    withdraw_agreement,
)
from tanpuhui.behaviour.activity.operations._apply import (
    APPLICANTS,
    ApplicationSaved,
    attach_to_application,
    detach_from_application,
    discard_application,
    open_application,
    save_application,
)
from tanpuhui.behaviour.activity.operations._assess import (
    AssessmentProposed,
    AssessmentSettled,
    approve_assessment,
    propose_assessment,
    reject_assessment,
    restore_assessment,
    withdraw_assessment,
)
from tanpuhui.behaviour.activity.operations._audit_keys import KeysAudited, audit_record_ids
from tanpuhui.behaviour.activity.operations._claw_back import (
    ClawBackProposed,
    ClawBackSettled,
    approve_claw_back,
    propose_claw_back,
    reject_claw_back,
    restore_claw_back,
    withdraw_claw_back,
)
from tanpuhui.behaviour.activity.operations._decide_held import HeldReviewed, decide_held
from tanpuhui.behaviour.activity.operations._destroy_originals import OriginalsDestroyed, destroy_originals
from tanpuhui.behaviour.activity.operations._erase_person import PersonErased, erase_person, stop_posting
from tanpuhui.behaviour.activity.operations._erase_traces import TracesErased, erase_traces
from tanpuhui.behaviour.activity.operations._except_records import (
    RecordsExcepted,
    exclude_records,
    reinstate_records,
)
from tanpuhui.behaviour.activity.operations._export_records import RecordsExported, export_records
from tanpuhui.behaviour.activity.operations._map_fields import MappingSwitched, save_mapping, switch_mapping
from tanpuhui.behaviour.activity.operations._number_results import ResultsNumbered, number_results
from tanpuhui.behaviour.activity.operations._open_scenario import (
    FeedOpened,
    ScenarioOpened,
    open_feed,
    open_scenario,
)
from tanpuhui.behaviour.activity.operations._post_batch import BatchPosted, post_batch
from tanpuhui.behaviour.activity.operations._push_records import (
    PushReceipt,
    RecordsGathered,
    RecordsReceived,
    gather_pushed,
    keep_records,
    push_records,
)
from tanpuhui.behaviour.activity.operations._quotas import CallsForgotten, count_call, forget_calls
from tanpuhui.behaviour.activity.operations._readmit_record import RecordReadmitted, readmit_record
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
from tanpuhui.behaviour.activity.operations._settle_day import DaySettled, settle_day
from tanpuhui.behaviour.activity.operations._standing import (
    StandingProposed,
    StandingSettled,
    approve_standing,
    propose_standing,
    reject_standing,
    withdraw_standing,
)
from tanpuhui.behaviour.activity.operations._warn_of_quality import QualityWarned, warn_of_quality

__all__ = [
    "APPEAL_UPHELD",
    "APPLICANTS",
    "DISOWNED",
    "AgreementProposed",
    "AgreementSettled",
    "ApplicationSaved",
    "ApplicationSettled",
    "ApplicationSubmitted",
    "AssessmentProposed",
    "AssessmentSettled",
    "BatchPosted",
    "BatchReceived",
    "CallsForgotten",
    "ClawBackProposed",
    "ClawBackSettled",
    "ConsentNotWithdrawn",
    "CorrectionRequested",
    "DaySettled",
    "FeedOpened",
    "HeldReviewed",
    "KeysAudited",
    "MappingSwitched",
    "OriginalsDestroyed",
    "PersonErased",
    "PushReceipt",
    "QualityWarned",
    "RecalculationPrepared",
    "RecalculationPreviewed",
    "RecalculationProposed",
    "RecalculationSettled",
    "RecordErased",
    "RecordReadmitted",
    "RecordReadmittedAlready",
    "RecordRef",
    "RecordsExcepted",
    "RecordsExported",
    "RecordsGathered",
    "RecordsReceived",
    "RecordsStillWait",
    "ResubmissionFound",
    "ResultsNumbered",
    "SampleAccepted",
    "SampleErased",
    "SampleTried",
    "SamplesErased",
    "ScenarioOpened",
    "SetAsideNotFound",
    "StandingProposed",
    "StandingSettled",
    "StepAdjusted",
    "TracesErased",
    "accept_sample",
    "adjust_next_step",
    "approve_agreement",
    "approve_assessment",
    "approve_claw_back",
    "approve_recalculation",
    "approve_standing",
    "attach_to_application",
    "audit_record_ids",
    "check_resubmission",
    "count_call",
    "decide_held",
    "destroy_originals",
    "detach_from_application",
    "discard_application",
    "end_agreement",
    "erase_due_samples",
    "erase_person",
    "erase_sample",
    "erase_traces",
    "exclude_records",
    "export_records",
    "file_batch",
    "forget_calls",
    "gather_pushed",
    "go_live",
    "keep_agreement",
    "keep_records",
    "number_results",
    "open_application",
    "open_feed",
    "open_scenario",
    "post_batch",
    "prepare_recalculation",
    "preview_recalculation",
    "propose_agreement",
    "propose_agreement_end",
    "propose_assessment",
    "propose_claw_back",
    "propose_recalculation",
    "propose_standing",
    "push_records",
    "readmit_record",
    "receive_batch",
    "reinstate_records",
    "reject_agreement",
    "reject_application",
    "reject_assessment",
    "reject_claw_back",
    "reject_recalculation",
    "reject_standing",
    "request_correction",
    "restore_application",
    "restore_assessment",
    "restore_claw_back",
    "resubmit_application",
    "return_application",
    "revise_application",
    "save_application",
    "save_mapping",
    "settle_day",
    "stop_posting",
    "submit_application",
    "switch_mapping",
    "try_sample",
    "warn_of_quality",
    "withdraw_agreement",
    "withdraw_application",
    "withdraw_assessment",
    "withdraw_claw_back",
    "withdraw_standing",
]
