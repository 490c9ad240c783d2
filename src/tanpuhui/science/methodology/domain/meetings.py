"""The panel's meeting (评审会): quorum, votes, and the conclusion that follows from the votes by the rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction

from tanpuhui.foundation.kernel.errors import Invalid, Refusal
from tanpuhui.science.methodology.domain.reviews import Conclusion


class Vote(StrEnum):
    """A vote on the question whether the version is to be recommended for filing."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


def share(text: str, *, field: str) -> Fraction:
    """Read a share such as 2/3, above 0 and at most 1. Raises Invalid."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value <= 1:
        raise Invalid(field=field, why="写成分数，例如 2/3 / a fraction such as 2/3")
    return value


def concluded(
    votes: Iterable[Vote], *, present: int, recommend_share: Fraction, reject_share: Fraction
) -> Conclusion:
    """Return what the votes say: recommend where the share of those present was reached for it, reject likewise, else return.

    Shares are of the members present, so that an abstention counts for neither. A version that convinced not enough
    members, and was refused by not enough of them, goes back for correction.
    """
    cast = list(votes)
    if cast.count(Vote.FOR) >= recommend_share * present:
        return Conclusion.RECOMMEND
    if cast.count(Vote.AGAINST) >= reject_share * present:
        return Conclusion.REJECT
    return Conclusion.RETURN


class QuorumNotMet(Refusal):
    """A meeting of too few decides nothing."""

    code = "QUORUM_NOT_MET"
    zh = "到会 {present} 名，法定人数 {quorum} 名，会议不能作出结论。"
    en = "{present} were present and {quorum} are needed, so the meeting cannot conclude."


class NotPresent(Refusal):
    """Only who was present votes, once; only the chair signs."""

    code = "NOT_PRESENT"
    zh = "你不在本次会议的到会名单上，或已经投过票，或不是主持人。"
    en = "You are not on this meeting's list of those present, have voted already, or are not in the chair."


class MeetingNotOpen(Refusal):
    """A signed or voided meeting takes no more votes."""

    code = "MEETING_NOT_OPEN"
    zh = "本次会议已签署或已作废，不能再投票或签署。"
    en = "This meeting is signed or void and takes no more votes or signatures."


class VotesOpen(Refusal):
    """The chair signs when everybody present has voted and the minutes are there."""

    code = "VOTES_OPEN"
    zh = "到会专家还有 {open} 名没有投票，或还没有会议纪要，不能签署结论。"
    en = "{open} of those present have not voted, or the minutes are missing, so the conclusion cannot be signed."


class ConclusionDisagrees(Refusal):
    """A conclusion is what the votes say."""

    code = "CONCLUSION_DISAGREES"
    zh = "按表决规则，结论应为“{expected}”，不能签署“{given}”。"
    en = "By the rule the votes give {expected}; {given} cannot be signed."


class ConclusionMissing(Refusal):
    """The committee has not concluded so on the version that is before it."""

    code = "CONCLUSION_MISSING"
    zh = "专家评审会对 {version} 还没有签署“{wanted}”的结论。"
    en = "The experts' meeting has signed no conclusion to {wanted} on {version}."


class ConclusionStands(Refusal):
    """A case goes back to its committee only when the conclusion fell."""

    code = "CONCLUSION_STANDS"
    zh = "评审会的结论仍然有效。只有专家因利害关系被移出、结论失效以后，才重新评审。"
    en = "The meeting's conclusion stands. A case is reviewed again only after an expert was excluded and it became void."
