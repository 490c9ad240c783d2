"""Scored opinions of experts (专家评审意见): criteria, scores, what a submission is signed by. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Invalid, Refusal

TEXT_CHARACTERS_MAX = 10_000


class Conclusion(StrEnum):
    """What an expert recommends, and what a meeting concludes."""

    RECOMMEND = "recommend"
    RETURN = "return"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing that is scored. `weight` None: no rule sets it, so no total is formed."""

    code: str
    label_zh: str
    label_en: str
    question_zh: str
    question_en: str
    basis: str
    confidence: str
    weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewField:
    """A field of expertise (专业领域)."""

    code: str
    label_zh: str
    label_en: str
    basis: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSheet:
    """The sheet of one jurisdiction from a day on: fields, criteria and the highest score; with the hash of its file."""

    version: int
    valid_from: date
    score_max: int
    fields: tuple[ReviewField, ...]
    criteria: tuple[Criterion, ...]
    sha256: str


def check_scores(
    *, scores: Mapping[str, int], texts: Mapping[str, str], criteria: Sequence[Criterion], score_max: int
) -> None:
    """Refuse a submission that leaves a criterion without score or reason, or names another. Raises Invalid."""
    codes = {criterion.code for criterion in criteria}
    for name in sorted(scores.keys() ^ codes):
        raise Invalid(
            field=name, why="每项指标都要评分，也只评这些指标 / every criterion is scored, and no other"
        )
    for criterion in criteria:
        score = scores[criterion.code]
        if type(score) is not int or not 0 <= score <= score_max:
            raise Invalid(field=criterion.label_zh, why=f"评分是 0 到 {score_max} 的整数 / 0 to {score_max}")
        text = texts.get(criterion.code, "").strip()
        if not text or len(text) > TEXT_CHARACTERS_MAX:
            raise Invalid(field=criterion.label_zh, why="请写明评分理由 / give the reason for the score")


def signed_sha256(content: Mapping[str, object]) -> str:
    """Return the hash under which a submission stands: SHA-256 over its text with sorted keys, account and time in it."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class ReviewsOpen(Refusal):
    """Not everybody on the panel has handed in an opinion on the version that is before it."""

    code = "REVIEWS_OPEN"
    zh = "还有 {open} 名专家没有提交对 {version} 的评审意见。"
    en = "{open} experts have not handed in their opinion on {version}."


class ReviewSealed(Refusal):
    """After the meeting was signed, opinions are not changed any more."""

    code = "REVIEW_SEALED"
    zh = "会议结论已经签署，评审意见不能再改。"
    en = "The meeting's conclusion is signed; opinions are not changed any more."
