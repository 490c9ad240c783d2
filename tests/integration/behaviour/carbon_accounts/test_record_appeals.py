"""A person appeals that a record of theirs should count: one examines, another decides, and the books follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from tests.integration.behaviour.activity.sources import (
    DAY,
    THEN,
    compared_town,
    ride,
    rule,
    source,
)
from tests.integration.behaviour.activity.town import CITY, Town

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.models import Batch, Readmission
from tanpuhui.behaviour.activity.operations import (
    RecordErased,
    RecordReadmittedAlready,
    RecordRef,
    SetAsideNotFound,
    decide_held,
    erase_traces,
    exclude_records,
    readmit_record,
    settle_day,
)
from tanpuhui.behaviour.activity.queries import SetAsideView
from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.models import RecordAppeal
from tanpuhui.behaviour.carbon_accounts.operations import AppealedRecord
from tanpuhui.behaviour.carbon_accounts.queries import AppealState
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import withdraw_consent
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.rulebook.models import Parameter
from tanpuhui.foundation.workflow.operations import NotYourDecision, SamePerson, decide

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
ELSEWHERE = Actor(kind="user", id="9011", grants=(Grant(role=Role.CHECKER, area="990200"),))
LATER = THEN + timedelta(hours=3)
WHY = "早上坐了两趟车，不是同一趟"


def person(town: Town, subject: str = "S1") -> Actor:
    return Actor(kind="user", id=str(town.users[subject]), grants=(Grant(role=Role.CITIZEN, area=CITY),))


@pytest.fixture
def town(db: None) -> Town:
    town = compared_town()
    operations.open_carbon_accounts(
        actor=Actor(kind="user", id="1", grants=(Grant(role=Role.MAKER, area="990000"),)),
        at=THEN - timedelta(days=300),
        user_ids=tuple(town.users.values()),
    )
    return town


@pytest.fixture
def lost(town: Town, now: datetime) -> SetAsideView:
    """Give a ride that counted only by another partner's record."""
    one, two = source(town, 1, 1), source(town, 2, 2)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    two.post(ride(two, "B1", "08:02", "08:33"), at=now - timedelta(hours=29))
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    (found,) = set_aside(town)
    return found


def set_aside(town: Town, subject: str = "S1") -> tuple[SetAsideView, ...]:
    return activity.set_aside_of_account(account_id=town.accounts[subject], first_day=DAY, last_day=DAY)


def appeal(
    town: Town, record: AppealedRecord, *, subject: str = "S1", at: datetime = LATER, key: str = "a"
) -> operations.AppealLodged:
    return operations.appeal_record(
        actor=person(town, subject), at=at, user_id=town.users[subject], record=record, statement=WHY,
        idempotency_key=key,
    )  # fmt: skip


def of(view: SetAsideView) -> AppealedRecord:
    return AppealedRecord(row=view.row, set_aside_id=view.waiting_id)


def decided(case_id: int, outcome: str, actor: Actor, at: datetime = LATER) -> None:
    decide(
        actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="已核对刷卡流水"
    )


def upheld(town: Town, record: AppealedRecord, *, subject: str = "S1") -> operations.AppealLodged:
    lodged = appeal(town, record, subject=subject)
    decided(lodged.case_id, "examine", MAKER)
    decided(lodged.case_id, "uphold", CHECKER)
    settle_day(actor=SYSTEM, at=LATER, day=DAY)
    return lodged


def grams(town: Town, subject: str = "S1") -> Grams:
    return ledger.balance(town.accounts[subject]).grams


def sound() -> list[str]:
    return [str(one) for one in (*activity.breaches(), *queries.breaches(), *ledger.breaches())]


def test_an_upheld_ride_counts_beside_the_one_that_had_won(town: Town, lost: SetAsideView) -> None:
    assert grams(town) == Grams(436)
    lodged = appeal(town, of(lost))
    assert grams(town) == Grams(436)
    decided(lodged.case_id, "examine", MAKER)
    decided(lodged.case_id, "uphold", CHECKER)
    waiting = activity.waiting_of_account(town.accounts["S1"])
    assert [(one.row, one.batch_id) for one in waiting] == [(lost.row, lost.batch_id)]
    assert sound() == []

    settled = settle_day(actor=SYSTEM, at=LATER, day=DAY)

    assert (settled.rows, settled.counted, grams(town)) == (1, 1, Grams(872))
    assert [one.state for one in queries.appeals_of_user(town.users["S1"])] == [AppealState.UPHELD]
    assert [one.readmitted for one in set_aside(town)] == [True]
    report = Batch.objects.get(pk=lost.batch_id).report
    assert (report["verdicts"]["counted"], report["verdicts"]["duplicate"]) == (1, 0)
    assert (report["reasons"], report["readmitted"], report["grams"]) == ({}, 1, 436)
    assert list(activity.batch_rows(lost.batch_id)) == []
    assert activity.batch_report(lost.batch_id).outcomes == ()
    assert sound() == []


def test_the_reconciliation_of_the_partner_tells_what_counts_now(town: Town, lost: SetAsideView) -> None:
    upheld(town, of(lost))
    day = business_day(Batch.objects.get(pk=lost.batch_id).received_at)
    lines = list(activity.reconciliation_csv(partner_id=lost.partner_id, day=day))[1:]
    assert [line.split(",")[5:8] for line in lines] == [["counted", "", "436\r\n"]]
    totals = activity.reconciliation(partner_id=lost.partner_id, day=day)
    assert (totals.verdicts["counted"], totals.grams) == (1, Grams(436))


def test_a_late_record_loses_to_the_ride_that_an_appeal_let_count(town: Town, lost: SetAsideView) -> None:
    lodged = appeal(town, of(lost))
    decided(lodged.case_id, "examine", MAKER)
    decided(lodged.case_id, "uphold", CHECKER)
    third = source(town, 3, 1)
    third.post(ride(third, "C1", "08:03", "08:33"), at=LATER)
    settled = settle_day(actor=SYSTEM, at=LATER, day=DAY)
    assert (settled.rows, settled.counted) == (2, 1)
    fourth = source(town, 4, 1)
    fourth.post(ride(fourth, "D1", "08:03", "08:33"), at=LATER + timedelta(hours=1))
    assert settle_day(actor=SYSTEM, at=LATER + timedelta(hours=1), day=DAY).counted == 0
    assert grams(town) == Grams(872)
    assert sound() == []


def test_an_upheld_ride_gets_what_is_left_of_its_cap(town: Town, now: datetime) -> None:
    one, two = source(town, 1, 1), source(town, 2, 2)
    rides = [ride(one, f"A{n}", f"{6 + n:02}:00", f"{6 + n:02}:20") for n in range(12)]
    one.post(*rides, at=now - timedelta(hours=30))
    two.post(ride(two, "B1", "06:01", "06:20"), at=now - timedelta(hours=29))
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    (view,) = set_aside(town)
    capped = grams(town)
    upheld(town, of(view))
    (row,) = activity.batch_rows(view.batch_id)
    assert (row.verdict, Decimal(row.granted)) == ("clipped", Decimal(0))
    assert grams(town) == capped
    assert sound() == []


def test_a_record_that_was_refused_in_review_counts_when_the_appeal_is_upheld(
    town: Town, now: datetime
) -> None:
    rule("intake.distance_km_max", "5", "bus")
    partner = source(town, 1, 1)
    partner.post(ride(partner, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    (held,) = activity.held_sets()
    reviewer = Actor(kind="user", id="9001", grants=MAKER.grants)
    decide_held(
        actor=reviewer,
        at=now,
        waiting_ids=(held.id,),
        refuse_all=True,
        opinion="距离太长",
        idempotency_key="h",
    )
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    (view,) = set_aside(town)
    lodged = appeal(town, of(view))
    with pytest.raises(operations.ReviewedByYou):
        decided(lodged.case_id, "examine", MAKER)
    other = Actor(kind="user", id="9002", grants=MAKER.grants)
    decided(lodged.case_id, "examine", other)
    same = Actor(kind="user", id="9001", grants=CHECKER.grants)
    for outcome in ("uphold", "dismiss"):
        with pytest.raises(operations.ReviewedByYou):
            decided(lodged.case_id, outcome, same)
    decided(lodged.case_id, "uphold", CHECKER)
    settle_day(actor=SYSTEM, at=LATER, day=DAY)
    assert grams(town) == Grams(436)
    assert sound() == []


def test_a_record_that_was_taken_back_counts_again_by_entries(town: Town, now: datetime) -> None:
    partner = source(town, 1, 1)
    partner.post(ride(partner, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    (record,) = activity.records_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    ref = AppealedRecord(row=record.row, posting_id=record.posting_id)
    with pytest.raises(operations.RecordCounts):
        appeal(town, ref)
    back = (RecordRef(posting_id=record.posting_id, row=record.row),)
    exclude_records(actor=SYSTEM, at=THEN, records=back, reason="CLAWED_BACK")
    assert grams(town) == Grams(0)
    upheld(town, ref)
    assert grams(town) == Grams(436)
    assert sound() == []
    exclude_records(actor=SYSTEM, at=LATER, records=back, reason="CLAWED_BACK")
    assert appeal(town, ref, key="again").appeal_id  # another decision, another appeal
    with pytest.raises(operations.RecordAppealed):
        appeal(town, ref, key="third")


def test_a_dismissed_appeal_changes_nothing_and_is_final(town: Town, lost: SetAsideView) -> None:
    lodged = appeal(town, of(lost))
    with pytest.raises(NotYourDecision):
        decided(lodged.case_id, "examine", ELSEWHERE)
    decided(lodged.case_id, "examine", MAKER)
    both = Actor(kind="user", id=MAKER.id, grants=(*MAKER.grants, *CHECKER.grants))
    with pytest.raises(SamePerson):
        decided(lodged.case_id, "dismiss", both)
    decided(lodged.case_id, "dismiss", CHECKER)
    assert (grams(town), sound()) == (Grams(436), [])
    with pytest.raises(operations.RecordAppealed) as refused:
        appeal(town, of(lost), key="again")
    assert lodged.case_number in refused.value.message("zh")


def test_who_withdrew_may_appeal_again_and_one_appeal_runs_at_a_time(town: Town, lost: SetAsideView) -> None:
    lodged = appeal(town, of(lost))
    assert appeal(town, of(lost)) == lodged  # the same sending again
    with pytest.raises(operations.RecordAppealed):
        appeal(town, of(lost), key="b")
    decided(lodged.case_id, "withdraw", person(town))
    assert appeal(town, of(lost), key="c").case_id != lodged.case_id


def test_nobody_appeals_or_withdraws_for_somebody_else(town: Town, lost: SetAsideView) -> None:
    with pytest.raises(NotPermitted):
        operations.appeal_record(
            actor=person(town, "S2"), at=LATER, user_id=town.users["S1"], record=of(lost), statement=WHY,
            idempotency_key="x",
        )  # fmt: skip
    with pytest.raises(SetAsideNotFound):
        appeal(town, of(lost), subject="S2")
    lodged = appeal(town, of(lost))
    with pytest.raises(NotYourDecision):
        decided(lodged.case_id, "withdraw", person(town, "S2"))


def test_a_record_whose_traces_are_erased_can_no_more_be_appealed_or_upheld(
    town: Town, lost: SetAsideView
) -> None:
    lodged = appeal(town, of(lost))
    decided(lodged.case_id, "examine", MAKER)
    me = person(town)
    withdraw_consent(actor=me, at=LATER, user_id=town.users["S1"], scenario="bus")
    erase_traces(actor=me, at=LATER, user_id=town.users["S1"], scenario="bus", idempotency_key="e")
    with pytest.raises(RecordErased):
        decided(lodged.case_id, "uphold", CHECKER)
    decided(lodged.case_id, "dismiss", CHECKER)
    assert sound() == []


def test_two_rows_of_one_file_are_let_count_one_after_the_other(town: Town, now: datetime) -> None:
    one, two = source(town, 1, 1), source(town, 2, 2)
    one.post(
        ride(one, "A1", "08:00", "08:30"), ride(one, "A2", "10:00", "10:30"), at=now - timedelta(hours=30)
    )
    two.post(
        ride(two, "B1", "08:01", "08:30"), ride(two, "B2", "10:01", "10:30"), at=now - timedelta(hours=29)
    )
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    for n, view in enumerate(set_aside(town)):
        lodged = appeal(town, of(view), key=str(n))
        decided(lodged.case_id, "examine", MAKER)
        decided(lodged.case_id, "uphold", CHECKER)
    settled = settle_day(actor=SYSTEM, at=LATER, day=DAY)
    assert (settled.rows, settled.counted, grams(town)) == (2, 2, Grams(4 * 436))
    assert sorted(Readmission.objects.values_list("waiting__part", flat=True)) == [-2, -1]
    view = set_aside(town)[0]
    with pytest.raises(RecordReadmittedAlready):
        readmit_record(
            actor=SYSTEM, at=LATER, set_aside_id=view.waiting_id, account_id=town.accounts["S1"], row=view.row,
            case_id=1,
        )  # fmt: skip
    assert sound() == []


def test_an_upheld_ride_without_a_points_rule_stays_out_and_says_so(town: Town, lost: SetAsideView) -> None:
    Parameter.objects.filter(key="points.per_gram").delete()
    upheld(town, of(lost))
    assert {(one.reason, one.readmitted) for one in set_aside(town)} == {
        ("PARAMETER_UNSET", False),
        ("SAME_RIDE_OTHER_PARTNER", True),
    }
    report = Batch.objects.get(pk=lost.batch_id).report
    assert (report["verdicts"]["duplicate"], report["readmitted"]) == (1, 0)
    assert sound() == []


def test_damage_to_readmissions_and_appeals_is_found(town: Town, lost: SetAsideView) -> None:
    upheld(town, of(lost))
    assert sound() == []

    def found(statement: str) -> set[str]:
        point = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(statement)
            cursor.execute("set session_replication_role = origin")
        names = {one.invariant for one in (*activity.breaches(), *queries.breaches())}
        transaction.savepoint_rollback(point)
        return names

    assert "carbon_accounts.upheld_appeals_count" in found(
        "update carbon_record_appeal set state = 'dismissed'"
    )
    gone = found("delete from activity_readmission")
    assert {"activity.readmitted_rows_were_set_aside", "carbon_accounts.upheld_appeals_count"} <= gone
    assert "activity.counts_add_up" in found(
        "update activity_batch set report = report - 'readmitted' where report ? 'readmitted'"
    )
    moved = found("update activity_readmission set row_number = row_number + 1")
    assert "activity.readmitted_rows_were_set_aside" in moved


def test_the_database_itself_takes_one_appeal_of_one_record(town: Town, lost: SetAsideView) -> None:
    lodged = appeal(town, of(lost))
    row = RecordAppeal.objects.get(pk=lodged.appeal_id)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
