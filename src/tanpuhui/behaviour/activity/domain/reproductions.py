"""What a check of stored results finds (复算核对): the same bytes, or what differs and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_WORDS: Mapping[str, tuple[str, str]] = {
    "VERSION_CHANGED": (
        "方法学归档或参数集与备案时的哈希不符，不能复算：{detail}",
        "the methodology's archive or parameter set is not the one that was filed, so nothing can be had again: {detail}",
    ),
    "PARAMETER_SET_CHANGED": (
        "入账时的参数集是 {was}，现在登记的是 {now}",
        "posted with the parameter set {was}, recorded now is {now}",
    ),
    "PAYLOAD_CHANGED": (
        "分块 {bucket} 的字节与入账时的哈希不符",
        "the bytes of chunk {bucket} are not those that were posted",
    ),
    "CHUNKS_CHANGED": (
        "入账承诺的分块与现存分块不符",
        "the chunks are not those that the posting commits to",
    ),
    "INPUTS_CHANGED": ("输入数据与入账时的哈希不符", "what went in is not what the posting commits to"),
    "RESULTS_CHANGED": ("结果与入账时的哈希不符", "what came out is not what the posting commits to"),
    "RESULT_DIFFERS": ("{detail}", "{detail}"),
    "ENTRIES_DIFFER": (
        "账本分录与重算差额不符：{detail}",
        "the ledger's entries are not the differences: {detail}",
    ),
    "ENGINE_CHANGED": (
        "入账时的引擎是第 {was} 版，现在是第 {now} 版；逐字节结果见上",
        "posted by engine {was}, checked by engine {now}; whether the bytes agree stands above",
    ),
    "TRACES_ERASED": (
        "{n} 条记录的轨迹已依法删除，不能复算，结果以入账为准",
        "the traces of {n} records were lawfully erased; they cannot be had again, and stand as posted",
    ),
    "NOT_KEPT": (
        "入账早于保留复算依据，只能比对逐条结果",
        "posted before these hashes were kept, so only the records themselves could be compared",
    ),
}
NOTICES = frozenset({"ENGINE_CHANGED", "TRACES_ERASED", "NOT_KEPT"})
"""What is said, and is no difference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing found, by a stable code with its data."""

    code: str
    data: Mapping[str, object]

    @property
    def differs(self) -> bool:
        """Say whether it is a difference, or only worth saying."""
        return self.code not in NOTICES

    def text(self, locale: str = "zh") -> str:
        """Return it as a sentence."""
        zh, en = _WORDS[self.code]
        return (en if locale.startswith("en") else zh).format_map(dict(self.data))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduction:
    """One posting, or one step of a recalculation, had again: how many records, and what was found."""

    subject: str
    records: int
    findings: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """Say whether everything that could be had again is the same."""
        return not any(finding.differs for finding in self.findings)


def found(code: str, **data: object) -> Finding:
    """Return a finding; the code is one that has words."""
    if code not in _WORDS:
        message = f"no words for {code}"
        raise KeyError(message)
    return Finding(code=code, data=data)
