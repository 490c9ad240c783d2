"""The expert pool: a term is proposed by the centre and decided in a case; interests are the expert's own to declare.

Appointment gives power over other people's applications, so it is a case with two persons (process `expert_appointment`).
Ending a term only takes power away and must not wait: it is one named operation with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.kernel.identifiers import is_uscc
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import open_case
from tanpuhui.science.methodology.domain import ExpertNotInTerm, ExpertState, InterestKind, NotDecided
from tanpuhui.science.methodology.domain.experts import EXPERT_PROCESS, EXPERT_SUBJECT
from tanpuhui.science.methodology.models import Expert, ExpertInterest, ExpertTerm
from tanpuhui.science.methodology.queries import expert_of, review_sheet

TEXT_MAX = 200
_AFTER = {
    "appoint": ExpertState.APPOINTED,
    "decline": ExpertState.DECLINED,
    "withdraw": ExpertState.WITHDRAWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertProposed:
    """A term is before the regulator."""

    expert_number: int
    term_id: int
    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertSettled:
    """What a decision, or an ending, made of a term."""

    expert_number: int
    term_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestDeclared:
    """An interest stands, or was withdrawn."""

    expert_number: int
    interest_id: int


@operation(roles={Role.MAKER}, subject="expert:{expert_number}")
def propose_expert(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    organisation_id: int,
    employer_name: str,
    employer_uscc: str,
    title: str,
    fields: Sequence[str],
    term_from: date,
    term_to: date,
    idempotency_key: str,
) -> ExpertProposed:
    """Propose a person for a term of the pool, or for the next one (续聘): opens the case of the appointment.

    The person works as an expert for the organisation (the expert body); employer and code (GB 32100) are what
    recusal compares. Raises NotPermitted, NotFound, Invalid.
    """
    area = rulebook.jurisdiction().area
    actor.require(Role.MAKER, operation="methodology.propose_expert", area=area)
    if not identity.actor_of(user_id=user_id, at=at).has(Role.EXPERT, organisation_id=organisation_id):
        raise Invalid(field="user_id", why="此人在该机构没有专家角色 / no expert of that organisation")
    _check_person(employer_name=employer_name, employer_uscc=employer_uscc, title=title)
    _check_term(fields=fields, term_from=term_from, term_to=term_to, at=at)
    expert, _ = Expert.objects.get_or_create(user_id=user_id, defaults={"entered_at": at})
    overlapping = expert.terms.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gt=term_from),
        state__in=[ExpertState.PROPOSED.value, ExpertState.APPOINTED.value],
        term_from__lte=term_to,
        term_to__gte=term_from,
    ).first()
    if overlapping is not None:
        why = f"与 {overlapping.term_from} 至 {overlapping.term_to} 的聘期重叠 / overlaps another term"
        raise Invalid(field="term_from", why=why)
    term = ExpertTerm.objects.create(
        expert=expert,
        organisation_id=organisation_id,
        employer_name=employer_name.strip(),
        employer_uscc=employer_uscc,
        title=title.strip(),
        fields=sorted(set(fields)),
        term_from=term_from,
        term_to=term_to,
        proposed_at=at,
        proposed_by=actor.id,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=EXPERT_PROCESS,
        subject_type=EXPERT_SUBJECT,
        subject_id=str(term.pk),
        title=f"{identity.person(user_id).display_name} {term_from}–{term_to}",
        area=area,
    )
    term.case_id = opened.case_id
    term.save(update_fields=["case_id"])
    return ExpertProposed(
        expert_number=expert.pk, term_id=term.pk, case_id=opened.case_id, number=opened.number
    )


@operation(roles=set(), subject="expert:{expert_number}")
def appoint_expert(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ExpertSettled:
    """Effect of `appoint`: the term holds (聘任). Raises NotDecided."""
    return _settle(at=at, case_id=case_id, subject_id=subject_id, outcome="appoint")


@operation(roles=set(), subject="expert:{expert_number}")
def decline_expert(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ExpertSettled:
    """Effect of `decline`: the person is not appointed. Raises NotDecided."""
    return _settle(at=at, case_id=case_id, subject_id=subject_id, outcome="decline")


@operation(roles=set(), subject="expert:{expert_number}")
def withdraw_expert(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ExpertSettled:
    """Effect of `withdraw`: the centre takes its proposal back. Raises NotDecided."""
    return _settle(at=at, case_id=case_id, subject_id=subject_id, outcome="withdraw")


@operation(roles={Role.REGULATOR, Role.CHECKER}, subject="expert:{expert_number}")
def end_expert_term(
    *, actor: Actor, at: datetime, term_id: int, reason: str, idempotency_key: str
) -> ExpertSettled:
    """End a term today, for a reason (解聘). Seats that the expert holds already are a matter of their cases.

    Raises NotFound, NotPermitted, Invalid, ExpertNotInTerm.
    """
    actor.require(
        Role.REGULATOR,
        Role.CHECKER,
        operation="methodology.end_expert_term",
        area=rulebook.jurisdiction().area,
    )
    term = ExpertTerm.objects.select_for_update().filter(pk=term_id).first()
    if term is None:
        raise NotFound(what="专家聘期 / expert term", id=term_id)
    day = business_day(at)
    if term.state != ExpertState.APPOINTED or term.ended_on is not None or term.term_to < day:
        raise ExpertNotInTerm(expert=term.expert_id, day=day)
    if not reason.strip():
        raise Invalid(field="reason", why="请写明理由 / give the reason")
    term.ended_on, term.ended_reason = max(day, term.term_from), reason.strip()
    term.save(update_fields=["ended_on", "ended_reason"])
    return ExpertSettled(expert_number=term.expert_id, term_id=term.pk, state="ended")


@operation(roles={Role.EXPERT}, subject="expert:{expert_number}")
def declare_expert_interest(
    *, actor: Actor, at: datetime, kind: str, reference: str, note: str = "", idempotency_key: str
) -> InterestDeclared:
    """Declare an interest of one's own: an organisation (by USCC), a project or a methodology (by code).

    Raises NotPermitted for who is not of the pool, Invalid.
    """
    number = own_number(actor)
    text = reference.strip()
    if kind not in set(InterestKind):
        raise Invalid(field="kind", why="机构、项目或方法学 / organisation, project or methodology")
    if not text or len(text) > TEXT_MAX or (kind == InterestKind.ORGANISATION and not is_uscc(text)):
        raise Invalid(
            field="reference",
            why="机构写统一社会信用代码，项目和方法学写编号 / USCC, or the code of the thing",
        )
    row, _ = ExpertInterest.objects.get_or_create(
        expert_id=number,
        kind=kind,
        reference=text,
        withdrawn_at=None,
        defaults={"note": note.strip(), "declared_at": at},
    )
    return InterestDeclared(expert_number=number, interest_id=row.pk)


@operation(roles={Role.EXPERT}, subject="expert:{expert_number}")
def withdraw_expert_interest(
    *, actor: Actor, at: datetime, interest_id: int, idempotency_key: str
) -> InterestDeclared:
    """Say that a declared interest holds no more; what was declared stays on record. Raises NotFound, NotPermitted."""
    number = own_number(actor)
    row = ExpertInterest.objects.select_for_update().filter(pk=interest_id, expert_id=number).first()
    if row is None:
        raise NotFound(what="利害关系申报 / declared interest", id=interest_id)
    if row.withdrawn_at is None:
        row.withdrawn_at = at
        row.save(update_fields=["withdrawn_at"])
    return InterestDeclared(expert_number=number, interest_id=row.pk)


def own_number(actor: Actor) -> int:
    """Return the number of the expert who acts. Raises NotPermitted."""
    number = expert_of(actor)
    if number is None:
        raise NotPermitted(operation="methodology.expert")
    return number


def _check_person(*, employer_name: str, employer_uscc: str, title: str) -> None:
    for name, text in (("employer_name", employer_name), ("title", title)):
        if not text.strip() or len(text) > TEXT_MAX:
            raise Invalid(field=name, why=f"1 到 {TEXT_MAX} 个字 / 1 to {TEXT_MAX} characters")
    if not is_uscc(employer_uscc):
        raise Invalid(
            field="employer_uscc", why=f"{employer_uscc!r} 不符合 GB 32100 / fails the checks of GB 32100"
        )


def _check_term(*, fields: Sequence[str], term_from: date, term_to: date, at: datetime) -> None:
    known = {one.code for one in review_sheet(at=at).fields}
    if not fields or not set(fields) <= known:
        raise Invalid(field="fields", why="领域须在评审表所列之中 / one or more of the review sheet's fields")
    if not business_day(at) <= term_to or term_to < term_from:
        raise Invalid(field="term_to", why="聘期的末日不早于首日和今天 / not before its first day or today")


def _settle(*, at: datetime, case_id: int, subject_id: str, outcome: str) -> ExpertSettled:
    term = ExpertTerm.objects.select_for_update().filter(pk=int(subject_id)).first()
    if term is None or term.case_id != case_id or workflow.latest_outcome(case_id) != outcome:
        raise NotDecided(case_id=case_id, code="", version="", outcome=outcome)
    term.state, term.settled_at = _AFTER[outcome].value, at
    term.save(update_fields=["state", "settled_at"])
    return ExpertSettled(expert_number=term.expert_id, term_id=term.pk, state=term.state)
