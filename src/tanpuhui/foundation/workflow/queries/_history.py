"""What happened to a case, and the diagram of its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import leaving
from tanpuhui.foundation.workflow.queries._views import case_row, names_of

RESCIND_ZH, RESCIND_EN = "撤销决定", "Decision rescinded"
"""What a rescission is called; it is no transition of a process, so no row names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One decision with its opinion; step 0 is the opening. `rescinds` and `rescinded_by` are steps of the same case."""

    step: int
    at: datetime
    who: str
    actor_kind: str
    actor_id: str
    role: str
    organisation_id: int | None
    outcome: str
    label_zh: str
    label_en: str
    from_state: str
    to_state: str
    opinion: str
    evidence: tuple[str, ...]
    on_behalf_of: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    decision_id: int = 0
    rescinds: int | None = None
    rescinded_by: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramState:
    """One state of a process, as a box."""

    code: str
    label_zh: str
    label_en: str
    initial: bool
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramEdge:
    """One transition of a process, as an arrow."""

    source: str
    target: str
    outcome: str
    role: str
    label_zh: str
    label_en: str
    two_person: str | None
    deadline_working_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessDiagram:
    """States and transitions of one process version, as rows and as Mermaid text."""

    process: str
    version: str
    states: tuple[DiagramState, ...]
    edges: tuple[DiagramEdge, ...]
    mermaid: str


def timeline(case_id: int) -> tuple[TimelineLine, ...]:
    """Return the opening and every decision of a case, oldest first. Raises NotFound."""
    row = case_row(case_id)
    transitions = rulebook.process_by_id(row.process_version_id).transitions
    labels = {(t.source, t.target, t.outcome): t for t in transitions}
    decisions = sorted(row.decisions.all(), key=lambda d: d.step)
    names = names_of(
        [
            (row.opened_by_kind, row.opened_by_id),
            *((d.actor_kind, d.actor_id) for d in decisions),
            *(("user", d.on_behalf_of) for d in decisions if d.on_behalf_of),
        ]
    )
    steps = {d.pk: d.step for d in decisions}
    rescinded = {steps[d.rescinds_id]: d.step for d in decisions if d.rescinds_id is not None}
    first = decisions[0].from_state if decisions else row.state
    lines = [
        TimelineLine(
            step=0,
            at=row.opened_at,
            who=names[row.opened_by_kind, row.opened_by_id],
            actor_kind=row.opened_by_kind,
            actor_id=row.opened_by_id,
            role="",
            organisation_id=row.organisation_id,
            outcome="open",
            label_zh="立案",
            label_en="Opened",
            from_state="",
            to_state=first,
            opinion="",
            evidence=(),
        )
    ]
    for d in decisions:
        label = labels.get((d.from_state, d.to_state, d.outcome))
        lines.append(
            TimelineLine(
                step=d.step,
                at=d.at,
                who=names[d.actor_kind, d.actor_id],
                actor_kind=d.actor_kind,
                actor_id=d.actor_id,
                role=d.role,
                organisation_id=d.organisation_id,
                outcome=d.outcome,
                label_zh=label.label_zh if label else RESCIND_ZH if d.rescinds_id else d.outcome,
                label_en=label.label_en if label else RESCIND_EN if d.rescinds_id else d.outcome,
                from_state=d.from_state,
                to_state=d.to_state,
                opinion=d.opinion,
                evidence=tuple(d.evidence),
                on_behalf_of=names.get(("user", d.on_behalf_of), ""),
                values=dict(d.values),
                decision_id=d.pk,
                rescinds=None if d.rescinds_id is None else steps[d.rescinds_id],
                rescinded_by=rescinded.get(d.step),
                sha256=d.sha256,
            )
        )
    return tuple(lines)


def process_diagram(version: rulebook.ProcessVersion) -> ProcessDiagram:
    """Return the diagram of a process version from the rows that also decide, trigger and offer buttons."""
    states = tuple(
        DiagramState(
            code=state.code,
            label_zh=state.label_zh,
            label_en=state.label_en,
            initial=state.code == version.initial_state,
            final=not leaving(version.transitions, state.code),
        )
        for state in version.states
    )
    edges = tuple(
        DiagramEdge(
            source=t.source,
            target=t.target,
            outcome=t.outcome,
            role=t.role,
            label_zh=t.label_zh,
            label_en=t.label_en,
            two_person=t.two_person or None,
            deadline_working_days=t.deadline_working_days,
        )
        for t in version.transitions
    )
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state.label_zh}" as {state.code}' for state in states]
    lines += [f"    [*] --> {state.code}" for state in states if state.initial]
    lines += [f"    {edge.source} --> {edge.target}: {edge.label_zh}（{edge.role}）" for edge in edges]
    lines += [f"    {state.code} --> [*]" for state in states if state.final]
    return ProcessDiagram(
        process=version.process,
        version=str(version.version),
        states=states,
        edges=edges,
        mermaid="\n".join(lines) + "\n",
    )
