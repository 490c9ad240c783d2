"""Impact assessments of personal data, scenario by scenario (个人信息保护影响评估): states, how long they are kept, refusals.

Basis: 个人信息保护法 articles 55 (when one is due: automated decisions, entrusting or handing over data, sensitive data) and 56 (what it
says, and that report and record are kept for three years at least).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

PROCESS = "impact_assessment"
SUBJECT_TYPE = "impact_assessment"
KEPT_YEARS = 3
WORDS_CHARACTERS_MAX = 2_000


class AssessmentState(StrEnum):
    """How an assessment stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


def kept_until(assessed_on: date) -> date:
    """Return the day up to which an assessment is kept at least (article 56)."""
    try:
        return assessed_on.replace(year=assessed_on.year + KEPT_YEARS)
    except ValueError:  # 29 February
        return assessed_on.replace(year=assessed_on.year + KEPT_YEARS, month=3, day=1)


class AssessmentOpen(Refusal):
    """One assessment of a scenario at a time."""

    code = "ASSESSMENT_OPEN"
    zh = "场景“{scenario}”已有一份影响评估等待复核。请先办完那一份。"
    en = "An impact assessment of the scenario {scenario} is waiting for the checker already. Settle that one first."


class AssessmentNotDecided(Refusal):
    """An effect runs only for what its case decided last."""

    code = "ASSESSMENT_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，评估没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; the assessment stands as it did."
