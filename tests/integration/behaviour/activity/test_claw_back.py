"""A maker names records and says why, another person decides, and entries take them back; nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.conf import settings
from django.db import connection
from tests.integration.behaviour.activity.town import Town, build, bus, csv
from tests.integration.foundation.workflow.amending import rescind_last

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.exceptions import CLAWED_BACK, RecordRef
from tanpuhui.behaviour.activity.models import ClawBack, ExceptionRun, Posting
from tanpuhui.behaviour.activity.operations import ClawBackProposed, exclude_records, propose_claw_back
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_accounts, tell_of_taken_back
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted, Refusal
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.messages.queries import messages_of, view_of
from tanpuhui.foundation.workflow.operations import SamePerson, decide

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
ELSEWHERE = Actor(kind="user", id="9011", grants=(Grant(role=Role.MAKER, area="990200"),))
WHY = "核实为同一终端重复上报"


@pytest.fixture
def town(db: None, now: datetime) -> Town:
    town = build(subjects=["S1", "S2"])
    town.post(csv(bus("R1"), bus("R2", distance="1"), bus("R3", subject="S2")), at=now)
    return town


def named(*ids: str) -> str:
    return "\n".join(f"2026-11-18,{one}" for one in ids)


def proposed(
    town: Town, now: datetime, lines: str = "", *, batch_id: int | None = None, actor: Actor = MAKER
) -> ClawBackProposed:
    return propose_claw_back(
        actor=actor, at=now, scenario="bus", partner_id=town.partner_id, ground=WHY,
        idempotency_key=f"{lines}{batch_id}", lines=lines, batch_id=batch_id,
    )  # fmt: skip


def decided(case_id: int, outcome: str, now: datetime, actor: Actor = CHECKER) -> None:
    decide(actor=actor, at=now, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="已核对")


def held(town: Town, subject: str = "S1") -> tuple[int, int]:
    balance = ledger.balance(town.accounts[subject])
    return balance.grams.value, balance.points.value


def _batch() -> int:
    return Posting.objects.get().batch_id


def sound() -> list[str]:
    return [str(one) for one in (*queries.breaches(), *ledger.breaches())]


def test_named_records_are_taken_back_by_a_second_person_and_the_other_lines_keep_their_reasons(
    town: Town, now: datetime
) -> None:
    made = proposed(town, now, named("R2", "R3") + "\n2026-11-17,R1\nR9\n" + named("R3"))
    assert (made.records, made.left) == (2, 3)
    view = queries.claw_back(made.claw_back_id)
    assert (view.records, view.people, view.grams.value, view.points.value) == (2, 2, -488, -48)
    assert [(line, reason) for line, _, reason in view.left] == [
        (3, "NO_SUCH_RECORD"),
        (4, "BAD_LINE"),
        (5, "NAMED_TWICE"),
    ]
    assert (held(town), held(town, "S2")) == ((488, 48), (436, 43)), "a proposal takes nothing"
    assert not ExceptionRun.objects.exists()
    both = Actor(kind="user", id=MAKER.id, grants=(*MAKER.grants, *CHECKER.grants))
    with pytest.raises(SamePerson):
        decided(made.case_id, "approve", now, both)

    decided(made.case_id, "approve", now)

    assert (held(town), held(town, "S2")) == ((436, 43), (0, 0))
    view = queries.claw_back(made.claw_back_id)
    assert (view.state, view.grams.value, view.run_id is not None) == ("done", -488, True)
    assert sound() == []


def test_the_people_are_told_why_once(town: Town, now: datetime) -> None:
    load_templates(actor=SYSTEM, at=now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    open_carbon_accounts(actor=MAKER, at=now, user_ids=tuple(town.users.values()))
    decided(proposed(town, now, named("R2")).case_id, "approve", now)
    with connection.cursor() as cursor:
        cursor.execute(
            "select args->>'run_id' from procrastinate_jobs where task_name = 'carbon_accounts.tell_of_taken_back'"
        )
        ((run_id,),) = cursor.fetchall()
    for _ in range(2):
        tell_of_taken_back(actor=SYSTEM, at=now, run_id=int(run_id))
    (told,) = (view_of(row) for row in messages_of(town.users["S1"]))
    assert (WHY in told.body_zh, told.link) == (True, "/m/records")
    assert list(messages_of(town.users["S2"])) == []


def test_a_whole_batch_is_taken_back_and_given_back_when_the_decision_is_rescinded(
    town: Town, now: datetime
) -> None:
    made = proposed(town, now, batch_id=_batch())
    decided(made.case_id, "approve", now)
    assert (held(town), held(town, "S2")) == ((0, 0), (0, 0))
    rescind_last(made.case_id, at=now, area="990000")
    assert (held(town), held(town, "S2")) == ((488, 48), (436, 43))
    assert queries.claw_back(made.claw_back_id).state == "proposed"
    assert sound() == []
    decided(made.case_id, "reject", now)
    assert held(town) == (488, 48)


def test_what_was_taken_back_meanwhile_is_left_out_and_nothing_left_is_refused(
    town: Town, now: datetime
) -> None:
    one, other = proposed(town, now, named("R1", "R2")), proposed(town, now, named("R2"))
    decided(other.case_id, "approve", now)
    decided(one.case_id, "approve", now)
    assert held(town) == (0, 0)
    assert queries.claw_back(one.claw_back_id).records == 1
    with pytest.raises(Refusal) as refused:
        proposed(town, now, named("R1"))
    assert refused.value.code == "NOTHING_TO_TAKE_BACK"
    assert sound() == []


@pytest.mark.parametrize("lines", ["", "2026-11-18,R9"])
def test_a_claw_back_of_nothing_is_refused(town: Town, now: datetime, lines: str) -> None:
    with pytest.raises(Refusal) as refused:
        proposed(town, now, lines)
    assert refused.value.code == ("INVALID" if not lines else "NOTHING_TO_TAKE_BACK")


def test_both_lines_and_a_batch_are_refused(town: Town, now: datetime) -> None:
    with pytest.raises(Invalid):
        proposed(town, now, named("R1"), batch_id=_batch())


def test_a_maker_of_another_area_is_refused(town: Town, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        proposed(town, now, named("R1"), actor=ELSEWHERE)


def test_more_records_than_a_case_may_take_are_refused(
    town: Town, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tanpuhui.behaviour.activity.operations._claw_back.RECORDS_MAX", 2)
    refusals: list[Callable[[], ClawBackProposed]] = [
        lambda: proposed(town, now, named("R1", "R2", "R3")),
        lambda: proposed(town, now, batch_id=_batch()),
    ]
    for call in refusals:
        with pytest.raises(Refusal) as refused:
            call()
        assert refused.value.code == "TOO_MANY_RECORDS"


def test_a_claw_back_whose_run_is_of_another_case_is_found(town: Town, now: datetime) -> None:
    made = proposed(town, now, named("R1"))
    decided(made.case_id, "approve", now)
    assert sound() == []
    posting_id = Posting.objects.get().pk
    other = exclude_records(
        actor=SYSTEM, at=now, records=(RecordRef(posting_id=posting_id, row=3),), reason=CLAWED_BACK
    )
    ClawBack.objects.filter(pk=made.claw_back_id).update(run_id=other.run_id)
    assert [line.split()[0] for line in sound()] == ["activity.claw_backs_are_decided"]
