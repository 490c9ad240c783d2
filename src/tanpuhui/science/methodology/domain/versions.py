"""States and refusals of methodology versions (方法学版本). Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

SUBJECT_TYPE = "methodology_version"
FILING_SUBJECT = "methodology_filing"
"""What a filing case of the second process is about: the filing, whose version may be replaced by a corrected one."""
PROCESS = "methodology_filing"
FILING_NUMBER_PATTERN = "{prefix}-FA-{year}-{seq:04d}"
"""FA for 方法学 (fāngfǎxué): the numbers under which versions are filed (备案号)."""

NO_PARAMETER_SET = ""


class VersionState(StrEnum):
    """Where a version stands; only a filed one calculates."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    REVIEWED = "reviewed"
    FILED = "filed"
    RETURNED = "returned"
    REJECTED = "rejected"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


STATE_AFTER = {
    "recommend": VersionState.REVIEWED,
    "file": VersionState.FILED,
    "return": VersionState.RETURNED,
    "reject": VersionState.REJECTED,
    "resubmit": VersionState.PROPOSED,
    "conclude": VersionState.REVIEWED,
    "reconvene": VersionState.PROPOSED,
    "withdraw": VersionState.WITHDRAWN,
}
"""The state of the version after each outcome of its filing case."""

_GIVEN_UP = {VersionState.RETURNED, VersionState.REJECTED, VersionState.WITHDRAWN}
MAY_BECOME = {
    VersionState.DRAFT: {VersionState.PROPOSED},
    VersionState.PROPOSED: {VersionState.REVIEWED, *_GIVEN_UP},
    VersionState.REVIEWED: {VersionState.FILED, VersionState.PROPOSED, *_GIVEN_UP},
    VersionState.RETURNED: {
        VersionState.PROPOSED,
        VersionState.REJECTED,
        VersionState.REPLACED,
        VersionState.WITHDRAWN,
    },
    VersionState.FILED: set[VersionState](),
    VersionState.REJECTED: set[VersionState](),
    VersionState.REPLACED: set[VersionState](),
    VersionState.WITHDRAWN: {VersionState.PROPOSED},
}
"""What a version may become; the case's process decides by whom."""


class DraftState(StrEnum):
    """Where a draft (草稿) stands: it is written, it became a proposed version, or its author gave it up."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


DRAFTS_OPEN_MAX = 50
"""Open drafts of one organisation; an author is not trusted with the whole disk."""


class NoFiledMethodology(Refusal):
    """No filed version of the scenario holds on that day, so nothing can be calculated."""

    code = "NO_FILED_METHODOLOGY"
    zh = "场景 {scenario} 在 {day} 没有已备案的方法学版本，不能核算。请先完成备案。"
    en = "The scenario {scenario} has no filed methodology version on {day}, so nothing can be calculated. File one first."


class WrongVersionState(Refusal):
    """The version is not in a state in which this can happen."""

    code = "WRONG_VERSION_STATE"
    zh = "方法学 {code} {version} 现为“{state}”，不能变为“{target}”。"
    en = "Methodology {code} {version} is {state} and cannot become {target}."


class ArchiveChanged(Refusal):
    """The stored bytes no longer have the stored hash."""

    code = "ARCHIVE_CHANGED"
    zh = "方法学版本 {version_id} 的归档或参数集与登记的哈希不符，已停止使用。请立即报告系统管理员。"
    en = "The archive or parameter set of methodology version {version_id} does not have its recorded hash and is not used. Report this at once."


class TestParametersRefused(Refusal):
    """A parameter set whose purpose is `test` never reaches a real province."""

    __test__ = False
    code = "TEST_PARAMETERS_REFUSED"
    zh = "参数集 {parameter_set} 只供测试，本系统不接受。请改用已确定的参数集。"
    en = "The parameter set {parameter_set} is for tests only and is not accepted here. Use one with decided values."


class NotDecided(Refusal):
    """The state of a version follows the decision of its case and nothing else."""

    code = "NOT_DECIDED"
    zh = "案件 {case_id} 没有对方法学 {code} {version} 作出“{outcome}”的决定。请在案件中办理。"
    en = "Case {case_id} has not decided {outcome} on methodology {code} {version}. Decide it in the case."


class DraftChanged(Refusal):
    """Somebody else saved the draft since this page was opened; nothing was overwritten."""

    code = "DRAFT_CHANGED"
    zh = "没有保存：这份草稿在您打开以后已被另存为第 {revision} 稿。您写的内容还在下面，请对照后再保存。"
    en = "Not saved: this draft was saved as revision {revision} after you opened it. What you wrote is still below; compare, then save again."


class DraftNotOpen(Refusal):
    """A draft that was proposed or given up is not written any more."""

    code = "DRAFT_NOT_OPEN"
    zh = "这份草稿已经提出备案或放弃，不能再改。请从它的版本另开一份。"
    en = "This draft was proposed or given up and cannot be changed. Open another one from its version."


class TooManyDrafts(Refusal):
    """An organisation keeps only so many open drafts."""

    code = "TOO_MANY_DRAFTS"
    zh = "本机构已有 {limit} 份没有提出的草稿。请先提出或放弃其中一份。"
    en = "This organisation has {limit} open drafts. Propose one or give one up first."


def holds_from(*, purpose: str, proposed_from: date | None, filing_day: date) -> date:
    """Return the first day of validity: the proposed day, or the day of filing where none was proposed.

    What is filed for operation never reaches back before its filing; a demonstration or a test, labelled as such, may.
    """
    if proposed_from is None:
        return filing_day
    return max(proposed_from, filing_day) if purpose == "operation" else proposed_from


def filing_number(*, prefix: str, year: int, seq: int) -> str:
    """Return the number under which a version is filed."""
    return FILING_NUMBER_PATTERN.format(prefix=prefix, year=year, seq=seq)
