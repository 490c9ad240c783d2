"""What those in charge do with a notice: answer what was said to it, and put off its last day (答复、延长)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Grant
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    ANSWERING_ROLES,
    NOTICE_DAYS_MAX,
    OPINION_CHARACTERS_MAX,
    CommentAnswered,
    CommentTakenBack,
    NoticeOver,
    NoticeState,
    NotYourAnswer,
    OwnComment,
    UpheldMissing,
    answering_grant,
    checked_comment,
    persons_of,
)
from tanpuhui.foundation.workflow.events import NoticeCommentAnswered, NoticeExtended
from tanpuhui.foundation.workflow.models import Case, CommentAnswer, NoticeExtension
from tanpuhui.foundation.workflow.queries import NoticeView, comment, notice


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEntered:
    """The answer is public, with the comment."""

    comment_id: int
    case_id: int
    upheld: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """The notice takes comments until this day."""

    notice_id: int
    last_day: date


@operation(roles=ANSWERING_ROLES, subject="case:{case_id}")
def answer_comment(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    comment_id: int,
    text: str,
    upheld: bool | None = None,
) -> AnswerEntered:
    """Answer a comment, which publishes both; of an objection, say whether it is right and why.

    An objection found right keeps the system from moving the case on: people return it, or decide otherwise. The answer
    may also follow after the notice closed. Raises NotFound, NotYourAnswer, OwnComment, CommentTakenBack,
    CommentAnswered (what was written comes back), UpheldMissing, CommentMissing, CommentTooLong, Invalid.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(notices__comments=comment_id).first()
    if case is None:
        raise NotFound(what="意见 / comment", id=comment_id)
    found = comment(comment_id)
    grant = _grant(actor, notice(found.notice_id, at=at))
    if ("user", str(found.user_id)) in persons_of(actor, grant):
        raise OwnComment
    if found.withdrawn_at is not None:
        raise CommentTakenBack
    if found.answer is not None:
        when = found.answer.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
        raise CommentAnswered(who=found.answer.who, when=when, text=text)
    if found.objection and upheld is None:
        raise UpheldMissing
    if not found.objection and upheld is not None:
        raise Invalid(field="upheld", why="只有异议才判断是否成立 / only an objection is upheld or not")
    CommentAnswer.objects.create(
        comment_id=comment_id,
        text=checked_comment(text, characters_max=OPINION_CHARACTERS_MAX),
        upheld=upheld,
        actor_kind=actor.kind,
        actor_id=actor.id,
        role=grant.role.value,
        organisation_id=grant.organisation_id,
        on_behalf_of=grant.on_behalf_of,
        at=at,
    )
    publish(
        NoticeCommentAnswered(
            comment_id=comment_id,
            notice_id=found.notice_id,
            case_id=case.pk,
            number=case.number,
            user_id=found.user_id,
        )
    )
    return AnswerEntered(comment_id=comment_id, case_id=case.pk, upheld=upheld)


@operation(roles=ANSWERING_ROLES, subject="notice:{notice_id}")
def extend_notice(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    notice_id: int,
    working_days: int,
    reason: str,
) -> Extended:
    """Put off the last day of a running notice by some working days, and say why in public.

    The days first announced stay as they were; nothing shortens a notice.
    Raises NotFound, NotYourAnswer, NoticeOver, Invalid, HolidaysUnset.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(notices=notice_id).first()
    if case is None:
        raise NotFound(what="公示 / notice", id=notice_id)
    view = notice(notice_id, at=at)
    _grant(actor, view)
    if view.state != NoticeState.RUNNING:
        raise NoticeOver(last_day=view.last_day.isoformat())
    if not 1 <= working_days <= NOTICE_DAYS_MAX or not reason.strip():
        raise Invalid(
            field="working_days",
            why=f"延长 1 至 {NOTICE_DAYS_MAX} 个工作日，并写明理由 / 1 to {NOTICE_DAYS_MAX} working days, and a reason",
        )
    row = NoticeExtension.objects.create(
        notice_id=notice_id,
        working_days=working_days,
        closes_on=rulebook.add_working_days(view.last_day, working_days),
        reason=reason.strip(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=at,
    )
    publish(NoticeExtended(notice_id=notice_id, case_id=case.pk, number=case.number))
    return Extended(notice_id=notice_id, last_day=row.closes_on)


def _grant(actor: Actor, view: NoticeView) -> Grant:
    grant = answering_grant(actor, roles=view.answering_roles, area=view.area)
    if grant is None:
        roles = " / ".join(sorted(role.value for role in view.answering_roles))
        raise NotYourAnswer(number=view.number, role=roles, area=view.area)
    return grant
