"""Pure decisions of intake (数据接入的纯判断): verdicts and reasons, refusals, the content of a posting."""

from tanpuhui.behaviour.activity.domain.postings import (
    GENESIS,
    PERSON_OWNER,
    PostingContent,
    chunk_count,
    payload_root,
    points_for,
    posting_hash,
)
from tanpuhui.behaviour.activity.domain.refusals import (
    AdapterUnknown,
    BatchNotFound,
    BatchNotSettled,
    FeedClosed,
    FileUnusable,
    NothingResent,
    NothingToMend,
    RecordNotFound,
)
from tanpuhui.behaviour.activity.domain.verdicts import (
    MENDABLE,
    REASONS,
    BatchState,
    ReasonText,
    Verdict,
    needs_correction,
    neutral_cell,
    reason_text,
    rows_to_mend,
)

__all__ = [
    "GENESIS",
    "MENDABLE",
    "PERSON_OWNER",
    "REASONS",
    "AdapterUnknown",
    "BatchNotFound",
    "BatchNotSettled",
    "BatchState",
    "FeedClosed",
    "FileUnusable",
    "NothingResent",
    "NothingToMend",
    "PostingContent",
    "ReasonText",
    "RecordNotFound",
    "Verdict",
    "chunk_count",
    "needs_correction",
    "neutral_cell",
    "payload_root",
    "points_for",
    "posting_hash",
    "reason_text",
    "rows_to_mend",
]
