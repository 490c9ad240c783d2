"""Experts of the pool (专家库): the states of a term, the kinds of interest. Pure."""

from __future__ import annotations

from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

EXPERT_SUBJECT = "expert_term"
EXPERT_PROCESS = "expert_appointment"


class ExpertState(StrEnum):
    """Where a term of an expert (聘期) stands. Only an appointed one that has not ended seats anybody."""

    PROPOSED = "proposed"
    APPOINTED = "appointed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class InterestKind(StrEnum):
    """What an expert declares an interest in: an organisation by its code (USCC), a project, a methodology, by theirs."""

    ORGANISATION = "organisation"
    PROJECT = "project"
    METHODOLOGY = "methodology"


class ExpertNotInTerm(Refusal):
    """Nobody is drawn, and nothing is changed, outside a term."""

    code = "EXPERT_NOT_IN_TERM"
    zh = "专家 {expert} 在 {day} 没有有效的聘期。请先办理聘任或续聘。"
    en = "The expert {expert} has no term on {day}. Appoint or renew first."
