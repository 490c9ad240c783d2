"""A case as a path (办件的经过): its head with the steps, its timeline, its parties."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook.queries import ProcessVersion, days_left, process_by_id
from tanpuhui.foundation.workflow.queries import AvailableOutcome, CaseView, TimelineLine
from tanpuhui.interfaces.design.parts import CaseHeader, Fact, Step, TimelineEntry
from tanpuhui.interfaces.workbench.words import acting_for, place_names, role_name, worded

STEPPED_BACK = frozenset({"returned", "rejected", "objected", "contested"})


def tone_of(view: CaseView) -> str:
    """Return the tone of a case's state: waiting, done, or turned back."""
    if view.state in STEPPED_BACK:
        return "bad"
    return "ok" if view.closed_at else "wait"


def header(view: CaseView, lines: Sequence[TimelineLine], outcomes: Sequence[AvailableOutcome]) -> CaseHeader:
    """Return the head of a case; at the right the next action with its time, or who has it."""
    version, due = process_by_id(view.process_version_id), view.deadline_day
    return CaseHeader(
        number=view.number,
        title=view.title,
        state=tone_of(view),
        state_text=worded(view.state_zh, view.state_en),
        steps=steps(view, lines, version),
        about=(
            worded(version.label_zh, version.label_en),
            _name(view.organisation_id) or gettext("运营中心"),
            place_names().get(view.area, view.area),
        ),
        next_action=_next_action(view, version, outcomes),
        started=business_day(view.entered_at),
        due=due,
        days_total=view.deadline_working_days,
        days_left=None if due is None else days_left([due], today=business_day(timezone.now()))[due],
    )


def steps(view: CaseView, lines: Sequence[TimelineLine], version: ProcessVersion) -> list[Step]:
    """Return the states that the case has gone through, stands in, and comes to if all goes well."""
    labels = {state.code: worded(state.label_zh, state.label_en) for state in version.states}
    ahead = _ahead(view.state, version)
    reached = {line.to_state: line for line in lines}
    past = [code for code in reached if code != view.state and code not in ahead]
    path = [Step(labels.get(code, code), _day(reached[code]), "done") for code in past]
    now_state = "done" if view.closed_at else "now"
    now_note = gettext("办结") if view.closed_at else gettext("进行中")
    path.append(Step(labels.get(view.state, view.state), now_note, now_state))
    path.extend(Step(labels.get(code, code), _time_for(code, version)) for code in ahead)
    return path


def entries(lines: Sequence[TimelineLine]) -> list[TimelineEntry]:
    """Return what was decided, the newest first, each with its opinion in full."""
    return [
        TimelineEntry(
            title=worded(line.label_zh, line.label_en),
            at=line.at,
            who=_signature(line),
            opinion=line.opinion,
            tone="" if line.step == 0 else "bad" if line.to_state in STEPPED_BACK else "ok",
        )
        for line in reversed(lines)
    ]


def label_of(outcome: AvailableOutcome) -> str:
    """Return what a decision is called, and for whom it would be taken where the role is delegated."""
    label = worded(outcome.label_zh, outcome.label_en)
    return label + acting_for(outcome.on_behalf_of)


def parties(view: CaseView) -> list[Fact]:
    """Return who has a part in the case."""
    facts = []
    if view.organisation_id is not None:
        facts.append(Fact(_part_of(view.organisation_id), _name(view.organisation_id)))
    facts.extend(
        Fact(role_name(role), _name(organisation_id))
        for role, organisation_id in sorted(view.parties.items())
    )
    facts.append(Fact(gettext("立案"), f"{business_day(view.opened_at):%Y-%m-%d}"))
    return facts


def _ahead(state: str, version: ProcessVersion) -> list[str]:
    """Follow the first way out of each state: the order of the process's own rows puts the way forward first."""
    path: list[str] = []
    while True:
        target = next((t.target for t in version.transitions if t.source == state), None)
        if target is None or target in path:
            return path
        path.append(target)
        state = target


def _next_action(view: CaseView, version: ProcessVersion, outcomes: Sequence[AvailableOutcome]) -> str:
    if view.closed_at:
        return ""
    if outcomes:
        return worded(outcomes[0].label_zh, outcomes[0].label_en)
    waiting = next((t for t in version.transitions if t.source == view.state), None)
    return gettext("等待%(role)s") % {"role": role_name(waiting.role)} if waiting else ""


def _time_for(state: str, version: ProcessVersion) -> str:
    """Return how many working days the state before has to lead here, where a rule says so."""
    days = next((t.deadline_working_days for t in version.transitions if t.target == state), None)
    return "" if days is None else ngettext("%(n)s 个工作日", "%(n)s 个工作日", days) % {"n": days}


def _day(line: TimelineLine) -> str:
    return f"{business_day(line.at):%m-%d}"


def _signature(line: TimelineLine) -> str:
    who = line.who if line.actor_kind == "user" else gettext("系统")
    if line.on_behalf_of:
        who = gettext("%(who)s 代 %(giver)s 办理") % {"who": who, "giver": line.on_behalf_of}
    if line.step == 0:
        return who
    field = _name(line.organisation_id) or (role_name(line.role) if line.role else "")
    return gettext("%(who)s，%(field)s") % {"who": who, "field": field} if field else who


def _part_of(organisation_id: int) -> str:
    """Return what the case's own organisation is in it: a partner or merchant is asked, everybody else applies."""
    kind = organisation(organisation_id).kind
    return role_name(kind) if kind in {Role.PARTNER, Role.MERCHANT} else gettext("申请方")


def _name(organisation_id: int | None) -> str:
    if organisation_id is None:
        return ""
    try:
        found = organisation(organisation_id)
    except NotFound:
        return ""
    return worded(found.name, found.name_en)
