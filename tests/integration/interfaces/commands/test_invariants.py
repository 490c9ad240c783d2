"""`tanpuhui invariants`: silent on a sound province, and loud about one corrupted row of any room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from tests.integration.conftest import Story

from tanpuhui.interfaces.commands import invariants

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What the owner of the database does to one row of a room, and what finds it; `{}` is the row's id."""

    room: str
    sql: str
    whose: str
    invariant: str
    subject: str


DAMAGES = (
    Damage(
        room="ledger",
        sql="update ledger_balance set grams = grams + 1 where account_id = {}",
        whose="select max(account_id) from ledger_balance",
        invariant="ledger.balance_is_sum_of_entries",
        subject="ledger_account:{}",
    ),
    Damage(
        room="ledger",
        sql="update ledger_entry set points = points + 1 where ctid = (select min(ctid) from ledger_entry where journal_id = {})",
        whose="select max(id) from ledger_journal",
        invariant="ledger.journal_sums_to_zero",
        subject="journal:{}",
    ),
    Damage(
        room="activity",
        sql="update activity_posting set grams = grams + 1 where id = {}",
        whose="select max(id) from activity_posting",
        invariant="activity.posting_has_its_hash",
        subject="posting:{}",
    ),
    Damage(
        room="activity",
        sql="insert into activity_mended_row values ({0}, 1, {0}, 1)",
        whose="select max(id) from activity_batch",
        invariant="activity.mended_row_was_made_good",
        subject="batch:{}",
    ),
    Damage(
        room="activity",
        sql="update activity_posting set results_sha256 = sha256('x') where id = {}",
        whose="select max(id) from activity_posting",
        invariant="activity.results_come_out_to_the_byte",
        subject="posting:{}",
    ),
    Damage(
        room="carbon_accounts",
        sql="update carbon_pool set grams = grams + 1, remainder = remainder + 1 where id = {}",
        whose="select max(id) from carbon_pool",
        invariant="carbon_accounts.pool_is_its_postings",
        subject="pool:{}",
    ),
    Damage(
        room="rewards",
        sql="delete from rewards_settlementline where coupon_id = {}",
        whose="select max(coupon_id) from rewards_settlementline",
        invariant="rewards.honoured_has_one_line",
        subject="coupon:{}",
    ),
    Damage(
        room="projects",
        sql="update projects_monitoringreport set remainder_g = remainder_g + 1 where id = {}",
        whose="select max(id) from projects_monitoringreport",
        invariant="4 pool and report",
        subject="monitoring_report:{}",
    ),
    Damage(
        room="registry",
        sql="delete from registry_block where state = 'retired' and issuance_id = {}",
        whose="select max(id) from registry_issuance",
        invariant="2 units of an issuance",
        subject="issuance:{}",
    ),
    Damage(
        room="methodology",
        sql="update methodology_methodologyversion set archive = archive || 'x'::bytea where id = {}",
        whose="select max(id) from methodology_methodologyversion where state = 'filed'",
        invariant="methodology.archive_has_its_hash",
        subject="methodology_version:{}",
    ),
    Damage(
        room="transparency",
        sql="update transparency_leaf set subject = subject || 'x' where id = {}",
        whose="select max(id) from transparency_leaf",
        invariant="transparency.leaf_is_canonical",
        subject="leaf:{}",
    ),
    Damage(
        room="identity",
        sql="update identity_membership set role = 'regulator' where id = {}",
        whose="select max(id) from identity_membership where role = 'merchant'",
        invariant="role_fits_organisation",
        subject="membership:{}",
    ),
    Damage(
        room="workflow",
        sql="update workflow_case set step = step + 1 where number = '{}'",
        whose="select max(number) from workflow_case where closed_at is not null",
        invariant="workflow.state_is_what_was_decided",
        subject="case:{}",
    ),
    Damage(
        room="closures",
        sql="insert into identity_accountclosure (user_id, requested_at, due_at, put_off_for, closed_at) "
        "select owner_id, now(), now(), array[]::text[], now() from ledger_account where id = {}",
        whose="select min(e.account_id) from ledger_entry e join ledger_account a on a.id = e.account_id "
        "where a.owner_type = 'user' and e.n_records > 0",
        invariant="closure.forgotten_everywhere",
        subject="ledger_account:{}",
    ),
)


@contextmanager
def damaged(statement: str) -> Iterator[None]:
    """Do this behind the triggers' back, as only the owner of the database can, and take it back afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(statement)
        assert cursor.rowcount == 1, "one row is spoilt, no more and no less"
        cursor.execute("set local session_replication_role = origin")
        yield
        transaction.set_rollback(True)


def ask(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_a_sound_province_passes_with_one_line_a_room(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invariants.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["✓", room] for room in invariants.CHECKS]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: f"{one.room}: {one.invariant.rpartition('.')[2]}")
def test_one_corrupted_row_is_an_exit_status_and_names_its_subject(
    story: Story, capsys: pytest.CaptureFixture[str], damage: Damage
) -> None:
    target = ask(damage.whose)
    with damaged(damage.sql.format(target)):
        assert invariants.main([damage.room]) == 1
    said = capsys.readouterr().out
    assert f"✗ {damage.room}" in said
    assert f"    {damage.invariant}  {damage.subject.format(target)}  " in said


def test_no_room_is_left_out_of_the_damages() -> None:
    assert {damage.room for damage in DAMAGES} == set(invariants.CHECKS)


def test_an_unknown_name_is_refused_and_nothing_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert invariants.main(["ledger", "astrology"]) == 2
    said = capsys.readouterr()
    assert "astrology" in said.err
    assert "registry" in said.err
    assert said.out == ""
