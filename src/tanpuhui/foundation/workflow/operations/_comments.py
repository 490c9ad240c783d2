"""Comments on a notice, by anybody under their real name (实名意见、异议), and taking one's own back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents import queries as documents
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import hold_open
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, Refusal
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    CommentAnswered,
    CommenterDecides,
    CommenterUnknown,
    CommentTakenBack,
    NoticeOver,
    NoticeState,
    TooManyComments,
    check_file_count,
    checked_comment,
    checked_file,
    checked_name,
)
from tanpuhui.foundation.workflow.events import NoticeCommented
from tanpuhui.foundation.workflow.models import Case, CommentWithdrawal, NoticeComment
from tanpuhui.foundation.workflow.queries import comment, may_answer, notice

CHARACTERS_MAX = "notice.comment_characters_max"
FILES_MAX = "notice.comment_files_max"
FILE_BYTES_MAX = "notice.comment_file_bytes_max"
FILE_KINDS = "notice.comment_file_kinds"
PER_NOTICE_MAX = "notice.comments_per_person_max"
PER_DAY_MAX = "notice.comments_per_person_day_max"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentLimits:
    """What a comment may carry, and how many one person may make."""

    characters_max: int
    files_max: int
    file_bytes_max: int
    kinds: tuple[str, ...]
    per_notice_max: int
    per_day_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that comes with a comment."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToEnter:
    """A file of a comment, by its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEntered:
    """The comment is with those who act on the case; it is published with its answer."""

    comment_id: int
    notice_id: int
    case_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentWithdrawn:
    """The comment is marked as taken back; it stays on file."""

    comment_id: int
    case_id: int


def comment_limits(at: datetime) -> CommentLimits:
    """Return the limits in force, all parameters of the rulebook. Raises ParameterUnset: no limit is guessed."""
    return CommentLimits(
        characters_max=_limit(CHARACTERS_MAX, at),
        files_max=_limit(FILES_MAX, at),
        file_bytes_max=_limit(FILE_BYTES_MAX, at),
        kinds=tuple(_text(FILE_KINDS, at).split()),
        per_notice_max=_limit(PER_NOTICE_MAX, at),
        per_day_max=_limit(PER_DAY_MAX, at),
    )


def comment_on_notice(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    notice_id: int,
    name: str,
    text: str,
    objection: bool,
    name_public: bool = False,
    organisation_id: int | None = None,
    files: Sequence[NewFile] = (),
) -> CommentEntered:
    """Comment on a running notice, or object to it, under one's real name and with files; see `enter_comment`.

    The bytes are stored first, in a transaction of their own, and only where the comment would be taken, so that a
    refused one leaves none. Raises what `enter_comment` raises, and TooManyFiles, FileKindRefused, FileTooBig.
    """
    limits = comment_limits(at)
    check_file_count(len(files), most=limits.files_max)
    taken = [
        (
            *checked_file(
                name=one.name, content=one.content, kinds=limits.kinds, bytes_max=limits.file_bytes_max
            ),
            one,
        )
        for one in files
    ]
    checked_name(name)
    checked_comment(text, characters_max=limits.characters_max)
    if taken and _refusal(actor=actor, at=at, notice_id=notice_id) is None:
        with transaction.atomic():
            for plain, media_type, one in taken:
                store_document(content=one.content, name=plain, media_type=media_type, at=at)
    return enter_comment(
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
        notice_id=notice_id,
        name=name,
        text=text,
        objection=objection,
        name_public=name_public,
        organisation_id=organisation_id,
        files=tuple(
            FileToEnter(name=plain, sha256=hashlib.sha256(one.content).hexdigest()) for plain, _, one in taken
        ),
    )


@operation(roles=set(), subject="notice:{notice_id}")
def enter_comment(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    notice_id: int,
    name: str,
    text: str,
    objection: bool,
    name_public: bool,
    organisation_id: int | None,
    files: tuple[FileToEnter, ...],
) -> CommentEntered:
    """Enter a comment whose files are stored. It waits for the case's row, so that a notice never closes past it.

    Raises NotFound, NoticeOver, CommenterDecides, CommenterUnknown, TooManyComments, RealNameNeeded, CommentMissing,
    CommentTooLong, AccountClosed, Invalid (an organisation that is not the person's own).
    """
    lock_names(f"workflow:commenter:{actor.kind}:{actor.id}")
    case = Case.objects.select_for_update(of=("self",)).filter(notices=notice_id).first()
    if case is None:
        raise NotFound(what="公示 / notice", id=notice_id)
    refusal = _refusal(actor=actor, at=at, notice_id=notice_id)
    if refusal is not None:
        raise refusal
    if organisation_id is not None and organisation_id not in actor.organisation_ids(*Role):
        raise Invalid(
            field="organisation_id", why="只能代表你所在的机构 / speak for your own organisation only"
        )
    hold_open([int(actor.id)])
    row = NoticeComment.objects.create(
        notice_id=notice_id,
        user_id=int(actor.id),
        organisation_id=organisation_id,
        name=checked_name(name),
        name_public=name_public,
        known_by=_known_by(actor),
        text=checked_comment(text, characters_max=comment_limits(at).characters_max),
        objection=objection,
        documents=[
            {"name": one.name, "sha256": one.sha256, "size": documents.document(one.sha256).size}
            for one in files
        ],
        at=at,
    )
    publish(
        NoticeCommented(
            comment_id=row.pk, notice_id=notice_id, case_id=case.pk, number=case.number, objection=objection
        )
    )
    return CommentEntered(comment_id=row.pk, notice_id=notice_id, case_id=case.pk)


@operation(roles=set(), subject="case:{case_id}")
def withdraw_comment(
    *, actor: Actor, at: datetime, idempotency_key: str | None, comment_id: int
) -> CommentWithdrawn:
    """Take back one's own comment while it has no answer and the notice is open; it stays, marked.

    Raises NotFound (also for another's), CommentAnswered, CommentTakenBack, NoticeOver.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(notices__comments=comment_id).first()
    found = comment(comment_id)
    if case is None or (actor.kind, actor.id) != ("user", str(found.user_id)):
        raise NotFound(what="意见 / comment", id=comment_id)
    if found.withdrawn_at is not None:
        raise CommentTakenBack
    if found.answer is not None:
        raise CommentAnswered(
            who="承办人员 / the office",
            when=found.answer.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
            text="",
        )
    if found.notice_closed:
        raise NoticeOver(last_day=notice(found.notice_id, at=at).last_day.isoformat())
    CommentWithdrawal.objects.create(comment_id=comment_id, at=at)
    return CommentWithdrawn(comment_id=comment_id, case_id=case.pk)


def _refusal(*, actor: Actor, at: datetime, notice_id: int) -> Refusal | None:
    """Return why this person may not comment on the notice now, or None. Raises NotFound."""
    view = notice(notice_id, at=at)
    if view.state != NoticeState.RUNNING:
        return NoticeOver(last_day=view.last_day.isoformat())
    if may_answer(actor, view):
        return CommenterDecides(number=view.number)
    if not _known_by(actor):
        return CommenterUnknown()
    own = NoticeComment.objects.filter(user_id=int(actor.id))
    limits = comment_limits(at)
    midnight = datetime.combine(business_day(at), datetime.min.time(), tzinfo=CHINA)
    today = own.filter(at__gte=midnight, at__lt=midnight + timedelta(days=1))
    if (
        own.filter(notice_id=notice_id).count() >= limits.per_notice_max
        or today.count() >= limits.per_day_max
    ):
        return TooManyComments(per_notice=limits.per_notice_max, per_day=limits.per_day_max)
    return None


def _known_by(actor: Actor) -> str:
    """Return what stands behind the person's name: a verified phone, an organisation of theirs, or nothing."""
    if actor.kind != "user":
        return ""
    if identity.person(int(actor.id)).masked_phone:
        return "phone"
    return "organisation" if actor.organisation_ids(*Role) else ""


def _limit(key: str, at: datetime) -> int:
    return int(_text(key, at))


def _text(key: str, at: datetime) -> str:
    return str(rulebook.require_parameter(key=key, at=at).value)
