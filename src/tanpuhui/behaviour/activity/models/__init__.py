"""Tables of intake: scenarios and what leads to them, batches and postings, recalculations."""

from tanpuhui.behaviour.activity.models.agreements import AgreementEnd, DataAgreement
from tanpuhui.behaviour.activity.models.assessments import ImpactAssessment
from tanpuhui.behaviour.activity.models.claw_backs import ClawBack
from tanpuhui.behaviour.activity.models.erasures import ErasedPayload, TraceErasure
from tanpuhui.behaviour.activity.models.exceptions import ExceptionRun, KeyAudit, RecordException
from tanpuhui.behaviour.activity.models.intake import (
    AllowanceUse,
    Batch,
    KeySegment,
    MendedRow,
    Posting,
    RecordChunk,
    RowOutcome,
)
from tanpuhui.behaviour.activity.models.pushes import PushedRecord
from tanpuhui.behaviour.activity.models.quotas import PartnerCalls
from tanpuhui.behaviour.activity.models.recalculations import (
    RecalculatedSlice,
    Recalculation,
    RecalculationStep,
)
from tanpuhui.behaviour.activity.models.results import ResultPart
from tanpuhui.behaviour.activity.models.scenarios import (
    Feed,
    FieldMappingVersion,
    Sample,
    SampleAcceptance,
    Scenario,
    ScenarioApplication,
    ScenarioApplicationVersion,
    ScenarioStatus,
    StandingChange,
)
from tanpuhui.behaviour.activity.models.settlements import (
    DaySettlement,
    HeldDecision,
    Readmission,
    SetAside,
    WaitingChunk,
    WaitingRows,
)

__all__ = [
    "AgreementEnd",
    "AllowanceUse",
    "Batch",
    "ClawBack",
    "DataAgreement",
    "DaySettlement",
    "ErasedPayload",
    "ExceptionRun",
    "Feed",
    "FieldMappingVersion",
    "HeldDecision",
    "ImpactAssessment",
    "KeyAudit",
    "KeySegment",
    "MendedRow",
    "PartnerCalls",
    "Posting",
    "PushedRecord",
    "Readmission",
    "RecalculatedSlice",
    "Recalculation",
    "RecalculationStep",
    "RecordChunk",
    "RecordException",
    "ResultPart",
    "RowOutcome",
    "Sample",
    "SampleAcceptance",
    "Scenario",
    "ScenarioApplication",
    "ScenarioApplicationVersion",
    "ScenarioStatus",
    "SetAside",
    "StandingChange",
    "TraceErasure",
    "WaitingChunk",
    "WaitingRows",
]
