"""What is wrong in a file becomes a case that its sender answers: by the rule, or because a person asks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.integration.behaviour.activity.town import HUANGHAI, LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain import BatchNotFound, BatchNotSettled, NothingResent, NothingToMend
from tanpuhui.behaviour.activity.operations import request_correction
from tanpuhui.config import wiring
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted, Refusal
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.foundation.workflow.queries import CaseView

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9009", grants=(Grant(role=Role.MAKER, area="990100"),))
ELSEWHERE = Actor(kind="user", id="9010", grants=(Grant(role=Role.MAKER, area="990200"),))
GOOD_AND_BAD = csv(bus("R1"), bus("R2", distance="-8.4"))


@pytest.fixture
def town(db: None) -> Town:
    built = build(subjects=("S1", "S2"))
    wiring.install()
    return built


@pytest.fixture
def ruled_town(town: Town, now: datetime) -> Town:
    """Set the rule that asks by itself: more than one row in two hundred."""
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI, packs=("base", "demonstration"))
    return town


def cases(town: Town) -> tuple[CaseView, ...]:
    scope = workflow.Scope(organisation_ids=(town.partner_id,))
    criteria = workflow.Criteria(process="batch_correction")
    return workflow.find_cases(scope=scope, actor=SYSTEM, at=LONG_AGO, criteria=criteria).cases


def answer(actor: Actor, case_id: int, outcome: str, at: datetime) -> None:
    decide(
        actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="设备时钟已校正"
    )


def test_without_a_rule_nobody_is_asked_until_a_person_asks(town: Town, now: datetime) -> None:
    batch_id = town.post(GOOD_AND_BAD, at=now).batch_id
    assert cases(town) == ()
    asked = request_correction(actor=MAKER, at=now, batch_id=batch_id)
    (case,) = cases(town)
    assert (asked.case_id, asked.to_mend, case.state, case.area) == (case.case_id, 1, "requested", "990100")
    assert [line.case.case_id for line in workflow.inbox(actor=town.partner, at=now)] == [case.case_id]
    with pytest.raises(Refusal) as again:
        request_correction(actor=MAKER, at=now, batch_id=batch_id)
    assert again.value.code == "CASE_ALREADY_OPEN"


def test_by_the_rule_the_posting_asks_and_a_file_below_the_share_is_left(
    ruled_town: Town, now: datetime
) -> None:
    ruled_town.post(csv(*(bus(f"G{n}") for n in range(3))), at=now)
    assert cases(ruled_town) == ()
    posted = ruled_town.post(GOOD_AND_BAD, at=now, key="k2", name="worse.csv")
    (case,) = cases(ruled_town)
    assert (case.subject_id, case.title) == (str(posted.batch_id), "worse.csv")
    assert workflow.timeline(case.case_id)[0].actor_kind == "system"


def test_a_refused_file_is_asked_for_again(ruled_town: Town, now: datetime) -> None:
    posted = ruled_town.post(b"", at=now, name="empty.csv")
    assert posted.state == "refused"
    assert [case.title for case in cases(ruled_town)] == ["empty.csv"]


def test_rows_that_wait_for_somebody_else_are_not_the_senders_to_mend(
    ruled_town: Town, now: datetime
) -> None:
    posted = ruled_town.post(csv(bus("R1"), bus("R2", "stranger"), bus("R1")), at=now)
    assert cases(ruled_town) == ()
    with pytest.raises(NothingToMend):
        request_correction(actor=MAKER, at=now, batch_id=posted.batch_id)


def test_nobody_asks_before_the_report_or_outside_their_area(town: Town, now: datetime) -> None:
    batch_id = town.receive(GOOD_AND_BAD, at=now)
    with pytest.raises(BatchNotSettled):
        request_correction(actor=MAKER, at=now, batch_id=batch_id)
    with pytest.raises(NotPermitted):
        request_correction(actor=ELSEWHERE, at=now, batch_id=batch_id)
    with pytest.raises(BatchNotFound):
        request_correction(actor=MAKER, at=now, batch_id=batch_id + 1)


def test_resent_is_believed_only_when_a_file_came_since_it_was_asked_for(
    ruled_town: Town, now: datetime
) -> None:
    ruled_town.post(GOOD_AND_BAD, at=now)
    (case,) = cases(ruled_town)
    with pytest.raises(NothingResent):
        answer(ruled_town.partner, case.case_id, "resubmit", now + timedelta(hours=1))
    assert workflow.case(case.case_id).state == "requested"
    mended = ruled_town.post(
        csv(bus("R2")), at=now + timedelta(hours=2), key="k2", name="rides-corrected.csv"
    )
    assert mended.counted == 1
    answer(ruled_town.partner, case.case_id, "resubmit", now + timedelta(hours=3))
    assert [line.case.case_id for line in workflow.inbox(actor=MAKER, at=now)] == [case.case_id]
    answer(MAKER, case.case_id, "return", now + timedelta(hours=4))
    with pytest.raises(NothingResent):
        answer(ruled_town.partner, case.case_id, "resubmit", now + timedelta(hours=5))
    answer(ruled_town.partner, case.case_id, "declare", now + timedelta(hours=5))
    answer(MAKER, case.case_id, "close", now + timedelta(hours=6))
    assert workflow.case(case.case_id).closed_at is not None
    assert list(queries.breaches()) == []
