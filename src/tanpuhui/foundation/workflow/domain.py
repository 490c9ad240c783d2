"""Which decision is open to whom on a case (案件), and every refusal of this room. Pure: rows in, verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from tanpuhui.foundation.kernel.actors import Actor, Grant, Role, area_covers
from tanpuhui.foundation.kernel.errors import Refusal

APPLICANT_ROLES = frozenset({Role.OWNER, Role.PARTNER, Role.MERCHANT, Role.BUYER})
"""Roles that act on a case only for the organisation whose case it is."""

NAMED_ROLES = frozenset({Role.VERIFIER})
"""Roles that act on a case only for the organisation that the case names for them."""

OPINION_CHARACTERS_MAX = 10_000
NUMBER_PATTERN = "{prefix}-{process}-{year}-{seq:06d}"
"""The platform's own pattern of case numbers, used where no rule pack sets `NUMBER_PARAMETER`."""

NUMBER_PARAMETER = "workflow.case_number"
"""A jurisdiction's pattern, by scope (process) or for all; fields: prefix, process, year, seq."""


class CaseMoved(Refusal):
    """Somebody decided first; the opinion comes back in the data, so that nothing written is lost."""

    code = "CASE_MOVED"
    zh = "案件 {number} 已由 {who} 于 {when} 作出“{outcome}”，现为“{state}”。你的意见没有提交，已为你保留；请看过新情况后再决定。"
    en = (
        "Case {number} was moved by {who} at {when} with the outcome {outcome}; it is now {state}. "
        "Your opinion was not entered and is kept for you; look at what happened, then decide again."
    )


class OutcomeNotOpen(Refusal):
    """The case's pinned process has no such outcome from its present state."""

    code = "OUTCOME_NOT_OPEN"
    zh = "案件 {number} 在“{state}”环节不能作出“{outcome}”。现在可以作出的是：{open}。"
    en = "Case {number} cannot be given the outcome {outcome} while it is {state}. Open now: {open}."


class NotYourDecision(Refusal):
    """The transition belongs to another role, area or organisation."""

    code = "NOT_YOUR_DECISION"
    zh = "案件 {number} 的“{outcome}”由“{role}”作出（辖区 {area}，限本案所列机构）。请转给有权的人员办理。"
    en = (
        "The outcome {outcome} of case {number} is for the role {role} (area {area}, and for the organisation named on the case). "
        "Pass it to somebody who holds that role."
    )


class SamePerson(Refusal):
    """The two-person rule (双人复核): who decided one named step may not decide the other."""

    code = "SAME_PERSON"
    zh = "案件 {number} 的“{outcome}”须由“{first}”以外的另一人作出，而“{first}”正是你作出的。请由同事复核。"
    en = "The outcome {outcome} of case {number} needs another person than the one who decided {first}, which was you. Ask a colleague."


class GuardUnproven(Refusal):
    """The step that the two-person rule compares with was never taken; missing data never passes a guard."""

    code = "GUARD_UNPROVEN"
    zh = "案件 {number} 还没有“{first}”这一步的记录，无法核对双人复核，因此不能作出“{outcome}”。"
    en = "Case {number} has no decision {first} to compare with, so the two-person rule for {outcome} cannot be checked."


class OpinionMissing(Refusal):
    """An opinion is mandatory."""

    code = "OPINION_MISSING"
    zh = "请写明意见。每一项决定都要有意见，并随案保存。"
    en = "Write your opinion. Every decision carries one, and it is kept with the case."


class OpinionTooLong(Refusal):
    """An opinion has an upper length; longer texts are documents."""

    code = "OPINION_TOO_LONG"
    zh = "意见最多 {most} 个字，现在有 {length} 个。请把长文作为附件提交。"
    en = "An opinion has at most {most} characters; this one has {length}. Attach a long text as a document."


class CaseAlreadyOpen(Refusal):
    """One subject has at most one running case of one process."""

    code = "CASE_ALREADY_OPEN"
    zh = "该事项已有在办案件 {number}，不能重复立案。请在该案件中办理。"
    en = "There is already a running case {number} for this subject. Continue in that case."


class PartyAlreadyNamed(Refusal):
    """A party of a case is named once."""

    code = "PARTY_ALREADY_NAMED"
    zh = "案件 {number} 的“{role}”已经指定，不能改为另一机构。"
    en = "The {role} of case {number} is already named and cannot be exchanged for another organisation."


class PartyUnsuitable(Refusal):
    """The organisation may not be this party of this case."""

    code = "PARTY_UNSUITABLE"
    zh = "不能把该机构指定为案件 {number} 的“{role}”：{why_zh}。"
    en = "That organisation cannot be the {role} of case {number}: {why_en}."


class TransitionRow(Protocol):
    """What this room reads of a transition of a process version; `two_person` names an earlier outcome."""

    @property
    def source(self) -> str:
        """The state it leaves."""

    @property
    def target(self) -> str:
        """The state it leads to."""

    @property
    def outcome(self) -> str:
        """The stable code of the decision."""

    @property
    def role(self) -> str:
        """The role that decides."""

    @property
    def two_person(self) -> str | None:
        """The outcome whose decider may not take this one, or None."""

    @property
    def deadline_working_days(self) -> int | None:
        """In how many working days it is due after the source state began, or None."""


T = TypeVar("T", bound=TransitionRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDecision:
    """Who decided what at which step."""

    step: int
    outcome: str
    actor_kind: str
    actor_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What the verdict depends on: the case, its parties by role, its decisions in order."""

    number: str
    state: str
    step: int
    area: str
    opened_by: tuple[str, str]
    organisation_id: int | None
    parties: Mapping[str, int]
    decisions: Sequence[PastDecision]


def area_prefix(area: str) -> str:
    """Return the leading digits that every area inside this one shares (`kernel.actors.area_covers`, for SQL)."""
    while area.endswith("00"):
        area = area[:-2]
    return area


def acting_grant(*, transition: TransitionRow, case: CaseFacts, actor: Actor) -> Grant | None:
    """Return the grant by which the actor may take the transition, or None: role, area and organisation.

    Applicants act for the organisation whose case it is, verifiers for the one the case names, citizens on the
    cases they opened themselves. Everybody else acts by role and area. The system takes only the transitions that
    name it: a decision of a person is never made by the worker.
    """
    for grant in actor.grants:
        if grant.role != transition.role:
            continue
        if grant.role == Role.SYSTEM or (
            area_covers(grant.area, case.area) and _acts_for_party(grant, case=case, actor=actor)
        ):
            return grant
    return None


def _acts_for_party(grant: Grant, *, case: CaseFacts, actor: Actor) -> bool:
    if grant.role == Role.CITIZEN:
        return (actor.kind, actor.id) == case.opened_by
    if grant.role not in APPLICANT_ROLES | NAMED_ROLES:
        return True
    party = case.parties.get(grant.role.value)
    if party is None and grant.role in APPLICANT_ROLES:
        party = case.organisation_id
    return party is not None and grant.organisation_id == party


def two_person_refusal(*, transition: TransitionRow, case: CaseFacts, actor: Actor) -> Refusal | None:
    """Return why the two-person rule forbids the transition, or None.

    The latest decision with the named outcome counts: after a return the work is prepared anew.
    """
    first = transition.two_person
    if not first:
        return None
    taken = [decision for decision in case.decisions if decision.outcome == first]
    if not taken:
        return GuardUnproven(number=case.number, first=first, outcome=transition.outcome)
    if (taken[-1].actor_kind, taken[-1].actor_id) == (actor.kind, actor.id):
        return SamePerson(number=case.number, first=first, outcome=transition.outcome)
    return None


def leaving(transitions: Iterable[T], state: str) -> tuple[T, ...]:
    """Return the transitions that leave a state, in their order."""
    return tuple(transition for transition in transitions if transition.source == state)


def deadline_working_days(transitions: Iterable[TransitionRow], state: str) -> int | None:
    """Return in how many working days a state is to be left: the shortest deadline set on a way out, or None (unset)."""
    days = [
        transition.deadline_working_days
        for transition in leaving(transitions, state)
        if transition.deadline_working_days is not None
    ]
    return min(days, default=None)


def checked_opinion(opinion: str) -> str:
    """Return the opinion without blank edges. Raises OpinionMissing, OpinionTooLong."""
    text = opinion.strip()
    if not text:
        raise OpinionMissing
    if len(text) > OPINION_CHARACTERS_MAX:
        raise OpinionTooLong(most=OPINION_CHARACTERS_MAX, length=len(text))
    return text


def case_number(pattern: str, *, prefix: str, process: str, year: int, seq: int) -> str:
    """Fill the number pattern (data of the jurisdiction) with its four fields; raises LookupError on another field."""
    return pattern.format(prefix=prefix, process=process.replace("_", "-").upper(), year=year, seq=seq)
