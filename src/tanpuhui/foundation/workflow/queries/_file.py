"""What lies in a case beside its decisions (案卷): attachments, remarks, acts, corrections, related cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.documents import queries as documents
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    DEADLINE_ROLES,
    DECISION_SUBJECT,
    NothingToAppeal,
    deadline_working_days,
    step_grants,
    takes_part,
)
from tanpuhui.foundation.workflow.models import (
    Attachment,
    CaseAct,
    CaseRelation,
    CaseSubscription,
    DecisionCorrection,
    Remark,
)
from tanpuhui.foundation.workflow.queries._cases import appealable
from tanpuhui.foundation.workflow.queries._views import Versions, case_row, facts_of, names_of, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentView:
    """One version of one document on a case; `size` is in bytes."""

    attachment_id: int
    case_id: int
    kind: str
    name: str
    version: int
    sha256: str
    size: int
    media_type: str
    step: int
    who: str
    organisation_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkAnswer:
    """One answer to a remark."""

    remark_id: int
    text: str
    who: str
    role: str
    settles: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkView:
    """A remark on one item with its answers; it is settled when the last answer says so. `last_answer` is 0 for none."""

    remark_id: int
    item: str
    text: str
    who: str
    role: str
    step: int
    at: datetime
    answers: tuple[RemarkAnswer, ...]
    settled: bool
    last_answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActView:
    """What happened without moving the case: kind assign, urge or deadline, with what was said and entered."""

    act_id: int
    kind: str
    step: int
    who: str
    text: str
    data: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    """A corrected wording of the decision of a step, with the case in which it was corrected."""

    step: int
    version: int
    opinion: str
    reason: str
    amendment_id: int
    amendment_number: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedCase:
    """A case that belongs to this one; `outgoing` says that this one named it."""

    case_id: int
    number: str
    process: str
    title: str
    kind: str
    outgoing: bool
    state_zh: str
    state_en: str
    closed: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRights:
    """What somebody may do with a case beside deciding it; `writes` covers attachments, remarks and urging."""

    writes: bool
    follows: bool
    may_follow: bool
    assigns: bool
    sets_deadline: bool
    appeals: bool
    amends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything in a case beside its decisions, oldest first. `last_assignment` is 0 while the step was never assigned."""

    attachments: tuple[AttachmentView, ...]
    remarks: tuple[RemarkView, ...]
    acts: tuple[ActView, ...]
    corrections: tuple[CorrectionView, ...]
    related: tuple[RelatedCase, ...]
    last_assignment: int


def case_file(case_id: int) -> CaseFile:
    """Return what lies in a case; the number of queries does not grow with it. Raises NotFound."""
    row = case_row(case_id)
    acts = list(CaseAct.objects.filter(case=row).order_by("id"))
    names = names_of([(act.actor_kind, act.actor_id) for act in acts])
    held = [act.pk for act in acts if act.kind == "assign" and act.step == row.step]
    return CaseFile(
        attachments=attachments_of(case_id),
        remarks=_remarks(case_id),
        acts=tuple(
            ActView(
                act_id=act.pk,
                kind=act.kind,
                step=act.step,
                who=names[act.actor_kind, act.actor_id],
                text=act.text,
                data=act.data,
                at=act.at,
            )
            for act in acts
        ),
        corrections=_corrections(case_id),
        related=_related(case_id),
        last_assignment=held[-1] if held else 0,
    )


def attachments_of(case_id: int) -> tuple[AttachmentView, ...]:
    """Return every version of every document on a case, oldest first."""
    rows = Attachment.objects.filter(case_id=case_id).order_by("id")
    return _attachment_views(list(rows))


def attachment(*, case_id: int, attachment_id: int) -> AttachmentView:
    """Return one version of a document of that case. Raises NotFound, also for another case's."""
    row = Attachment.objects.filter(case_id=case_id, pk=attachment_id).first()
    if row is None:
        raise NotFound(what="附件 / attachment", id=attachment_id)
    return _attachment_views([row])[0]


def case_rights(*, actor: Actor, case_id: int) -> CaseRights:
    """Return what the actor may do with a case beside deciding it, by the rules of the operations. Raises NotFound."""
    row = case_row(case_id)
    facts = facts_of(row)
    running = row.closed_at is None
    member = takes_part(facts, actor)
    transitions = rulebook.process_by_id(row.process_version_id).transitions
    return CaseRights(
        writes=running and member,
        follows=actor.kind == "user" and _follows(case_id, int(actor.id)),
        may_follow=actor.kind == "user" and member,
        assigns=running and bool(step_grants(transitions=transitions, case=facts, actor=actor)),
        sets_deadline=running
        and actor.has(*DEADLINE_ROLES, area=row.area)
        and deadline_working_days(transitions, row.state) is None,
        appeals=_may_appeal(actor, case_id),
        amends=bool(facts.decisions)
        and row.subject_type != DECISION_SUBJECT
        and actor.has(*DEADLINE_ROLES, area=row.area),
    )


def _may_appeal(actor: Actor, case_id: int) -> bool:
    try:
        appealable(actor=actor, case_id=case_id)
    except NothingToAppeal:
        return False
    return True


def _follows(case_id: int, user_id: int) -> bool:
    return CaseSubscription.objects.filter(case_id=case_id, user_id=user_id, until__isnull=True).exists()


def _attachment_views(rows: Sequence[Attachment]) -> tuple[AttachmentView, ...]:
    names = names_of([_pair(row.attached_by) for row in rows])
    stored = documents.documents({row.document_id for row in rows})
    found = []
    for row in rows:
        kept = stored[row.document_id]
        found.append(
            AttachmentView(
                attachment_id=row.pk,
                case_id=row.case_id,
                kind=row.kind,
                name=row.name,
                version=row.version,
                sha256=kept.sha256,
                size=kept.size,
                media_type=kept.media_type,
                step=row.step,
                who=names[_pair(row.attached_by)],
                organisation_id=row.organisation_id,
                at=row.at,
            )
        )
    return tuple(found)


def _remarks(case_id: int) -> tuple[RemarkView, ...]:
    rows = list(Remark.objects.filter(case_id=case_id).order_by("id"))
    names = names_of([_pair(row.written_by) for row in rows])
    answers: dict[int, list[RemarkAnswer]] = {}
    for row in rows:
        if row.answers_id is not None:
            answers.setdefault(row.answers_id, []).append(
                RemarkAnswer(
                    remark_id=row.pk,
                    text=row.text,
                    who=names[_pair(row.written_by)],
                    role=row.role,
                    settles=row.settles,
                    at=row.at,
                )
            )
    return tuple(
        RemarkView(
            remark_id=row.pk,
            item=row.item,
            text=row.text,
            who=names[_pair(row.written_by)],
            role=row.role,
            step=row.step,
            at=row.at,
            answers=tuple(said := answers.get(row.pk, [])),
            settled=bool(said) and said[-1].settles,
            last_answer=said[-1].remark_id if said else 0,
        )
        for row in rows
        if row.answers_id is None
    )


def _corrections(case_id: int) -> tuple[CorrectionView, ...]:
    rows = DecisionCorrection.objects.filter(decision__case_id=case_id).select_related(
        "decision", "amendment"
    )
    return tuple(
        CorrectionView(
            step=row.decision.step,
            version=row.version,
            opinion=row.opinion,
            reason=row.reason,
            amendment_id=row.amendment_id,
            amendment_number=row.amendment.number,
            at=row.at,
        )
        for row in rows.order_by("decision__step", "version")
    )


def _related(case_id: int) -> tuple[RelatedCase, ...]:
    versions = Versions()
    rows = CaseRelation.objects.filter(case_id=case_id) | CaseRelation.objects.filter(other_id=case_id)
    found = []
    for row in rows.select_related("case", "other").order_by("id"):
        outgoing = row.case_id == case_id
        view = view_of(row.other if outgoing else row.case, versions=versions)
        found.append(
            RelatedCase(
                case_id=view.case_id,
                number=view.number,
                process=view.process,
                title=view.title,
                kind=row.kind,
                outgoing=outgoing,
                state_zh=view.state_zh,
                state_en=view.state_en,
                closed=view.closed_at is not None,
                at=row.at,
            )
        )
    return tuple(found)


def _pair(who: str) -> tuple[str, str]:
    kind, _, id_ = who.partition(":")
    return kind, id_
