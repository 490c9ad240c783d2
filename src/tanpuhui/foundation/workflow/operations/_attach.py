"""Attachments and item-level remarks of a case (附件、逐项意见)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import transaction

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents import queries as documents
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.workflow.domain import (
    NotCaseMember,
    RemarkAnswered,
    attachment_type,
    check_attachment_size,
    member_grant,
    takes_part,
)
from tanpuhui.foundation.workflow.models import Attachment, Case, Remark
from tanpuhui.foundation.workflow.operations._acts import running_case
from tanpuhui.foundation.workflow.queries import actor_name, facts_of

NAME_CHARACTERS_MAX = 200
REMARK_CHARACTERS_MAX = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The document is on the case, as this version of its kind and name."""

    case_id: int
    attachment_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked:
    """The remark or answer is on the case."""

    case_id: int
    remark_id: int


def attach_file(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    case_id: int,
    kind: str,
    name: str,
    content: BinaryIO,
    size: int,
) -> Attached:
    """Store a file and put it on a running case. See `attach`.

    The bytes are stored first, in a transaction of their own, so that a file of any size is streamed and hashed once;
    nothing is stored for somebody who may not attach. Raises AttachmentUnsuitable and whatever `attach` refuses.
    """
    case = Case.objects.filter(pk=case_id, closed_at__isnull=True).first()
    if case is None:
        raise NotFound(what="在办案件 / running case", id=case_id)
    _check_member(case, actor)
    media_type = attachment_type(name)
    check_attachment_size(name, size)
    with transaction.atomic():
        stored = store_document(content=content, name=name, media_type=media_type, at=at)
    return attach(
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
        case_id=case_id,
        kind=kind,
        name=name,
        sha256=stored.sha256,
    )


def _check_member(case: Case, actor: Actor) -> None:
    if not takes_part(facts_of(case), actor):
        raise NotCaseMember(number=case.number, act_zh="提交附件", act_en="attach to it")


@operation(roles=set(), subject="case:{case_id}")
def attach(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    case_id: int,
    kind: str,
    name: str,
    sha256: str,
) -> Attached:
    """Put a stored document on a running case; the same kind and name again is its next version, the earlier stay.

    Raises NotFound, NotCaseMember, Invalid.
    """
    case = running_case(case_id)
    _check_member(case, actor)
    if not kind.strip() or not name.strip() or len(name) > NAME_CHARACTERS_MAX:
        raise Invalid(field="name", why="请写明材料种类和名称 / give kind and name of the document")
    document = documents.document(sha256)
    same = Attachment.objects.filter(case=case, kind=kind, name=name).order_by("-version").first()
    if same is not None and same.document_id == sha256:
        return Attached(case_id=case.pk, attachment_id=same.pk, version=same.version)
    grant = member_grant(facts_of(case), actor)
    row = Attachment.objects.create(
        case=case,
        kind=kind,
        name=name,
        version=1 if same is None else same.version + 1,
        document_id=document.sha256,
        step=case.step,
        attached_by=f"{actor.kind}:{actor.id}",
        organisation_id=grant.organisation_id if grant else None,
        at=at,
    )
    return Attached(case_id=case.pk, attachment_id=row.pk, version=row.version)


@operation(roles=set(), subject="case:{case_id}")
def remark(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    case_id: int,
    item: str,
    text: str,
    answers: int | None = None,
    settles: bool = False,
    seen_answer: int | None = None,
) -> Remarked:
    """Write a remark on one item of the subject, or an answer to a remark; `settles` says that the matter is done.

    Only the one who remarked, or a colleague in the same role, settles it; a later answer takes the matter up again.
    `seen_answer` is the last answer that the person had on the screen (0: none). Raises NotFound, NotCaseMember,
    RemarkAnswered, Invalid.
    """
    case = running_case(case_id)
    facts = facts_of(case)
    grant = member_grant(facts, actor)
    if grant is None and not takes_part(facts, actor):
        raise NotCaseMember(number=case.number, act_zh="写意见", act_en="remark on it")
    role = grant.role.value if grant else "opener"
    if not text.strip() or len(text) > REMARK_CHARACTERS_MAX or not item.strip():
        raise Invalid(
            field="text",
            why=f"请写明条目和意见，最多 {REMARK_CHARACTERS_MAX} 字 / name the item and write the remark",
        )
    first = None
    if answers is not None:
        first = Remark.objects.filter(pk=answers, case=case, answers__isnull=True).first()
        if first is None:
            raise NotFound(what="意见 / remark", id=answers)
        _check_unanswered(first, number=case.number, seen_answer=seen_answer, text=text)
        if settles and first.role != role:
            raise NotCaseMember(
                number=case.number, act_zh="了结他人的意见", act_en="settle the remark of another"
            )
    row = Remark.objects.create(
        case=case,
        item=first.item if first else item.strip(),
        text=text.strip(),
        answers=first,
        settles=settles and first is not None,
        step=case.step,
        written_by=f"{actor.kind}:{actor.id}",
        role=role,
        at=at,
    )
    return Remarked(case_id=case.pk, remark_id=row.pk)


def _check_unanswered(remark: Remark, *, number: str, seen_answer: int | None, text: str) -> None:
    """Refuse where somebody answered after the person looked. Raises RemarkAnswered."""
    last = remark.replies.order_by("-id").first()
    if last is None or seen_answer is None or last.pk == seen_answer:
        return
    kind, _, id_ = last.written_by.partition(":")
    raise RemarkAnswered(
        number=number,
        item=remark.item,
        who=actor_name(kind=kind, id=id_),
        when=last.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
        said=last.text,
        text=text,
    )
