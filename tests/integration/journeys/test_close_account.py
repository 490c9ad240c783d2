"""Who closes their account leaves books that balance, and no byte that says who they were or where they went."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings
from tests.integration.behaviour.activity.revision import adjust_all, approved, bus_version, revised_bus
from tests.integration.behaviour.activity.test_plausibility import rule
from tests.integration.journeys import leaver as one
from tests.integration.journeys.leaver import Leaver

from tanpuhui.behaviour.activity.models import RowOutcome
from tanpuhui.behaviour.activity.operations import decide_held, settle_day
from tanpuhui.behaviour.activity.queries import held_sets
from tanpuhui.behaviour.carbon_accounts.operations import propose_freeze
from tanpuhui.behaviour.carbon_accounts.queries import pool_inclusion
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.books.transparency.queries import verify_pool_inclusion
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.models import AccountClosure, Membership
from tanpuhui.foundation.identity.operations import (
    AccountClosed,
    ClosureStands,
    HoldsRoles,
    NoClosure,
    PhoneNotRegistered,
    bind_partner_subject,
    cancel_closure,
    give_consent,
    give_consents,
    register_with_code,
    request_closure,
    request_code,
    sign_in_with_code,
)
from tanpuhui.foundation.identity.queries import closures_due
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.foundation.messages.operations import load_templates, tell
from tanpuhui.foundation.workflow.models import Notice, NoticeComment
from tanpuhui.foundation.workflow.operations import decide, open_case
from tanpuhui.interfaces.commands.invariants import CHECKS, breaches
from tanpuhui.interfaces.commands.migrate import APP_ROLE, grant
from tanpuhui.journeys import (
    AccountClosureTried,
    ClosureBlocked,
    InTheWay,
    ask_to_close_account,
    close_account,
    give_up_late_points,
    obstacles,
)
from tanpuhui.uses.rewards.operations import reserve_coupon

pytestmark = pytest.mark.django_db
LATER = one.AFTER_THE_MONTH
ROOMS = tuple(room for room in CHECKS if room != "methodology")
"""The made-up town files its methodologies without a committee, which that room rightly reports."""


@pytest.fixture
def folder(settings: Settings, tmp_path: Path, invented_jurisdiction: Path) -> Path:
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DEMO = True
    return tmp_path


@pytest.fixture
def leaver(db: None, now: datetime, folder: Path) -> Leaver:
    return one.arrive(now, folder / "outbox" / "sms.log")


def ask(leaver: Leaver, at: datetime, key: str = "ask") -> int:
    asked = ask_to_close_account(actor=leaver.actor(at), at=at, user_id=leaver.user_id, idempotency_key=key)
    return asked.closure_id


def close(closure_id: int, at: datetime) -> AccountClosureTried:
    return close_account(actor=SYSTEM, at=at, closure_id=closure_id)


def test_after_the_closure_no_table_and_no_file_holds_the_person_and_every_book_balances(
    leaver: Leaver,
    folder: Path,
    now: datetime,
    invented_jurisdiction: Path,
    django_capture_on_commit_callbacks: object,
) -> None:
    pool = one.live(leaver, now, templates=invented_jurisdiction)
    assert one.left_of(one.OWN, one.everything_kept(folder)) == [
        value for value in one.OWN if value not in {one.CARD, one.MAIL}
    ], "partner's number and mail address are kept as a keyed hash and sealed"
    proof = pool_inclusion(leaver.user_id, pool_id=pool)
    before = ledger.balance(leaver.ledger_account_id)
    assert before.points.value > 0
    phone_index = identity.phone_index(one.PHONE).hex()
    assert phone_index in one.everything_kept(folder)

    closure = ask(leaver, LATER)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        done = close(closure, LATER)

    assert (done.closed, done.points, done.records) == (True, before.points, 3)
    kept = one.everything_kept(folder)
    assert one.left_of((*one.OWN, phone_index), kept) == []
    assert one.left_of(one.OWN, one.everything_handed_out(LATER)) == []
    sequence_leaves(at=LATER)
    assert [str(breach) for breach in breaches(ROOMS)] == []
    after = ledger.balance(leaver.ledger_account_id)
    assert (after.grams, after.points) == (before.grams, Points(0))
    assert verify_pool_inclusion(proof, published_key_set()).valid


def closed(leaver: Leaver, now: datetime) -> None:
    """One ride, and then the account is closed."""
    leaver.town.post(one.file_of(one.ride("R1")), at=now)
    assert close(ask(leaver, now), now).closed


def test_the_same_phone_makes_a_new_person_and_the_partner_no_longer_knows_them(
    leaver: Leaver, folder: Path, now: datetime
) -> None:
    closed(leaver, now)
    assert identity.user_of_phone(one.PHONE) is None
    outbox = folder / "outbox" / "sms.log"
    request_code(phone=one.PHONE, ip="203.0.113.7", at=now)
    code = outbox.read_text(encoding="utf-8").rsplit("验证码 ", 1)[1].split("，")[0]
    with pytest.raises(PhoneNotRegistered):
        sign_in_with_code(phone=one.PHONE, code=code, ip="203.0.113.7", at=now)
    fresh = register_with_code(
        phone=one.PHONE, code=code, display_name=one.NAME, area="990102", ip="203.0.113.7", at=now
    )
    assert fresh.pk != leaver.user_id
    posted = leaver.town.post(one.file_of(one.ride("R2", hour=9)), at=now, key="k2")
    outcome = RowOutcome.objects.get(batch_id=posted.batch_id)
    assert (outcome.verdict, outcome.reason) == ("pending", "PERSON_UNKNOWN")
    bind_partner_subject(
        actor=identity.actor_of(user_id=fresh.pk, at=now), at=now, partner_id=leaver.town.partner_id,
        subject=one.CARD, user_id=fresh.pk,
    )  # fmt: skip


def test_a_closed_account_is_given_nothing_and_nothing_is_done_with_it(
    leaver: Leaver, now: datetime, invented_jurisdiction: Path
) -> None:
    actor = leaver.actor(now)
    closed(leaver, now)
    assert leaver.actor(now).roles == frozenset()
    tries: list[Callable[[], object]] = [
        lambda: bind_partner_subject(
            actor=SYSTEM, at=now, partner_id=leaver.town.partner_id, subject="X", user_id=leaver.user_id
        ),
        lambda: give_consent(
            actor=SYSTEM, at=now, user_id=leaver.user_id, scenario="bus", text_version="1"
        ),
        lambda: give_consents(
            actor=SYSTEM, at=now, user_ids=[leaver.user_id], scenario="bike", text_version="1"
        ),
        lambda: reserve_coupon(
            actor=actor, at=now, idempotency_key="c", good_id=leaver.good_id, user_id=leaver.user_id
        ),
        lambda: propose_freeze(
            actor=one.MAKER, at=now, number=leaver.number, kind="freeze", reason="可疑", urgent=False,
            idempotency_key="f",
        ),
        lambda: request_closure(
            actor=actor, at=now, user_id=leaver.user_id, idempotency_key="again"
        ),
    ]  # fmt: skip
    for attempt in tries:
        with pytest.raises(AccountClosed):
            attempt()
    load_templates(actor=SYSTEM, at=now, folder=invented_jurisdiction)
    with transaction.atomic():
        told = tell(
            at=now, user_ids=[leaver.user_id], template="notice.answered", data={"notice_id": 1, "title": "x"}
        )
    assert told.user_ids == ()


def test_records_that_wait_are_settled_first_and_no_new_ones_come(leaver: Leaver, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    leaver.town.post(one.file_of(one.ride("R1"), one.ride("R2", hour=12, km="12.0", minutes=6)), at=now)
    closure = ask(leaver, now)
    tried = close(closure, now)
    assert (tried.closed, tried.put_off_for) == (False, ("waiting",))
    waits = identity.closure_of(leaver.user_id)
    assert waits is not None
    assert waits.put_off_for == ("waiting",)
    again = leaver.town.post(one.file_of(one.ride("R3", hour=15)), at=now, key="k2")
    assert again.counted == 0
    (held,) = held_sets()
    decide_held(
        actor=one.MAKER, at=now, waiting_ids=(held.id,), refuse_all=False, opinion="核实", idempotency_key="h"
    )
    settle_day(actor=SYSTEM, at=now, day=one.DAY)
    assert closures_due(at=now) == (closure,)
    done = close(closure, now)
    assert (done.closed, done.records) == (True, 2)
    assert close(closure, now + timedelta(days=1)) == AccountClosureTried(
        closure_id=closure, closed=False, put_off_for=(), points=Points(0), records=0
    )
    assert [str(breach) for breach in breaches(ROOMS)] == []


def test_a_running_case_or_a_freeze_comes_first(
    leaver: Leaver, now: datetime, invented_jurisdiction: Path
) -> None:
    load_templates(actor=SYSTEM, at=now, folder=invented_jurisdiction)
    proposed = propose_freeze(
        actor=one.MAKER, at=now, number=leaver.number, kind="freeze", reason="可疑", urgent=True,
        idempotency_key="f",
    )  # fmt: skip
    with pytest.raises(ClosureBlocked):
        ask(leaver, now)
    assert [found.kind for found in obstacles(leaver.user_id, at=now)] == [InTheWay.FROZEN]
    decide(
        actor=one.MAKER,
        at=now,
        idempotency_key="w",
        case_id=proposed.case_id,
        outcome="withdraw",
        opinion="误报",
    )
    assert obstacles(leaver.user_id, at=now) == ()
    opened = open_case(
        actor=Actor(kind="user", id=str(leaver.user_id)), at=now, process="account_freeze",
        subject_type="account_freeze", subject_id="77", title="申诉", area="990102",
    )  # fmt: skip
    (found,) = obstacles(leaver.user_id, at=now)
    assert (found.kind, found.names) == (InTheWay.CASE, (opened.number,))
    with pytest.raises(ClosureBlocked):
        ask(leaver, now)


def test_while_the_set_time_runs_nothing_is_done_and_the_person_can_come_back(
    leaver: Leaver, now: datetime
) -> None:
    rule("account.closure_days", "7", scope="")
    closure = ask(leaver, now)
    assert not close(closure, now + timedelta(days=6)).closed
    with pytest.raises(ClosureStands):
        ask(leaver, now, key="twice")
    cancel_closure(actor=leaver.actor(now), at=now, user_id=leaver.user_id, idempotency_key="c")
    assert not close(closure, now + timedelta(days=8)).closed
    assert identity.person(leaver.user_id).display_name == one.NAME
    with pytest.raises(NoClosure):
        cancel_closure(actor=leaver.actor(now), at=now, user_id=leaver.user_id, idempotency_key="d")
    with pytest.raises(NotPermitted):
        cancel_closure(actor=one.MAKER, at=now, user_id=leaver.user_id, idempotency_key="d")


def test_whoever_acts_for_an_organisation_is_told_what_to_do_first(leaver: Leaver, now: datetime) -> None:
    Membership.objects.create(
        user_id=leaver.user_id, organisation_id=leaver.town.partner_id, role="partner", area="990000",
        valid_from=now - timedelta(days=1),
    )  # fmt: skip
    with pytest.raises(HoldsRoles):
        ask(leaver, now)
    Membership.objects.all().delete()
    closure = ask(leaver, now)
    Membership.objects.create(
        user_id=leaver.user_id, organisation_id=leaver.town.partner_id, role="partner", area="990000",
        valid_from=now - timedelta(days=1),
    )  # fmt: skip
    tried = close(closure, now)
    assert (tried.closed, tried.put_off_for) == (False, ("role",))


def test_points_that_a_correction_gives_later_go_back_too_and_a_recalculation_still_holds(
    leaver: Leaver, now: datetime
) -> None:
    closed(leaver, now)
    before = ledger.balance(leaver.ledger_account_id)
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.110")))
    after = ledger.balance(leaver.ledger_account_id)
    assert after.grams > before.grams
    assert after.points > before.points == Points(0)
    taken = give_up_late_points(actor=SYSTEM, at=now)
    assert (taken.accounts, taken.points) == (1, after.points)
    assert give_up_late_points(actor=SYSTEM, at=now).accounts == 0
    assert ledger.balance(leaver.ledger_account_id).points == Points(0)
    assert [str(breach) for breach in breaches(ROOMS)] == []


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        (
            "insert into identity_partnersubject (partner_id, subject_index, user_id, bound_at) values ({partner}, 'x', {user}, now())",
            "closed_is_forgotten",
        ),
        ("update identity_consent set withdrawn_at = null where user_id = {user}", "closed_is_forgotten"),
        ("update identity_signinsession set device = 'phone' where user_id = {user}", "closed_is_forgotten"),
        ("update identity_user set closed_at = null, phone_sealed = 'x', phone_index = 'x' where id = {user}",
         "closed_as_asked"),
        ("insert into messaging_channelchoice (user_id, kind, channel, wanted, at) values ({user}, 'k', 'sms', true, now())",
         "closure.forgotten_everywhere"),
    ],
)  # fmt: skip
def test_what_is_left_of_the_closed_is_found(
    leaver: Leaver, now: datetime, damage: str, invariant: str
) -> None:
    closed(leaver, now)
    with connection.cursor() as cursor:
        cursor.execute(damage.format(partner=leaver.town.partner_id, user=leaver.user_id))
    assert invariant in {breach.invariant for breach in breaches(("identity", "closures"))}


def test_traces_that_are_left_are_found(leaver: Leaver, now: datetime) -> None:
    closed(leaver, now)
    leaver.town.post(one.file_of(one.ride("R9", subject="S2", hour=7)), at=now, key="k9")
    assert list(breaches(("closures",))) == []
    neighbour = leaver.town.users["S2"]
    closure = AccountClosure.objects.create(user_id=neighbour, requested_at=now, due_at=now)
    AccountClosure.objects.filter(pk=closure.pk).update(closed_at=now)
    assert "traces are left" in {breach.detail for breach in breaches(("closures",))}


def test_the_database_keeps_a_closure_as_it_was_done(leaver: Leaver, now: datetime) -> None:
    closed(leaver, now)
    for change in (
        "set cancelled_at = now(), closed_at = null",
        "set closed_at = now()",
        "set due_at = now()",
    ):
        with pytest.raises(DatabaseError, match="ends once"), transaction.atomic():
            connection.cursor().execute(f"update identity_accountclosure {change}")
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("delete from identity_accountclosure")
    with pytest.raises(DatabaseError, match="user_closed_holds_nothing"), transaction.atomic():
        connection.cursor().execute(
            "update identity_user set display_name = 'x' where id = %s", [leaver.user_id]
        )


def test_the_name_goes_from_what_was_said_to_a_notice_and_from_nobody_elses(
    leaver: Leaver, now: datetime
) -> None:
    case = open_case(
        actor=SYSTEM, at=now, process="account_freeze", subject_type="account_freeze", subject_id="78",
        title="公示", area="990102",
    )  # fmt: skip
    notice = Notice.objects.create(
        case_id=case.case_id, step=0, title="公示", working_days=5, days_basis="测试", documents=[],
        opens_on=one.DAY, closes_on=one.DAY + timedelta(days=7), opened_at=now,
    )  # fmt: skip
    for user_id, name in ((leaver.user_id, one.NAME), (leaver.town.users["S2"], "乘客")):
        NoticeComment.objects.create(
            notice=notice, user_id=user_id, name=name, text="有意见", objection=False, at=now
        )
    with pytest.raises(DatabaseError, match="logged erasure"), transaction.atomic():
        NoticeComment.objects.update(name="已注销")
    leaver.town.post(one.file_of(one.ride("R1")), at=now)
    closure = ask(leaver, now)
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", [APP_ROLE])
        if cursor.fetchone() is None:
            cursor.execute(f'create role "{APP_ROLE}"')
        assert grant()
        cursor.execute(f'set local role "{APP_ROLE}"')
        assert close(closure, now).closed, "web and worker sign in as this role"
        cursor.execute("reset role")
    assert list(NoticeComment.objects.order_by("id").values_list("name", "text")) == [
        ("已注销", "有意见"), ("乘客", "有意见"),
    ]  # fmt: skip
    with pytest.raises(DatabaseError, match="logged erasure"), transaction.atomic():
        NoticeComment.objects.filter(user_id=leaver.user_id).update(text="别的")
