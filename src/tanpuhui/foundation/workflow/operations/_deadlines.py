"""By which day a case is to be moved, reckoned in working days (办理期限)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    DEADLINE_ROLES,
    CaseFacts,
    NotCaseMember,
    clock_spans,
    deadline_working_days,
)
from tanpuhui.foundation.workflow.models import Case, CaseAct
from tanpuhui.foundation.workflow.queries import Versions, facts_of

SET_DEADLINE = "deadline"
"""The kind of act by which a person sets a deadline that no rule sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesReckoned:
    """How many running cases got another day, and the last one looked at (0: there was none)."""

    changed: int
    last_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSet:
    """The present step is due by then; the day is None while the holidays are not entered."""

    case_id: int
    deadline_day: date | None


def reckon(
    case: CaseFacts, *, version: rulebook.ProcessVersion, entered_on: date, chosen: int | None, closed: bool
) -> tuple[int | None, date | None]:
    """Return in how many working days a case is to be moved on, and by which day: the nearer of step and whole case.

    The step counts from the day its state began; `chosen` is what a person set where no rule does. The whole case
    counts the days on which its clock ran. Both are None where nothing is set; only the day is None while the
    holidays it depends on are not entered, because no approval waits for a calendar.
    """
    if closed:
        return None, None
    found: list[tuple[int, date | None]] = []
    step = deadline_working_days(version.transitions, case.state)
    if step is None:
        step = chosen
    if step is not None:
        days = step
        found.append((days, _by_calendar(lambda: rulebook.add_working_days(entered_on, days))))
    whole = version.deadline_working_days
    if whole is not None and not version.state(case.state).clock_stops:
        found.append((whole, _by_calendar(lambda: _end_of_clock(case, version=version, whole=whole))))
    return min(found, key=lambda pair: pair[1] or date.max, default=(None, None))


def _by_calendar(count: Callable[[], date]) -> date | None:
    try:
        return count()
    except rulebook.HolidaysUnset:
        return None


def _end_of_clock(case: CaseFacts, *, version: rulebook.ProcessVersion, whole: int) -> date:
    """Return the day on which the working days of the whole case are used up; stops, and the time in which it was closed, do not count."""
    stopping = frozenset(state.code for state in version.states if state.clock_stops or state.final)
    spans = clock_spans(case, initial=version.initial_state, stopping=stopping, closed=False)
    used = sum(
        rulebook.working_days_between(span.since, span.until) for span in spans if span.until is not None
    )
    running = spans[-1].since
    if used >= whole:
        return running
    return rulebook.add_working_days(running, whole - used)


def chosen_days(case: Case) -> int | None:
    """Return what a person set for the present step, if anybody did."""
    act = CaseAct.objects.filter(case=case, kind=SET_DEADLINE, step=case.step).order_by("-id").first()
    return None if act is None else int(act.data["working_days"])


@operation(roles=set(DEADLINE_ROLES), subject="case:{case_id}")
def set_deadline(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    case_id: int,
    working_days: int,
    reason: str,
) -> DeadlineSet:
    """Set a deadline for the present step of a case where no rule sets one, and say why (规则未定，由人决定).

    It counts from the day the step began and ends with it. Raises NotFound, NotCaseMember, Invalid.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id, closed_at__isnull=True).first()
    if case is None:
        raise NotFound(what="在办案件 / running case", id=case_id)
    if not actor.has(*DEADLINE_ROLES, area=case.area):
        raise NotCaseMember(number=case.number, act_zh="设定期限", act_en="set a deadline")
    version = rulebook.process_by_id(case.process_version_id)
    if deadline_working_days(version.transitions, case.state) is not None:
        raise Invalid(
            field="working_days", why="规则已规定这一步的期限 / a rule sets the deadline of this step"
        )
    if not 1 <= working_days <= 250 or not reason.strip():
        raise Invalid(
            field="working_days", why="1 至 250 个工作日，并写明理由 / 1 to 250 working days, and a reason"
        )
    CaseAct.objects.create(
        case=case,
        kind=SET_DEADLINE,
        step=case.step,
        actor_kind=actor.kind,
        actor_id=actor.id,
        text=reason.strip(),
        data={"working_days": working_days},
        at=at,
    )
    _write(case, version=version)
    return DeadlineSet(case_id=case.pk, deadline_day=case.deadline_day)


@operation(roles={Role.SYSTEM}, subject="deadlines:{changed}")
def reckon_deadlines(*, actor: Actor, at: datetime, after_id: int = 0, most: int = 500) -> DeadlinesReckoned:
    """Reckon the deadlines of the next running cases again, after the holiday table has changed."""
    changed = last_id = 0
    versions = Versions()
    rows = Case.objects.filter(pk__gt=after_id, closed_at__isnull=True, deadline_working_days__isnull=False)
    for row in (
        rows.select_for_update(of=("self",)).prefetch_related("parties", "decisions").order_by("id")[:most]
    ):
        before = row.deadline_day
        _write(row, version=versions[row.process_version_id])
        changed += row.deadline_day != before
        last_id = row.pk
    return DeadlinesReckoned(changed=changed, last_id=last_id)


def _write(case: Case, *, version: rulebook.ProcessVersion) -> None:
    case.deadline_working_days, case.deadline_day = reckon(
        facts_of(case),
        version=version,
        entered_on=business_day(case.entered_at),
        chosen=chosen_days(case),
        closed=case.closed_at is not None,
    )
    case.save(update_fields=["deadline_working_days", "deadline_day"])
