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
    FeedClosed,
    FileUnusable,
    RecordNotFound,
)
from tanpuhui.behaviour.activity.domain.verdicts import (
    REASONS,
    BatchState,
    ReasonText,
    Verdict,
    neutral_cell,
    reason_text,
)

__all__ = [
    "GENESIS",
    "PERSON_OWNER",
    "REASONS",
    "AdapterUnknown",
    "BatchNotFound",
    "BatchState",
    "FeedClosed",
    "FileUnusable",
    "PostingContent",
    "ReasonText",
    "RecordNotFound",
    "Verdict",
    "chunk_count",
    "neutral_cell",
    "payload_root",
    "points_for",
    "posting_hash",
    "reason_text",
]
