"""One table: for every process version, state and role, the buttons, the inbox, `decide` and the trigger say the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from tests.integration.foundation.workflow.conftest import Province
from tests.integration.foundation.workflow.made_up_province import STATES

from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.adapters.process_file import read_processes
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Case, Decision, Notice
from tanpuhui.foundation.workflow.operations import decide

pytestmark = pytest.mark.django_db

SHIPPED = sorted(
    path.parent for path in Path(__file__).resolve().parents[4].glob("jurisdictions/*/jurisdiction.yaml")
)


def paths(version: rulebook.ProcessVersion) -> dict[str, tuple[rulebook.Transition, ...]]:
    """Return the shortest way to every state."""
    found: dict[str, tuple[rulebook.Transition, ...]] = {version.initial_state: ()}
    waiting = deque([version.initial_state])
    while waiting:
        state = waiting.popleft()
        for transition in version.transitions:
            if transition.source == state and transition.target not in found:
                found[transition.target] = (*found[state], transition)
                waiting.append(transition.target)
    return found


SOME_VALUE = {"day": "2027-01-31", "number": "1", "text": "x"}


def values_for(version: rulebook.ProcessVersion, *, state: str, outcome: str, at: datetime) -> dict[str, str]:
    """Return something for everything that the process asks for with an outcome."""
    asks = [
        ask
        for transition in version.transitions
        if (transition.source, transition.outcome) == (state, outcome)
        for ask in queries.asks_of(transition, version=version, at=at)
    ]
    return {ask.name: SOME_VALUE[ask.kind] for ask in asks}


def after_its_notice(province: Province, case_id: int) -> datetime:
    """Return a moment at which no notice of the case runs."""
    notice = Notice.objects.filter(case_id=case_id, closed_at__isnull=True).first()
    if notice is None:
        return province.at
    return max(province.at, datetime.combine(notice.closes_on, time(12), tzinfo=UTC) + timedelta(days=1))


def decides(
    province: Province, case_id: int, role: Role, outcome: str, version: rulebook.ProcessVersion
) -> bool:
    at = after_its_notice(province, case_id)
    point = transaction.savepoint()
    try:
        decide(
            actor=province.actor(role),
            at=at,
            idempotency_key=None,
            case_id=case_id,
            outcome=outcome,
            opinion="同意",
            values=values_for(version, state=queries.case(case_id).state, outcome=outcome, at=at),
        )
    except Refusal:
        return False
    finally:
        transaction.savepoint_rollback(point)
    return True


def trigger_allows(province: Province, case_id: int, *, role: Role, outcome: str, target: str) -> bool:
    """Write the decision and the move by hand, past every rule of the operation."""
    row = Case.objects.get(pk=case_id)
    point = transaction.savepoint()
    try:
        Decision.objects.create(
            case=row,
            step=row.step + 1,
            outcome=outcome,
            from_state=row.state,
            to_state=target,
            actor_kind="user",
            actor_id="5",
            role=role.value,
            opinion="x",
            at=province.at,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "update workflow_case set state = %s, step = step + 1 where id = %s", [target, case_id]
            )
    except DatabaseError:
        return False
    finally:
        transaction.savepoint_rollback(point)
    return True


def check_agreement(province: Province, process: str, *, every_target: bool = True) -> None:
    """Walk one case into every state and ask all four about every role; each transition must be open to somebody.

    The trigger is tried towards every state, or, where that would take minutes, towards those that some row leads to from
    where the case stands and one that none does: to the trigger all others are as that one.
    """
    version = rulebook.process_version(process=process, at=province.at)
    outcomes = sorted({transition.outcome for transition in version.transitions})
    ways = paths(version)
    assert set(ways) == {state.code for state in version.states}, "a state that no case can reach"
    by_rows = {transition.role for transition in version.transitions}
    open_to_somebody = 0
    # Citizens act on the cases that they opened.
    opener = province.actor(Role.CITIZEN) if Role.CITIZEN in by_rows else SYSTEM
    for number, (state, way) in enumerate(ways.items()):
        case_id = province.open(process, subject_id=str(number), by=opener).case_id
        for kind in sorted({kind for transition in version.transitions for kind in transition.evidence}):
            province.attach(case_id, kind)
        for transition in way:
            province.decide(
                case_id,
                transition.outcome,
                province.actor(transition.role),
                at=after_its_notice(province, case_id),
                values=values_for(
                    version,
                    state=transition.source,
                    outcome=transition.outcome,
                    at=after_its_notice(province, case_id),
                ),
            )
        near = {t.target for t in version.transitions if t.source == state}
        targets = list(ways) if every_target else [*sorted(near), *sorted(set(ways) - near)[:1]]
        for role in Role:
            actor = province.actor(role)
            leaving = [t for t in version.transitions if (t.source, t.role) == (state, role)]
            taken = {t.outcome for t in way}
            expected = {t.outcome for t in leaving if t.two_person is None or t.two_person in taken}
            assert {t.outcome for t in leaving} == expected, (
                "a two-person rule about a step that was not taken"
            )
            at = after_its_notice(province, case_id)
            buttons = queries.available_outcomes(actor=actor, case_id=case_id, at=at)
            assert [button.blocked for button in buttons if button.blocked] == [], (state, role)
            offered = {button.outcome for button in buttons}
            in_inbox = case_id in {line.case.case_id for line in queries.inbox(actor=actor, at=province.at)}
            # Decision and trigger know roles only through the rows, so one role without any stands for all such.
            tried = outcomes if role in by_rows or role == Role.CITIZEN else []
            decided = {outcome for outcome in tried if decides(province, case_id, role, outcome, version)}
            triggered = {
                outcome
                for outcome in tried
                for target in targets
                if trigger_allows(province, case_id, role=role, outcome=outcome, target=target)
            }
            found = (offered, decided, triggered, in_inbox)
            assert found == (expected, expected, expected, bool(expected)), (state, role)
            open_to_somebody += len(expected)
    assert open_to_somebody == len(version.transitions)


PROCESSES = sorted({*STATES, "admission", "public_admission"})
"""The last two demand guards, attachments and values, or stand before the public."""


@pytest.mark.parametrize("process", PROCESSES)
def test_buttons_inbox_decision_and_trigger_agree(province: Province, process: str) -> None:
    check_agreement(province, process)


SHIPPED_PROCESSES = sorted(
    {(folder, row.process) for folder in SHIPPED for row in read_processes(folder)}, key=lambda pair: pair[1]
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "process"), SHIPPED_PROCESSES, ids=lambda value: getattr(value, "name", value)
)
def test_they_agree_for_every_process_of_every_shipped_province(
    province_of: Callable[[Path], Province], folder: Path, process: str
) -> None:
    check_agreement(province_of(folder), process, every_target=False)


def test_there_are_shipped_processes() -> None:
    assert SHIPPED_PROCESSES


@pytest.mark.parametrize("process", PROCESSES)
def test_the_diagram_is_drawn_from_the_same_rows(province: Province, process: str) -> None:
    version = rulebook.process_version(process=process, at=province.at)
    diagram = queries.process_diagram(version)
    drawn = {(edge.source, edge.target, edge.outcome, edge.role) for edge in diagram.edges}
    assert drawn == {(t.source, t.target, t.outcome, t.role) for t in version.transitions}
    assert [state.code for state in diagram.states if state.initial] == [version.initial_state]
    assert all(f"{edge.source} --> {edge.target}" in diagram.mermaid for edge in diagram.edges)
