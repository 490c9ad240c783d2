"""What was said to a notice: in full for those who answer it, masked and answered for everybody, one's own for oneself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow.domain import masked_name
from tanpuhui.foundation.workflow.models import NoticeComment
from tanpuhui.foundation.workflow.queries._views import names_of

PUBLISHED_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFile:
    """A file that came with a comment; only those who answer read it. `size` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """The answer to a comment; `who` is the person, shown to colleagues only, `organisation` whom they act for."""

    text: str
    upheld: bool | None
    organisation_id: int | None
    role: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedComment:
    """A comment as everybody reads it: published with its answer, the name masked unless the person chose otherwise."""

    name: str
    organisation_id: int | None
    text: str
    objection: bool
    files: int
    at: datetime
    answer: AnswerView


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentView:
    """A comment in full, for those who answer it and for the person who made it. Never for the public."""

    comment_id: int
    notice_id: int
    case_id: int
    notice_title: str
    user_id: int
    name: str
    name_public: bool
    known_by: str
    masked_phone: str
    organisation_id: int | None
    text: str
    objection: bool
    files: tuple[CommentFile, ...]
    at: datetime
    withdrawn_at: datetime | None
    notice_closed: bool
    answer: AnswerView | None


def comments_of_notice(notice_id: int) -> tuple[CommentView, ...]:
    """Return everything said to a notice, oldest first: for those who answer it only."""
    return _views(notice_id=notice_id)


def comments_of_person(user_id: int) -> tuple[CommentView, ...]:
    """Return what a person said to any notice, the newest first."""
    return tuple(reversed(_views(user_id=user_id)))


def comment(comment_id: int) -> CommentView:
    """Return one comment in full; raises NotFound."""
    found = _views(pk=comment_id)
    if not found:
        raise NotFound(what="意见 / comment", id=comment_id)
    return found[0]


def published_comments(notice_id: int) -> tuple[PublishedComment, ...]:
    """Return the comments of a notice that were answered and not taken back, oldest first, as everybody reads them."""
    return tuple(
        PublishedComment(
            name=view.name if view.name_public else masked_name(view.name),
            organisation_id=view.organisation_id,
            text=view.text,
            objection=view.objection,
            files=len(view.files),
            at=view.at,
            answer=view.answer,
        )
        for view in _views(notice_id=notice_id, answer__isnull=False)[:PUBLISHED_MAX]
        if view.answer is not None and view.withdrawn_at is None
    )


def _views(**wanted: object) -> tuple[CommentView, ...]:
    rows = list(
        NoticeComment.objects.filter(**wanted).select_related("notice", "answer", "withdrawal").order_by("id")
    )
    people = identity.people(sorted({row.user_id for row in rows}))
    answers = {row.pk: getattr(row, "answer", None) for row in rows}
    names = names_of([(one.actor_kind, one.actor_id) for one in answers.values() if one is not None])
    return tuple(
        CommentView(
            comment_id=row.pk,
            notice_id=row.notice_id,
            case_id=row.notice.case_id,
            notice_title=row.notice.title,
            user_id=row.user_id,
            name=row.name,
            name_public=row.name_public,
            known_by=row.known_by,
            masked_phone=people[row.user_id].masked_phone,
            organisation_id=row.organisation_id,
            text=row.text,
            objection=row.objection,
            files=tuple(CommentFile(**document) for document in row.documents),
            at=row.at,
            withdrawn_at=row.withdrawal.at if hasattr(row, "withdrawal") else None,
            notice_closed=row.notice.closed_at is not None,
            answer=None
            if (said := answers[row.pk]) is None
            else AnswerView(
                text=said.text,
                upheld=said.upheld,
                organisation_id=said.organisation_id,
                role=said.role,
                who=names[said.actor_kind, said.actor_id],
                at=said.at,
            ),
        )
        for row in rows
    )
