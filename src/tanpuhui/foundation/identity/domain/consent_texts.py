"""Versions of what people consent to (同意文本): the wording, its hash, and why a consent to it may be refused.

Basis: 个人信息保护法 articles 14 (informed, and again when the purpose changes), 17 (what has to be said), 29 (separately).
"""

from __future__ import annotations

import hashlib
import json
import string
from dataclasses import dataclass
from datetime import date

from tanpuhui.foundation.kernel.errors import Refusal

SCENARIO = "scenario"
"""The purpose of the wording for a scenario; each scenario is agreed to separately, with its name filled in."""

PLACES = {SCENARIO: frozenset({"name", "partners", "fields"})}
"""What may be filled in, by purpose: the scenario's name, who sends its records, which data the methodology reads."""

Sections = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """One version: from which day it is shown, and its sections, each a heading and a paragraph."""

    purpose: str
    version: str
    valid_from: date
    zh: Sections
    en: Sections

    def sha256(self) -> str:
        """Return a hash of everything this version says, which a consent to it is recorded with."""
        said = {
            "en": self.en,
            "purpose": self.purpose,
            "valid_from": self.valid_from.isoformat(),
            "version": self.version,
            "zh": self.zh,
        }
        return hashlib.sha256(
            json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        ).hexdigest()


def places_in(text: str) -> frozenset[str]:
    """Return what a wording leaves to be filled in; raises ValueError for braces that are no such place."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


class ConsentTextMissing(Refusal):
    """No wording is in force, so nobody can know what they would agree to."""

    code = "CONSENT_TEXT_MISSING"
    zh = (
        "用途“{purpose}”在 {day} 没有生效的同意文本，现在不能授权。请运营中心装入辖区资料中的同意文本后再试。"
    )
    en = (
        "No wording to consent to is in force for {purpose} on {day}, so no consent can be given now. "
        "The centre loads it from the jurisdiction's folder; try again then."
    )


class ConsentTextChanged(Refusal):
    """What the person read is not the wording in force."""

    code = "CONSENT_TEXT_CHANGED"
    zh = "同意文本已经更新为 {version} 版，您看到的是 {seen} 版。请重新阅读后再决定。"
    en = "The wording is now version {version}; you read version {seen}. Please read it again, then decide."
