"""A case as a path (办件的经过): its head with the steps, its timeline, its parties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook.queries import ProcessVersion, days_left, process_by_id
from tanpuhui.foundation.workflow.queries import (
    ActView,
    AttachmentView,
    AvailableOutcome,
    CaseFile,
    CaseView,
    RelatedCase,
    RemarkAnswer,
    RemarkView,
    TimelineLine,
)
from tanpuhui.interfaces.design.parts import CaseHeader, Fact, Step, TimelineEntry
from tanpuhui.interfaces.workbench.words import (
    acting_for,
    attachment_kind,
    place_names,
    relation_name,
    role_name,
    worded,
)

ENTRIES_SHOWN = 12
"""So many entries of the history stand open; the earlier ones are folded."""

BETWEEN = "tl-s"
"""The tone of what happened between two decisions: it stands smaller."""

STEPPED_BACK = frozenset({"returned", "rejected", "objected", "contested", "not_admitted", "dismissed"})


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
        stopped=view.clock_stopped and not view.closed_at,
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


def entries(view: CaseView, lines: Sequence[TimelineLine], file: CaseFile) -> list[TimelineEntry]:
    """Return everything that happened, the newest first: decisions with their opinion in full, and what lay between."""
    asked = {
        ask.name: worded(ask.label_zh, ask.label_en)
        for way in process_by_id(view.process_version_id).transitions
        for ask in way.asks
    }
    found = [_decided(line, file, asked) for line in lines]
    found += [_acted(act) for act in file.acts]
    found += [_attached(view, paper) for paper in file.attachments]
    found += [_remarked(one) for one in file.remarks]
    found += [_settled(one) for one in file.remarks if one.settled]
    found += [_answered(one, answer) for one in file.remarks for answer in one.answers if not answer.settles]
    return sorted(found, key=lambda entry: entry.at)[::-1]


def _decided(line: TimelineLine, file: CaseFile, asked: Mapping[str, str]) -> TimelineEntry:
    notes = []
    if line.values:
        told = ", ".join(f"{asked.get(name, name)} {value}" for name, value in sorted(line.values.items()))
        notes.append(gettext("填写：%(values)s") % {"values": told})
    for correction in file.corrections:
        if correction.step == line.step:
            said = {
                "n": correction.version,
                "text": correction.opinion,
                "why": correction.reason,
                "case": correction.amendment_number,
            }
            notes.append(gettext("更正（第 %(n)s 版）：%(text)s 理由：%(why)s（%(case)s）") % said)
    if line.rescinded_by is not None:
        notes.append(gettext("这一决定已在第 %(n)s 步撤销。") % {"n": line.rescinded_by})
    tone = (
        ""
        if line.step == 0 or line.rescinded_by
        else "bad"
        if line.rescinds or line.to_state in STEPPED_BACK
        else "ok"
    )
    title = worded(line.label_zh, line.label_en)
    if line.rescinds is not None:
        title = gettext("撤销第 %(n)s 步的决定") % {"n": line.rescinds}
    return TimelineEntry(
        title=title, at=line.at, who=_signature(line), opinion=line.opinion, tone=tone, notes=notes
    )


def _acted(act: ActView) -> TimelineEntry:
    title = {"urge": gettext("催办"), "assign": gettext("转办"), "deadline": gettext("定期限")}.get(
        act.kind, act.kind
    )
    if act.kind == "assign":
        title = gettext("转给 %(name)s") % {"name": act.data.get("name", "")}
    if act.kind == "deadline":
        days = int(str(act.data["working_days"]))
        title = ngettext("定期限 %(n)s 个工作日", "定期限 %(n)s 个工作日", days) % {"n": days}
    return TimelineEntry(title=title, at=act.at, who=act.who, opinion=act.text, tone=BETWEEN)


def _attached(view: CaseView, paper: AttachmentView) -> TimelineEntry:
    return TimelineEntry(
        title=gettext("附件：%(kind)s") % {"kind": attachment_kind(paper.kind)},
        at=paper.at,
        who=paper.who,
        tone=BETWEEN,
        link_label=paper.name
        if paper.version == 1
        else gettext("%(name)s，第 %(n)s 版") % {"name": paper.name, "n": paper.version},
        url=reverse("workbench:case-attachment", args=[view.case_id, paper.attachment_id]),
    )


def _remarked(one: RemarkView) -> TimelineEntry:
    title = gettext("意见：%(item)s") % {"item": one.item}
    return TimelineEntry(title=title, at=one.at, who=one.who, opinion=one.text, tone=BETWEEN)


def _answered(one: RemarkView, answer: RemarkAnswer) -> TimelineEntry:
    title = gettext("答复：%(item)s") % {"item": one.item}
    return TimelineEntry(title=title, at=answer.at, who=answer.who, opinion=answer.text, tone=BETWEEN)


def _settled(one: RemarkView) -> TimelineEntry:
    last = one.answers[-1]
    title = gettext("了结：%(item)s") % {"item": one.item}
    return TimelineEntry(title=title, at=last.at, who=last.who, opinion=last.text, tone=BETWEEN)


def related(cases: Sequence[RelatedCase]) -> list[Fact]:
    """Return the cases that belong to this one, each with what binds them."""
    return [
        Fact(
            relation_name(one.kind, outgoing=one.outgoing),
            f"{one.number} {worded(one.state_zh, one.state_en)}",
            url=reverse("workbench:case", args=[one.case_id]),
        )
        for one in cases
    ]


def label_of(outcome: AvailableOutcome) -> str:
    """Return what a decision is called, and for whom it would be taken where the role is delegated."""
    label = worded(outcome.label_zh, outcome.label_en)
    return label + acting_for(outcome.on_behalf_of)


def standing_of(view: CaseView) -> str:
    """Say on what ground the case is due, or that no rule says so; empty once it is closed."""
    if view.closed_at:
        return ""
    version = process_by_id(view.process_version_id)
    if version.state(view.state).clock_stops:
        return gettext("等待申请方补正，时钟停着。")
    if view.deadline_working_days is None:
        return gettext("期限：未设定，规则没有规定这一步的期限。")
    if view.deadline_day is None:
        said = gettext("期限：%(n)s 个工作日，但相应年份的节假日还没有录入，推算不出日期。")
        return said % {"n": view.deadline_working_days}
    return _ground(view, version)


def _ground(view: CaseView, version: ProcessVersion) -> str:
    """Return which rule gives the deadline shown: the step's, the whole case's, or a person's."""
    days = view.deadline_working_days
    step = next(
        (t for t in version.transitions if (t.source, t.deadline_working_days) == (view.state, days)), None
    )
    if step is not None:
        return gettext("期限依据：%(basis)s") % {"basis": step.deadline_basis}
    if version.deadline_working_days == days:
        return gettext("期限依据（整件）：%(basis)s") % {"basis": version.deadline_basis}
    return gettext("期限由经办人员设定，理由见过程。")


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
    """Follow the way forward out of each state: the first that leads further down the states, where no correction waits."""
    place = {found.code: number for number, found in enumerate(version.states)}
    stops = {found.code for found in version.states if found.clock_stops}
    seen, path = {state}, list[str]()
    while True:
        targets = [t.target for t in version.transitions if t.source == state and t.target not in seen]
        onward = [target for target in targets if place[target] > place[state] and target not in stops]
        target = next(iter(onward or targets), None)
        if target is None:
            return path
        path.append(target)
        seen.add(target)
        state = target


def _next_action(view: CaseView, version: ProcessVersion, outcomes: Sequence[AvailableOutcome]) -> str:
    if view.closed_at:
        return ""
    waiting = next((t for t in version.transitions if t.source == view.state), None)
    if waiting is not None and waiting.role == Role.SYSTEM and version.state(view.state).notice:
        return gettext("公示期满后自动往下走")
    if outcomes:
        return worded(outcomes[0].label_zh, outcomes[0].label_en)
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
