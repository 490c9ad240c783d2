"""Which decision is open to whom on a case (案件). Pure: rows in, verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from tanpuhui.foundation.kernel.actors import Actor, Grant, Role, area_covers
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow.domain.refusals import (
    AssignedToOther,
    GuardUnproven,
    NotIndependent,
    OpinionMissing,
    OpinionTooLong,
    SamePerson,
    ValueMissing,
    ValueWrong,
)

APPLICANT_ROLES = frozenset({Role.OWNER, Role.PARTNER, Role.MERCHANT, Role.BUYER})
"""Roles that act on a case only for the organisation whose case it is."""

NAMED_ROLES = frozenset({Role.VERIFIER})
"""Roles that act on a case only for the organisation that the case names for them."""

APPEAL_PARAMETER = "workflow.appeal_working_days"
"""Within how many working days after a decision a party may appeal, by scope (process) or for all."""

LETTER_NUMBER_PARAMETER = "documents.number"
"""A jurisdiction's pattern of letter numbers (文号), by scope (kind of letter) or for all; fields: prefix, kind, year, seq."""

LETTER_NUMBER_PATTERN = "{prefix}-{kind}-{year}-{seq:04d}"
"""The platform's own pattern, used where no rule pack sets the parameter."""

RESCIND = "rescind"
"""The outcome of the decision that takes another one back; it is no transition of any process."""

CASE_SUBJECT, DECISION_SUBJECT = "case", "decision"
"""Subject types of this room: a case about another case (an appeal), and one about a decision (its correction)."""

OPINION_CHARACTERS_MAX = 10_000
NUMBER_PATTERN = "{prefix}-{process}-{year}-{seq:06d}"
"""The platform's own pattern of case numbers, used where no rule pack sets `NUMBER_PARAMETER`."""

NUMBER_PARAMETER = "workflow.case_number"
"""A jurisdiction's pattern, by scope (process) or for all; fields: prefix, process, year, seq."""


NOTICE_WORKING_DAYS = "notice_working_days"
"""The value that a decider enters where the rules leave the length of a public notice unset."""

NOTICE_DAYS_MAX = 250
VALUE_CHARACTERS_MAX = 2_000


class AskRow(Protocol):
    """What this room reads of a value that a process asks for."""

    @property
    def name(self) -> str:
        """Its stable name."""

    @property
    def label_zh(self) -> str:
        """What it is called."""

    @property
    def label_en(self) -> str:
        """What it is called in English."""

    @property
    def kind(self) -> str:
        """One of day, number, text."""

    @property
    def required(self) -> bool:
        """Whether the decision waits for it."""


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
    def independent(self) -> bool:
        """Whether it is for somebody who decided nothing in the case that this one is about."""

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
    to_state: str
    on_behalf_of: str = ""
    rescinds: int | None = None

    @property
    def persons(self) -> frozenset[tuple[str, str]]:
        """Return who stands behind it: the one who decided and, if any, the one who delegated."""
        own = {(self.actor_kind, self.actor_id)}
        return frozenset(own | ({("user", self.on_behalf_of)} if self.on_behalf_of else set()))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What the verdict depends on: the case, its parties by role, its decisions in order.

    `decided_original` are the persons who decided in the case that this one is about, where it is about one (an appeal).
    """

    number: str
    state: str
    step: int
    area: str
    opened_by: tuple[str, str]
    organisation_id: int | None
    parties: Mapping[str, int]
    decisions: Sequence[PastDecision]
    opened_at: datetime
    assigned_to: str = ""
    assigned_role: str = ""
    decided_original: frozenset[tuple[str, str]] = frozenset()


def area_prefix(area: str) -> str:
    """Return the leading digits that every area inside this one shares (`kernel.actors.area_covers`, for SQL)."""
    while area.endswith("00"):
        area = area[:-2]
    return area


def acting_grants(*, transition: TransitionRow, case: CaseFacts, actor: Actor) -> tuple[Grant, ...]:
    """Return the grants by which the actor may take the transition, their own before delegated ones.

    Applicants act for the organisation whose case it is, verifiers for the one the case names, citizens on the
    cases they opened themselves. Everybody else acts by role and area. The system takes only the transitions that
    name it: a decision of a person is never made by the worker.
    """
    found = [
        grant
        for grant in actor.grants
        if grant.role == transition.role
        and (
            grant.role == Role.SYSTEM
            or (
                # A person acts on what they opened, wherever it is decided; everybody else inside their area.
                (grant.role == Role.CITIZEN or area_covers(grant.area, case.area))
                and _acts_for_party(grant, case=case, actor=actor)
            )
        )
    ]
    return tuple(sorted(found, key=lambda grant: grant.on_behalf_of != ""))


def acting_grant(*, transition: TransitionRow, case: CaseFacts, actor: Actor) -> Grant | None:
    """Return the first of `acting_grants`, or None."""
    return next(iter(acting_grants(transition=transition, case=case, actor=actor)), None)


def _acts_for_party(grant: Grant, *, case: CaseFacts, actor: Actor) -> bool:
    if grant.role == Role.CITIZEN:
        return (actor.kind, actor.id) == case.opened_by
    if grant.role not in APPLICANT_ROLES | NAMED_ROLES:
        return True
    party = case.parties.get(grant.role.value)
    if party is None and grant.role in APPLICANT_ROLES:
        party = case.organisation_id
    return party is not None and grant.organisation_id == party


STAFF_ROLES = frozenset({Role.MAKER, Role.CHECKER, Role.SUBCENTRE, Role.REGULATOR, Role.EXPERT})
"""Roles that work on the cases of their area, whoever applied."""


DEADLINE_ROLES = (Role.MAKER, Role.CHECKER, Role.SUBCENTRE, Role.REGULATOR)
"""Roles that set a deadline in their area where no rule sets one."""


def member_grant(case: CaseFacts, actor: Actor) -> Grant | None:
    """Return the grant by which the actor takes part in a case: staff of its area, or a party of it."""
    for grant in sorted(actor.grants, key=lambda grant: grant.on_behalf_of != ""):
        if grant.role in STAFF_ROLES and area_covers(grant.area, case.area):
            return grant
        parties = {case.organisation_id, *case.parties.values()} - {None}
        if grant.role in APPLICANT_ROLES | NAMED_ROLES and grant.organisation_id in parties:
            return grant
    return None


def takes_part(case: CaseFacts, actor: Actor) -> bool:
    """Say whether the actor opened the case, is a party of it, works on it, or is the system."""
    return (
        (actor.kind, actor.id) == case.opened_by
        or Role.SYSTEM in actor.roles
        or member_grant(case, actor) is not None
    )


def persons_of(actor: Actor, grant: Grant | None) -> frozenset[tuple[str, str]]:
    """Return who would stand behind a decision: the actor and, if any, the person whose role is delegated."""
    return frozenset(
        {(actor.kind, actor.id)} | ({("user", grant.on_behalf_of)} if grant and grant.on_behalf_of else set())
    )


def two_person_refusal(
    *, transition: TransitionRow, case: CaseFacts, actor: Actor, grant: Grant | None = None
) -> Refusal | None:
    """Return why the two-person rule forbids the transition, or None.

    The latest decision with the named outcome that still stands counts: after a return the work is prepared anew.
    Whoever delegated counts as much as whoever acted, on both sides. An independent transition is closed to everybody
    who decided in the case that this one is about.
    """
    persons = persons_of(actor, grant)
    if transition.independent and persons & case.decided_original:
        return NotIndependent(number=case.number, outcome=transition.outcome)
    first = transition.two_person
    if not first:
        return None
    taken = [decision for decision in standing(case.decisions) if decision.outcome == first]
    if not taken:
        return GuardUnproven(number=case.number, first=first, outcome=transition.outcome)
    if taken[-1].persons & persons:
        return SamePerson(number=case.number, first=first, outcome=transition.outcome)
    return None


def assignment_refusal(
    *, transition: TransitionRow, case: CaseFacts, actor: Actor, grant: Grant
) -> Refusal | None:
    """Return why the step is not the actor's because it is assigned to another person (转办), or None."""
    if not case.assigned_to or transition.role != case.assigned_role or grant.role == Role.SYSTEM:
        return None
    if ("user", case.assigned_to) in persons_of(actor, grant):
        return None
    return AssignedToOther(number=case.number, who=case.assigned_to)


def step_grants(*, transitions: Iterable[TransitionRow], case: CaseFacts, actor: Actor) -> tuple[Grant, ...]:
    """Return the grants by which somebody may take some way out of the present state, people's only.

    The two-person rule counts: a step held for somebody who may not take it would stand still.
    """
    return tuple(
        grant
        for transition in leaving(transitions, case.state)
        for grant in acting_grants(transition=transition, case=case, actor=actor)
        if grant.role != Role.SYSTEM
        and two_person_refusal(transition=transition, case=case, actor=actor, grant=grant) is None
    )


def standing(decisions: Sequence[PastDecision]) -> tuple[PastDecision, ...]:
    """Return the decisions that stand: neither rescinded nor rescissions themselves."""
    gone = {decision.rescinds for decision in decisions if decision.rescinds is not None}
    return tuple(d for d in decisions if d.rescinds is None and d.step not in gone)


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


def letter_number(pattern: str, *, prefix: str, kind: str, year: int, seq: int) -> str:
    """Fill the pattern of letter numbers with its four fields; raises LookupError on another field."""
    return pattern.format(prefix=prefix, kind=kind.replace("_", "-").upper(), year=year, seq=seq)


def checked_values(
    asks: Sequence[AskRow], values: Mapping[str, str], *, number: str, outcome: str
) -> dict[str, str]:
    """Return the values that the process asks for, in their plain form; days as 2027-01-31.

    Raises ValueMissing for every one that is required and empty, ValueWrong for one not of its kind or not asked for.
    """
    known = {ask.name: ask for ask in asks}
    for name, text in values.items():
        if name not in known and text.strip():
            raise ValueWrong(
                label_zh=name,
                label_en=name,
                value=text[:50],
                why_zh="这一步没有要求填写",
                why_en="this step does not ask for it",
            )
    given = {name: values.get(name, "").strip() for name in known}
    missing = [ask for ask in asks if ask.required and not given[ask.name]]
    if missing:
        raise ValueMissing(
            number=number,
            outcome=outcome,
            names=[ask.name for ask in missing],
            labels_zh="、".join(ask.label_zh for ask in missing),
            labels_en=", ".join(ask.label_en for ask in missing),
        )
    for name, text in given.items():
        if text:
            _check_value(known[name], text)
    return {name: text for name, text in given.items() if text}


def _check_value(ask: AskRow, text: str) -> None:
    why = ("", "")
    if ask.kind == "day":
        if not _is_day(text):
            why = ("请写成 2027-01-31 的样子", "a day is written 2027-01-31")
    elif ask.kind == "number" and not (text.isascii() and text.isdigit() and len(text) <= 9):
        why = ("请填写一个整数", "a whole number is expected")
    elif ask.name == NOTICE_WORKING_DAYS and not 1 <= int(text) <= NOTICE_DAYS_MAX:
        why = (
            f"公示期为 1 至 {NOTICE_DAYS_MAX} 个工作日",
            f"a notice lasts 1 to {NOTICE_DAYS_MAX} working days",
        )
    elif len(text) > VALUE_CHARACTERS_MAX:
        why = (f"最多 {VALUE_CHARACTERS_MAX} 个字", f"at most {VALUE_CHARACTERS_MAX} characters")
    if why != ("", ""):
        raise ValueWrong(
            label_zh=ask.label_zh, label_en=ask.label_en, value=text[:50], why_zh=why[0], why_en=why[1]
        )


def _is_day(text: str) -> bool:
    """Say whether a text is a day in the one form that is kept; other ISO forms of the same day are not."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSpan:
    """Days between which a case's clock ran; `until` is None while it runs."""

    since: date
    until: date | None


def clock_spans(
    case: CaseFacts, *, initial: str, stopping: frozenset[str], closed: bool
) -> tuple[ClockSpan, ...]:
    """Return when the clock of a case ran: from its opening, not in states that stop it, to its end.

    Everything comes from the decisions, so that a corrected holiday table changes the count and nothing else.
    """
    moves = [(business_day(case.opened_at), initial)]
    moves += [(business_day(decision.at), decision.to_state) for decision in case.decisions]
    spans: list[ClockSpan] = []
    since: date | None = None
    for day, state in moves:
        if state in stopping and since is not None:
            spans.append(ClockSpan(since=since, until=day))
            since = None
        elif state not in stopping and since is None:
            since = day
    if since is not None:
        spans.append(ClockSpan(since=since, until=moves[-1][0] if closed else None))
    return tuple(spans)
