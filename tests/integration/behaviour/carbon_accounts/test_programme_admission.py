"""Balances of an existing programme wait for their person: admitted by two, accepted by consent, once; or nothing is left."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings
from tests.city_programme import AS_OF, CHECKER, HEADER, Programme, file_of, member, open_programme
from tests.integration.foundation.workflow.amending import rescind_last

from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.models import AdmittedBalance, ProgrammeAdmission
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import system_account, transfer
from tanpuhui.config.wiring import install
from tanpuhui.foundation.documents.queries import DocumentDestroyed, open_document
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import CannotRescind, SamePerson

pytestmark = pytest.mark.django_db
FIRST = member(1, phone="13900000000", points="100.50")
SECOND = member(2, phone="13900000001", points="7")
THIRD = member(3, points="1")
BAD = member(4, phone="12")


@pytest.fixture
def programme(
    db: None, now: datetime, invented_jurisdiction: Path, settings: Settings, tmp_path: Path
) -> Programme:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    install()
    return open_programme(at=now, folder=invented_jurisdiction)


def ruled(programme: Programme, folder: Path, tmp_path: Path, **values: str) -> None:
    """Set rules for the city that the invented province leaves open."""
    copy = tmp_path / "province"
    shutil.copytree(folder, copy)
    pack = copy / "rules" / "base.yaml"
    text = pack.read_text(encoding="utf-8")
    for key, value in values.items():
        text += f'  - {{key: admission.{key}, scope: "990100", value: "{value}", unit: x, basis: 虚构, confidence: DEMO}}\n'
    pack.write_text(text, encoding="utf-8")
    load_jurisdiction(actor=SYSTEM, at=programme.at - timedelta(days=4000), folder=copy)


def held(programme: Programme, person: int = 0) -> Points:
    return ledger.balance(programme.market.accounts[person]).points


def counts(admission_id: int) -> dict[str, tuple[int, int]]:
    view = queries.admission(admission_id)
    return {state: (one.count, one.points.value) for state, one in view.balances.items()}


def sound() -> bool:
    return [*queries.breaches(), *ledger.breaches()] == []


def test_a_file_is_received_once_and_every_row_has_its_verdict(programme: Programme) -> None:
    admission_id = programme.send(FIRST, SECOND, BAD)
    assert programme.send(FIRST, SECOND, BAD, key="again") == admission_id
    view = queries.admission(admission_id)
    assert (view.rows, view.accepted, view.state) == (3, 2, "received")
    assert queries.admission_faults(admission_id) == {"PHONE_INVALID": 1}
    report = b"".join(queries.admission_report(admission_id)).decode()
    assert "4,PHONE_INVALID," in report
    assert "2,ACCEPTED," in report
    assert "139" not in report
    assert queries.offers(int(programme.market.people[0].id), at=programme.at) == ()
    with open_document(view.file_sha256) as stream:
        assert stream.read() == file_of(FIRST, SECOND, BAD)
    assert sound()


def test_a_workbook_is_read_like_a_table_of_text(programme: Programme, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (HEADER, FIRST, SECOND):
        sheet.append(line.split(","))
    book.save(tmp_path / "members.xlsx")
    received = operations.receive_admission(
        actor=programme.partner, at=programme.at, idempotency_key="x", programme_id=programme.id, as_of=AS_OF,
        file_name="members.xlsx", media_type="application/octet-stream",
        content=(tmp_path / "members.xlsx").read_bytes(),
    )  # fmt: skip
    assert (received.rows, received.accepted) == (2, 2)


def test_only_the_programme_and_makers_of_its_area_hand_accounts_over(programme: Programme) -> None:
    elsewhere = Actor(kind="user", id="9", grants=(Grant(role=Role.MAKER, area="990200"),))
    other = Actor(kind="user", id="8", grants=(Grant(role=Role.PARTNER, organisation_id=programme.id + 99),))
    for actor in (elsewhere, other, programme.market.people[0]):
        with pytest.raises(NotPermitted):
            programme.send(FIRST, actor=actor)
    with pytest.raises(Invalid):
        operations.receive_admission(
            actor=programme.market.maker, at=programme.at, idempotency_key="x", programme_id=programme.id,
            as_of=business_day(programme.at) + timedelta(days=1), file_name="m.csv", media_type="text/csv",
            content=file_of(FIRST),
        )  # fmt: skip


def test_two_persons_admit_and_a_person_accepts_into_one_lot_once(programme: Programme) -> None:
    before = held(programme)
    admission_id = programme.send(FIRST, SECOND, BAD)
    proposed = programme.propose(admission_id)
    assert proposed.points == Points(53)
    both = Actor(
        kind="user",
        id=programme.market.maker.id,
        grants=(*programme.market.maker.grants, Grant(role=Role.CHECKER, area="990000")),
    )
    with pytest.raises(SamePerson):
        programme.decided(proposed.case_id, "approve", both)
    with pytest.raises(operations.NothingToClaim):
        programme.claim(admission_id)
    programme.decided(proposed.case_id, "approve")
    assert held(programme) == before, "nobody gets anything without consent"
    (offer,) = queries.offers(int(programme.market.people[0].id), at=programme.at)
    assert (offer.points, offer.shown_grams, offer.claim_until) == (Points(50), 5000, None)
    done = programme.claim(admission_id)
    assert done.points == Points(50)
    assert held(programme) == before + Points(50)
    user_id = int(programme.market.people[0].id)
    lot = queries.points_held(user_id, at=programme.at).lots[-1]
    assert (lot.day, lot.points) == (business_day(programme.at), Points(50))
    with pytest.raises(operations.NothingToClaim):
        programme.claim(admission_id, key="c2")
    assert programme.claim(admission_id) == done, "the same request again is the same answer"
    assert [one.points for one in queries.taken_over(user_id)] == [Points(50)]
    assert counts(admission_id) == {"claimed": (1, 50), "waiting": (1, 3), "refused": (1, 0)}
    assert sound()


def test_grams_of_a_programme_are_history_and_never_reductions(programme: Programme) -> None:
    before = ledger.balance(programme.market.accounts[0]).grams
    admission_id = programme.admit(member(1, phone="13900000000", grams="999999999"))
    programme.claim(admission_id)
    assert ledger.balance(programme.market.accounts[0]).grams == before
    assert ledger.system_total(f"points:admission:{admission_id}").grams == Grams(0)
    assert type(queries.taken_over(int(programme.market.people[0].id))[0].shown_grams) is int
    assert sound()
    with transaction.atomic():
        transfer(
            kind="programme_admission", reference="forged", at=programme.at, day=business_day(programme.at),
            debit_account_id=system_account("points:admission_funding"),
            credit_account_id=programme.market.accounts[0], grams=Grams(5),
        )  # fmt: skip
    assert [one.invariant for one in queries.breaches()] == ["carbon_accounts.no_grams_admitted"]


def test_whoever_has_no_account_gets_one_with_the_acceptance_and_not_before(programme: Programme) -> None:
    admission_id = programme.admit(FIRST, member(9, phone="13900000009", points="0.50"))
    newcomer = programme.newcomer()
    with pytest.raises(queries.NoCarbonAccount):
        queries.account_of_user(int(newcomer.id))
    done = programme.claim(admission_id, person=newcomer)
    assert queries.account_of_user(int(newcomer.id)).number == done.number
    assert done.points == Points(0), "half a point at half a point each is floored, and needs no journal"
    assert sound()
    stranger = programme.newcomer("13911111111")
    with pytest.raises(operations.NothingToClaim):
        programme.claim(admission_id, person=stranger)
    with pytest.raises(queries.NoCarbonAccount):
        queries.account_of_user(int(stranger.id))


def test_whoever_declines_leaves_points_in_the_budget_and_no_trace(programme: Programme) -> None:
    admission_id = programme.admit(FIRST, SECOND)
    before = held(programme)
    programme.decline(admission_id)
    row = AdmittedBalance.objects.get(admission_id=admission_id, state="declined")
    left = (row.phone_index, row.member_index, row.area, row.member_since, row.shown_grams)
    assert left == (None,) * 5
    with pytest.raises(operations.NothingToClaim):
        programme.claim(admission_id)
    assert held(programme) == before
    assert counts(admission_id) == {"declined": (1, 50), "waiting": (1, 3)}
    assert sound()


def test_what_nobody_accepts_lapses_and_the_budget_goes_back(
    programme: Programme, invented_jurisdiction: Path, tmp_path: Path
) -> None:
    ruled(programme, invented_jurisdiction, tmp_path, claim_days="30")
    admission_id = programme.admit(FIRST, SECOND, THIRD)
    view = queries.admission(admission_id)
    last = programme.at + timedelta(days=30)
    assert view.claim_until == business_day(last)
    programme.claim(admission_id)
    assert operations.end_admissions(actor=SYSTEM, at=last).lapsed == 0
    late = last + timedelta(days=1)
    with pytest.raises(operations.NothingToClaim):
        programme.claim(admission_id, person=programme.market.people[1], at=late, key="late")
    assert queries.offers(int(programme.market.people[1].id), at=late) == ()
    ended = operations.end_admissions(actor=SYSTEM, at=late)
    assert (ended.count, ended.lapsed, ended.returned) == (1, 2, Points(1_000_000 - 50))
    again = operations.end_admissions(actor=SYSTEM, at=late + timedelta(days=1))
    assert (again.count, again.lapsed) == (0, 0)
    assert counts(admission_id) == {"claimed": (1, 50), "lapsed": (2, 3)}
    assert ledger.system_total("points:admission_funding").points == Points(-50)
    assert AdmittedBalance.objects.exclude(state="claimed").filter(phone_index__isnull=False).count() == 0
    with pytest.raises(DocumentDestroyed):
        open_document(view.file_sha256)
    assert sound()


def test_without_a_rule_balances_wait_without_end(programme: Programme) -> None:
    admission_id = programme.admit(FIRST)
    assert queries.admission(admission_id).claim_until is None
    later = programme.at + timedelta(days=3000)
    assert operations.end_admissions(actor=SYSTEM, at=later).count == 0
    assert queries.offers(int(programme.market.people[0].id), at=later)


@pytest.mark.parametrize("outcome", ["reject", "withdraw"])
def test_an_admission_that_is_not_approved_leaves_nothing_and_a_corrected_file_can_come(
    programme: Programme, outcome: str
) -> None:
    admission_id = programme.send(FIRST, BAD)
    case_id = programme.propose(admission_id).case_id
    programme.decided(case_id, outcome, CHECKER if outcome == "reject" else programme.market.maker)
    assert counts(admission_id) == {"dropped": (1, 0), "refused": (1, 0)}
    assert ledger.system_total(f"points:admission:{admission_id}").points == Points(0)
    with pytest.raises(DocumentDestroyed):
        open_document(queries.admission(admission_id).file_sha256)
    again = programme.send(FIRST, key="s2")
    assert queries.admission(again).accepted == 1
    assert sound()


def test_a_member_is_taken_over_once_however_many_files_come(programme: Programme) -> None:
    programme.claim(programme.admit(FIRST))
    second = programme.send(
        member(1, phone="13900000007"), member(7, phone="13900000000"), member(8), key="s2"
    )
    assert queries.admission_faults(second) == {"ADMITTED_BEFORE": 2}
    assert queries.admission(second).accepted == 1


def test_the_rate_is_the_rules_or_a_persons_with_its_source(
    programme: Programme, invented_jurisdiction: Path, tmp_path: Path
) -> None:
    admission_id = programme.send(FIRST)
    with pytest.raises(operations.AdmissionRateUnset):
        programme.propose(admission_id, rate="", source="")
    with pytest.raises(operations.AdmissionRateUnset):
        programme.propose(admission_id, source="", key="p2")
    with pytest.raises(Invalid):
        programme.propose(admission_id, rate="half", key="p3")
    ruled(programme, invented_jurisdiction, tmp_path, points_rate="1/4")
    with pytest.raises(operations.AdmissionRateSet):
        programme.propose(admission_id, key="p4")
    assert programme.propose(admission_id, rate="", source="", key="p5").points == Points(25)
    view = queries.admission(admission_id)
    assert (view.rate, view.rate_source) == ("1/4", "虚构")


def test_a_budget_that_does_not_reach_and_a_file_without_a_good_row_are_refused(programme: Programme) -> None:
    admission_id = programme.send(FIRST, SECOND)
    with pytest.raises(operations.AdmissionBudgetTooSmall):
        programme.propose(admission_id, budget=52)
    with pytest.raises(operations.AdmissionBudgetTooSmall):
        programme.propose(admission_id, rate="999999999", budget=10**10, key="p5")
    with pytest.raises(Invalid):
        programme.propose(admission_id, budget=10**16, key="p6")
    assert programme.propose(admission_id, budget=53, key="p2").points == Points(53)
    with pytest.raises(operations.AdmissionCannotFollow):
        programme.propose(admission_id, key="p3")
    with pytest.raises(operations.NothingToAdmit):
        programme.propose(programme.send(BAD, key="s2"), key="p4")


def test_an_effect_without_its_decision_changes_nothing(programme: Programme) -> None:
    admission_id = programme.send(FIRST)
    proposed = programme.propose(admission_id)
    for effect in (operations.approve_admission, operations.reject_admission, operations.withdraw_admission):
        with pytest.raises(operations.AdmissionNotDecided):
            effect(
                actor=CHECKER, at=programme.at, case_id=proposed.case_id, subject_id=str(admission_id), opinion="x"
            )  # fmt: skip
    assert queries.admission(admission_id).state == "proposed"


def test_other_terms_than_those_signed_on_the_case_are_refused(programme: Programme) -> None:
    admission_id = programme.send(FIRST)
    proposed = programme.propose(admission_id)
    arguments = {
        "actor": programme.market.maker, "at": programme.at, "case_id": proposed.case_id,
        "subject_id": str(admission_id), "opinion": "x",
    }  # fmt: skip
    assert operations.check_admission_terms(**arguments).state == "proposed"
    ProgrammeAdmission.objects.update(payer="另一方")
    with pytest.raises(operations.AdmissionNotDecided):
        operations.check_admission_terms(**arguments)
    with pytest.raises(CannotRescind):
        rescind_last(proposed.case_id, at=programme.at, area="990000")


DAMAGES = {
    "a balance that grew": (
        "update carbon_admitted_balance set points = points + 1 where state = 'waiting'",
        "carbon_accounts.admitted_is_accounted_for",
    ),
    "a row that is gone": (
        "delete from carbon_admitted_balance where state = 'waiting'",
        "carbon_accounts.admission_is_its_rows",
    ),
    "a claim that says more": (
        "update carbon_admission_claim set points = points + 1",
        "carbon_accounts.claimed_as_credited",
    ),
    "a claimed row that nobody claimed": (
        "update carbon_admitted_balance set state = 'claimed' where state = 'waiting'",
        "carbon_accounts.claimed_as_credited",
    ),
    "a rate that nobody signed": (
        "update carbon_programme_admission set rate = '9'",
        "carbon_accounts.admitted_as_signed",
    ),
    "a budget that was cut": (
        "update carbon_programme_admission set budget = points",
        "carbon_accounts.admission_within_budget",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_is_found(programme: Programme, damage: str) -> None:
    sql, invariant = DAMAGES[damage]
    programme.claim(programme.admit(FIRST, SECOND))
    assert sound()
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("set local session_replication_role = origin")
    assert invariant in {breach.invariant for breach in queries.breaches()}


@pytest.mark.parametrize(
    "sql",
    [
        "update carbon_admitted_balance set state = 'waiting' where state = 'claimed'",
        "update carbon_admitted_balance set points = 99, state = 'claimed' where state = 'waiting'",
        "update carbon_admitted_balance set state = 'lapsed' where state = 'waiting'",
        "delete from carbon_admitted_balance",
        "update carbon_admission_claim set points = 0",
    ],
)
def test_the_database_itself_lets_a_balance_go_one_way_only(programme: Programme, sql: str) -> None:
    programme.claim(programme.admit(FIRST, SECOND))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
