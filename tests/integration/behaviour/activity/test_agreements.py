"""A maker proposes an agreement, the partner confirms, another person decides; where a rule asks for one, days without it are refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from tests.integration.behaviour.activity.sources import rule
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import operations, queries
from tanpuhui.behaviour.activity.models import Batch, DataAgreement
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted, Refusal
from tanpuhui.foundation.workflow.operations import SamePerson, decide

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
ELSEWHERE = Actor(kind="user", id="9011", grants=(Grant(role=Role.MAKER, area="990200"),))
FIRST, LAST = date(2026, 11, 1), date(2026, 12, 31)


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=("S1",))


def partner(town: Town) -> Actor:
    grant = Grant(role=Role.PARTNER, organisation_id=town.partner_id, area="990100")
    return Actor(kind="user", id="9020", grants=(grant,))


def proposed(
    town: Town, at: datetime, *, number: str = "DA-1", actor: Actor = MAKER, first: date = FIRST, last: date = LAST,
    scenarios: tuple[str, ...] = ("bus",), fields: tuple[str, ...] = ("刷卡时间", "上车站"),
) -> operations.AgreementProposed:  # fmt: skip
    return operations.propose_agreement(
        actor=actor, at=at, idempotency_key=f"{number}{first}{last}", partner_id=town.partner_id, number=number, scenarios=scenarios,
        fields=fields, purpose="核算公交出行减排量", legal_basis="政务数据共享条例", valid_from=first, valid_to=last,
    )  # fmt: skip


def decided(case_id: int, outcome: str, actor: Actor, at: datetime) -> None:
    decide(actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="同意")


def agreed(town: Town, at: datetime, *, number: str = "DA-1", first: date = FIRST, last: date = LAST) -> int:
    made = proposed(town, at, number=number, first=first, last=last)
    decided(made.case_id, "confirm", partner(town), at)
    decided(made.case_id, "approve", CHECKER, at)
    return made.agreement_id


def refused(code: str, call: object) -> None:
    with pytest.raises(Refusal) as found:
        call()  # type: ignore[operator]
    assert found.value.code == code


def reasons(town: Town, content: bytes, at: datetime, key: str) -> dict[str, int]:
    batch_id = town.post(content, at=at, key=key).batch_id
    report = Batch.objects.get(pk=batch_id).report
    return {**report["reasons"], "counted": report["verdicts"]["counted"]}


def test_it_holds_once_the_partner_confirmed_and_another_person_decided(town: Town, now: datetime) -> None:
    made = proposed(town, now)
    both = Actor(kind="user", id=MAKER.id, grants=(*MAKER.grants, *CHECKER.grants))
    assert not queries.agreement(made.agreement_id).holds_on(FIRST)
    decided(made.case_id, "confirm", partner(town), now)
    with pytest.raises(SamePerson):
        decided(made.case_id, "approve", both, now)
    decided(made.case_id, "approve", CHECKER, now)
    view = queries.agreement(made.agreement_id)
    assert [view.holds_on(day) for day in (FIRST - timedelta(days=1), FIRST, LAST, LAST + timedelta(days=1))] == [
        False, True, True, False,
    ]  # fmt: skip
    refused(
        "AGREEMENT_NUMBER_TAKEN", lambda: proposed(town, now, first=date(2027, 1, 1), last=date(2027, 1, 2))
    )
    assert list(queries.breaches()) == []


def test_a_partner_that_declines_has_agreed_to_nothing(town: Town, now: datetime) -> None:
    made = proposed(town, now)
    decided(made.case_id, "decline", partner(town), now)
    assert queries.agreement(made.agreement_id).state == "rejected"
    assert proposed(town, now, number="DA-1", actor=MAKER, last=date(2026, 12, 30)).agreement_id


def test_what_is_not_said_or_not_permitted_is_refused(town: Town, now: datetime) -> None:
    for given in (
        {"scenarios": ()},
        {"scenarios": ("no",)},
        {"fields": ()},
        {"number": " "},
        {"last": date(2026, 1, 1)},
    ):
        with pytest.raises(Invalid):
            proposed(town, now, **given)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        proposed(town, now, actor=ELSEWHERE)


def test_records_of_days_without_agreement_are_refused_where_the_rule_asks_for_one(
    town: Town, now: datetime
) -> None:
    rides = csv(bus("R1"), bus("R2", started="2026-10-30T08:00:00+08:00"))
    assert reasons(town, rides, now, "k1") == {"counted": 2}, "no rule, no agreement needed"
    rule("intake.agreement_required", "yes", "bus")
    rides = csv(bus("R3"), bus("R4", started="2026-10-30T08:00:00+08:00"))
    assert reasons(town, rides, now, "k2") == {"NO_AGREEMENT": 2, "counted": 0}
    agreed(town, now)
    rides = csv(bus("R5"), bus("R6", started="2026-10-30T08:00:00+08:00"))
    assert reasons(town, rides, now, "k3") == {"NO_AGREEMENT": 1, "counted": 1}


def test_a_day_on_which_the_scenario_is_suspended_too_gives_one_reason(town: Town, now: datetime) -> None:
    rule("intake.agreement_required", "yes", "bus")
    change = operations.propose_standing(
        actor=MAKER, at=now - timedelta(days=30), scenario="bus", standing="suspended",
        from_day=date(2026, 10, 25), reason="核查", idempotency_key="s",
    )  # fmt: skip
    decided(change.case_id, "approve", CHECKER, now - timedelta(days=30))
    assert reasons(town, csv(bus("R1")), now, "k") == {"SCENARIO_SUSPENDED": 1, "counted": 0}


def test_an_early_end_is_decided_by_another_person_and_later_days_are_refused(
    town: Town, now: datetime
) -> None:
    rule("intake.agreement_required", "yes", "bus")
    agreement_id = agreed(town, now)
    last = date(2026, 11, 20)

    def end(day: date = last, key: str = "e") -> operations.AgreementProposed:
        return operations.propose_agreement_end(
            actor=MAKER,
            at=now,
            idempotency_key=key,
            agreement_id=agreement_id,
            last_day=day,
            reason="场景调整",
        )

    refused("DAY_PASSED", lambda: end(date(2026, 11, 1)))
    refused("AGREEMENT_NOT_IN_FORCE", lambda: end(date(2027, 2, 1)))
    made = end()
    refused("AGREEMENT_END_OPEN", lambda: end(key="again"))
    decided(made.case_id, "approve", CHECKER, now)
    assert queries.agreement(agreement_id).last_day == last
    later = now + timedelta(days=3)
    rides = csv(
        bus("R1", started="2026-11-20T08:00:00+08:00"), bus("R2", started="2026-11-21T08:00:00+08:00")
    )
    assert reasons(town, rides, later, "k") == {"NO_AGREEMENT": 1, "counted": 1}
    assert list(queries.breaches()) == []


def test_an_early_end_that_is_rejected_leaves_the_agreement(town: Town, now: datetime) -> None:
    agreement_id = agreed(town, now)
    made = operations.propose_agreement_end(
        actor=MAKER, at=now, idempotency_key="e", agreement_id=agreement_id, last_day=date(2026, 11, 25), reason="x"
    )  # fmt: skip
    decided(made.case_id, "reject", CHECKER, now)
    assert queries.agreement(agreement_id).last_day == LAST


def test_what_holds_without_a_decision_is_found(town: Town, now: datetime) -> None:
    made = proposed(town, now)
    DataAgreement.objects.filter(pk=made.agreement_id).update(state="agreed", ended_on=LAST)
    assert [one.invariant for one in queries.breaches()] == ["activity.agreements_are_decided"] * 2
