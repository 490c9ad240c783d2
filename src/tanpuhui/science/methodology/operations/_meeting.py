"""The panel's meeting: recorded by the centre, voted by those present, signed by the chair; the votes give the conclusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import (
    ConclusionDisagrees,
    MeetingNotOpen,
    NotPresent,
    QuorumNotMet,
    SeatState,
    Vote,
    VotesOpen,
    concluded,
    share,
    signed_sha256,
)
from tanpuhui.science.methodology.domain.reviews import TEXT_CHARACTERS_MAX
from tanpuhui.science.methodology.models import MeetingVote, ReviewMeeting, ReviewPanel
from tanpuhui.science.methodology.operations._fees import earn
from tanpuhui.science.methodology.operations._record import attach_record
from tanpuhui.science.methodology.operations._review import seated
from tanpuhui.science.methodology.operations._seats import locked_panel
from tanpuhui.science.methodology.queries import require_reviews_complete

MINUTES_BYTES_MAX = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingRecorded:
    """A meeting as it stands."""

    panel_id: int
    meeting_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCast:
    """A vote is in."""

    panel_id: int
    meeting_id: int
    expert_number: int
    vote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingSigned:
    """The conclusion stands."""

    panel_id: int
    meeting_id: int
    conclusion: str
    signature_sha256: str


@operation(roles={Role.MAKER}, subject="review_meeting:{meeting_id}")
def record_meeting(
    *,
    actor: Actor,
    at: datetime,
    panel_id: int,
    held_at: datetime,
    place: str,
    agenda: str,
    present: Sequence[int],
    chair: int,
    idempotency_key: str,
) -> MeetingRecorded:
    """Record a meeting about the version before the panel, once every opinion on it is in.

    `present` and `chair` are expert numbers of declared seats; too few are no meeting.
    Raises NotFound, NotPermitted, ReviewsOpen, QuorumNotMet, Invalid.
    """
    panel = locked_panel(panel_id)
    actor.require(Role.MAKER, operation="methodology.record_meeting", area=workflow.case(panel.case_id).area)
    require_reviews_complete(panel.case_id)
    declared = set(
        panel.seats_taken.filter(state=SeatState.DECLARED.value).values_list("expert_id", flat=True)
    )
    here = sorted(set(present))
    if not set(here) <= declared or chair not in here:
        raise Invalid(
            field="present", why="到会的须是在席专家，主持人须到会 / seated experts, the chair among them"
        )
    if len(here) < panel.quorum:
        raise QuorumNotMet(present=len(here), quorum=panel.quorum)
    if not place.strip() or not agenda.strip() or held_at > at:
        raise Invalid(
            field="held_at", why="写明地点和议程，时间不晚于现在 / place, agenda, and not in the future"
        )
    if ReviewMeeting.objects.filter(
        panel=panel, version_id=panel.filing.version_id, voided_at__isnull=True
    ).exists():
        raise Invalid(field="meeting", why="本版本的评审会已登记 / the meeting on this version is recorded")
    row = ReviewMeeting.objects.create(
        panel=panel,
        version_id=panel.filing.version_id,
        held_at=held_at,
        place=place.strip(),
        agenda=agenda.strip(),
        present=here,
        chair_id=chair,
        recorded_at=at,
        recorded_by=actor.id,
    )
    return MeetingRecorded(panel_id=panel_id, meeting_id=row.pk)


@operation(roles={Role.EXPERT}, subject="review_meeting:{meeting_id}")
def cast_vote(
    *, actor: Actor, at: datetime, meeting_id: int, vote: str, dissent: str = "", idempotency_key: str
) -> VoteCast:
    """Vote on whether the version is to be recommended; a dissent is kept and published in its own words.

    Raises NotFound, NotPermitted, NotSeated, NotPresent, MeetingNotOpen, Invalid.
    """
    meeting, panel = _open(meeting_id)
    number = seated(actor, panel, what="表决", what_en="vote")
    if vote not in set(Vote):
        raise Invalid(field="vote", why="赞成、反对或弃权 / for, against or abstain")
    if len(dissent) > TEXT_CHARACTERS_MAX:
        raise Invalid(field="dissent", why=f"最多 {TEXT_CHARACTERS_MAX} 个字 / at most so many characters")
    if number not in meeting.present or meeting.votes.filter(expert_id=number).exists():
        raise NotPresent
    MeetingVote.objects.create(
        meeting=meeting, expert_id=number, vote=vote, dissent=dissent.strip(), cast_at=at
    )
    return VoteCast(panel_id=panel.pk, meeting_id=meeting_id, expert_number=number, vote=vote)


@operation(roles={Role.MAKER}, subject="review_meeting:{meeting_id}")
def file_minutes(
    *,
    actor: Actor,
    at: datetime,
    meeting_id: int,
    content: bytes,
    name: str,
    media_type: str,
    idempotency_key: str,
) -> MeetingRecorded:
    """Put the minutes (会议纪要) to an open meeting; another file before the signature takes their place.

    Raises NotFound, NotPermitted, MeetingNotOpen, Invalid.
    """
    meeting, panel = _open(meeting_id)
    actor.require(Role.MAKER, operation="methodology.file_minutes", area=workflow.case(panel.case_id).area)
    if not content or len(content) > MINUTES_BYTES_MAX:
        raise Invalid(
            field="minutes", why=f"1 到 {MINUTES_BYTES_MAX // 1024 // 1024} MB 的文件 / a file of up to 20 MB"
        )
    stored = store_document(content=content, name=name, media_type=media_type, at=at)
    meeting.minutes_sha256 = stored.sha256
    meeting.save(update_fields=["minutes_sha256"])
    return MeetingRecorded(panel_id=panel.pk, meeting_id=meeting_id)


@operation(roles={Role.EXPERT}, subject="review_meeting:{meeting_id}")
def sign_conclusion(
    *, actor: Actor, at: datetime, meeting_id: int, conclusion: str, opinion: str, idempotency_key: str
) -> MeetingSigned:
    """Sign the conclusion from the chair, when all present have voted and the minutes are there.

    It must be the one that the votes give by the panel's shares. Raises NotFound, NotPermitted, NotSeated, NotPresent,
    MeetingNotOpen, VotesOpen, ConclusionDisagrees, Invalid.
    """
    meeting, panel = _open(meeting_id)
    number = seated(actor, panel, what="签署", what_en="sign")
    if number != meeting.chair_id:
        raise NotPresent
    if not opinion.strip():
        raise Invalid(field="opinion", why="请写明评审会意见 / write the meeting's opinion")
    votes = list(meeting.votes.order_by("expert_id"))
    if len(votes) < len(meeting.present) or not meeting.minutes_sha256:
        raise VotesOpen(open=len(meeting.present) - len(votes))
    expected = concluded(
        (Vote(one.vote) for one in votes),
        present=len(meeting.present),
        recommend_share=share(panel.recommend_share, field="recommend_share"),
        reject_share=share(panel.reject_share, field="reject_share"),
    )
    if conclusion != expected:
        raise ConclusionDisagrees(expected=expected.value, given=conclusion)
    meeting.conclusion, meeting.opinion, meeting.signed_at = expected.value, opinion.strip(), at
    meeting.signature_sha256 = signed_sha256(
        {
            "account": actor.id,
            "at": at.isoformat(),
            "case": panel.case_number,
            "archive_sha256": panel.filing.version.archive_sha256,
            "conclusion": expected.value,
            "minutes_sha256": meeting.minutes_sha256,
            "opinion": meeting.opinion,
            "votes": [[one.expert_id, one.vote, one.dissent] for one in votes],
        }
    )
    meeting.save()
    attach_record(panel, meeting=meeting, at=at)
    for expert_number in meeting.present:
        earn(panel=panel, expert_number=expert_number, kind="meeting", subject=str(meeting.pk), at=at)
    return MeetingSigned(
        panel_id=panel.pk,
        meeting_id=meeting.pk,
        conclusion=meeting.conclusion,
        signature_sha256=meeting.signature_sha256,
    )


def _open(meeting_id: int) -> tuple[ReviewMeeting, ReviewPanel]:
    """Return a meeting that is neither signed nor void, locked with its panel. Raises NotFound, MeetingNotOpen."""
    panel_id = ReviewMeeting.objects.filter(pk=meeting_id).values_list("panel_id", flat=True).first()
    if panel_id is None:
        raise NotFound(what="评审会 / meeting", id=meeting_id)
    panel = locked_panel(panel_id)
    meeting = ReviewMeeting.objects.select_for_update().get(pk=meeting_id)
    if meeting.signed_at is not None or meeting.voided_at is not None:
        raise MeetingNotOpen
    return meeting, panel
