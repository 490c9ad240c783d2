"""What the book does with single transfers and bulk postings, against a real database."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from tanpuhui.books.ledger import operations, queries
from tanpuhui.books.ledger.operations import AccountDayLegs
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 19)


def legs(*rows: tuple[int, date, int, int, int]) -> AccountDayLegs:
    account, day, grams, points, records = zip(*sorted(rows), strict=True)
    return AccountDayLegs(
        account_id=np.array(account, dtype=np.int64),
        day=np.array(day, dtype="datetime64[D]"),
        grams=np.array(grams, dtype=np.int64),
        points=np.array(points, dtype=np.int64),
        n_records=np.array(records, dtype=np.int64),
    )


@pytest.fixture
def accounts(now: datetime) -> list[int]:
    opened = operations.open_accounts(owner_type="carbon_account", owner_ids=[11, 12, 13], at=now)
    return [opened[owner] for owner in (11, 12, 13)]


def credit(accounts: list[int], now: datetime, reference: str = "file:1") -> operations.JournalPosted:
    rows = [(account, DAY, 1000 * (i + 1), 100 * (i + 1), 2) for i, account in enumerate(accounts)]
    rows.append((accounts[0], date(2026, 11, 18), 5, 0, 1))
    return operations.post_account_days(
        kind="posting", reference=reference, at=now, system_code="scheme:credited", legs=legs(*rows)
    )


def move(now: datetime, debit: int, to: int, reference: str = "t1", **amounts: Grams | Points | Fen) -> int:
    return operations.transfer(
        kind="test",
        reference=reference,
        at=now,
        day=DAY,
        debit_account_id=debit,
        credit_account_id=to,
        **amounts,
    )  # type: ignore[arg-type]


def breaches() -> list[str]:
    return [breach.invariant for breach in queries.breaches()]


def test_a_bulk_posting_credits_every_account_and_balances(accounts: list[int], now: datetime) -> None:
    posted = credit(accounts, now)
    assert (posted.grams, posted.points, posted.entries) == (Grams(6005), Points(600), 5)
    assert queries.balance(accounts[0]) == queries.Balance(grams=Grams(1005), points=Points(100), fen=Fen(0))
    assert queries.system_total("scheme:credited").grams == Grams(-6005)
    assert breaches() == []


def test_the_same_file_posted_again_changes_nothing(accounts: list[int], now: datetime) -> None:
    first = credit(accounts, now)
    again = credit(accounts, now)
    assert again.repeated
    assert (again.journal_id, again.grams, again.points) == (first.journal_id, first.grams, first.points)
    assert queries.balance(accounts[2]).grams == Grams(3000)


def test_an_account_nobody_opened_stops_the_whole_posting(accounts: list[int], now: datetime) -> None:
    with pytest.raises(operations.UnknownAccount), transaction.atomic():
        credit([*accounts[:2], 987654], now)
    assert queries.balance(accounts[0]).grams == Grams(0)
    assert breaches() == []


def test_a_system_account_cannot_be_posted_to_as_an_owner(accounts: list[int], now: datetime) -> None:
    with pytest.raises(operations.UnknownAccount), transaction.atomic():
        credit([*accounts, operations.system_account("points:reserved")], now)


@pytest.mark.parametrize("rows", [[(1, DAY), (1, DAY)], [(2, DAY), (1, DAY)], []])
def test_legs_out_of_order_or_twice_are_refused(rows: list[tuple[int, date]]) -> None:
    column = np.ones(len(rows), dtype=np.int64)
    with pytest.raises(operations.NotABooking):
        AccountDayLegs(
            account_id=np.array([row[0] for row in rows], dtype=np.int64),
            day=np.array([row[1] for row in rows], dtype="datetime64[D]"),
            grams=column,
            points=column,
            n_records=column,
        )


def test_a_correction_takes_what_is_there_and_the_rest_is_due(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    reserved = operations.system_account("points:reserved")
    move(now, accounts[0], reserved, points=Points(80))
    corrected = operations.post_account_days(
        kind="recalculation",
        reference="r1",
        at=now,
        system_code="scheme:credited",
        legs=legs(
            (accounts[0], date(2026, 11, 18), -5, 0, 1),
            (accounts[0], DAY, -400, -50, 1),
            (accounts[1], DAY, 10, 1, 1),
        ),
    )
    assert (corrected.grams, corrected.points) == (Grams(-395), Points(-19))
    assert (corrected.due_grams, corrected.due_points) == (Grams(0), Points(30))
    assert queries.balance(accounts[0]).points == Points(0)
    assert queries.clawback_due(accounts[0]) == (Grams(0), Points(30))
    assert breaches() == []
    repeated = operations.post_account_days(
        kind="recalculation",
        reference="r1",
        at=now,
        system_code="scheme:credited",
        legs=legs((accounts[0], DAY, -1, 0, 1)),
    )
    assert repeated.due_points == Points(30)


def test_what_cannot_be_taken_goes_back_to_the_latest_day_first(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    operations.post_account_days(
        kind="recalculation",
        reference="r2",
        at=now,
        system_code="scheme:credited",
        legs=legs((accounts[0], date(2026, 11, 17), -600, 0, 1), (accounts[0], DAY, -600, 0, 1)),
    )
    by_day = {e.day: e.grams for e in queries.entries(accounts[0], limit=9) if e.kind == "recalculation"}
    assert by_day == {date(2026, 11, 17): Grams(-600), DAY: Grams(-405)}
    assert queries.clawback_due(accounts[0])[0] == Grams(195)
    assert breaches() == []


def owe(account: int, now: datetime, points: int = 30) -> None:
    """Let an account that has used all its points owe some, and 195 g besides."""
    move(now, account, operations.system_account("points:reserved"), "spent", points=Points(100))
    operations.post_account_days(
        kind="recalculation", reference="owed", at=now, system_code="scheme:credited",
        legs=legs((account, DAY, -1200, -points, 1)),
    )  # fmt: skip


def test_a_later_credit_pays_what_is_due_first_and_once(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    owe(accounts[0], now)
    assert queries.clawback_due(accounts[0]) == (Grams(195), Points(30))
    for _ in range(2):
        operations.post_account_days(
            kind="posting", reference="file:2", at=now, system_code="scheme:credited",
            legs=legs((accounts[0], DAY, 150, 100, 1), (accounts[1], DAY, 7, 7, 1)),
        )  # fmt: skip
    assert queries.clawback_due(accounts[0]) == (Grams(45), Points(0))
    held = queries.balance(accounts[0])
    assert (held.grams, held.points) == (Grams(0), Points(70))
    paid = [entry for entry in queries.entries(accounts[0], limit=9) if entry.kind == "clawback_settlement"]
    assert [(entry.grams, entry.points) for entry in paid] == [(Grams(-150), Points(-30))]
    assert queries.balance(accounts[1]).points == Points(207)
    assert breaches() == []


def test_points_given_back_pay_what_is_due_at_night(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    owe(accounts[0], now)
    assert operations.settle_due(actor=SYSTEM, at=now).journal_id is None
    operations.transfer(
        kind="back", reference="spent", at=now, day=DAY, points=Points(100), restores=True,
        debit_account_id=operations.system_account("points:reserved"), credit_account_id=accounts[0],
    )  # fmt: skip
    settled = operations.settle_due(actor=SYSTEM, at=now)
    assert (settled.accounts, settled.grams, settled.points) == (1, Grams(0), Points(30))
    assert operations.settle_due(actor=SYSTEM, at=now).accounts == 0
    assert queries.balance(accounts[0]).points == Points(70)
    assert [lot.points for lot in queries.points_lots(accounts[0], validity_days=None)] == [Points(70)]
    assert breaches() == []


def test_a_transfer_moves_and_repeating_it_does_not(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    first = move(now, accounts[2], accounts[0], grams=Grams(500), points=Points(7))
    assert move(now, accounts[2], accounts[0], grams=Grams(500), points=Points(7)) == first
    assert queries.balance(accounts[0]).points == Points(107)
    assert queries.balance(accounts[2]).grams == Grams(2500)
    assert breaches() == []


def test_the_same_reference_for_another_booking_is_refused(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    move(now, accounts[2], accounts[0], grams=Grams(500))
    with pytest.raises(operations.ReferenceReused), transaction.atomic():
        move(now, accounts[2], accounts[0], grams=Grams(501))


def test_overspending_is_refused_and_says_what_is_there(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    with pytest.raises(operations.InsufficientBalance) as refused, transaction.atomic():
        move(now, accounts[0], accounts[1], points=Points(101))
    assert refused.value.data["points"] == 100
    assert "100" in refused.value.message("zh")
    assert queries.balance(accounts[1]).points == Points(200)
    assert queries.entries(accounts[1], limit=5)[0].kind == "posting"


@pytest.mark.parametrize(("debit", "to", "points"), [(0, 0, 5), (0, 1, 0), (0, 1, -5)])
def test_what_is_no_movement_is_refused(
    accounts: list[int], now: datetime, debit: int, to: int, points: int
) -> None:
    credit(accounts, now)
    with pytest.raises(operations.NotABooking), transaction.atomic():
        move(now, accounts[debit], accounts[to], points=Points(points))


def test_an_unknown_account_gets_nothing(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    with pytest.raises(operations.UnknownAccount), transaction.atomic():
        move(now, accounts[0], 987654, points=Points(1))


def test_history_is_newest_first_and_pages(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    for n in range(3):
        move(now, accounts[2], accounts[0], reference=f"p{n}", points=Points(n + 1))
    newest = queries.entries(accounts[2], limit=2)
    assert [entry.points for entry in newest] == [Points(-3), Points(-2)]
    older = queries.entries(accounts[2], limit=5, before=newest[-1].cursor)
    assert [entry.points for entry in older] == [Points(-1), Points(300)]
    assert queries.totals(accounts[2], first_day=DAY, last_day=DAY).points == Points(294)


@pytest.mark.parametrize(
    ("corruption", "invariant"),
    [
        ("update ledger_entry set grams = grams + 1 where account_id = %s", "ledger.journal_sums_to_zero"),
        (
            "update ledger_balance set points = points + 1 where account_id = %s",
            "ledger.balance_is_sum_of_entries",
        ),
        ("delete from ledger_balance where account_id = %s", "ledger.balance_is_sum_of_entries"),
        ("update ledger_journal set grams = 1 where id > 0 or %s > 0", "ledger.journal_totals"),
        ("update ledger_journal set digest = sha256('x') where %s > 0", "ledger.journal_digest"),
        ("update ledger_balance set clawback_due_grams = 3 where account_id = %s", "ledger.clawback_due"),
        ("update ledger_entry set account_id = 55 where account_id = %s", "ledger.entry_of_known_account"),
        ("delete from ledger_journal where %s > 0", "ledger.journal_totals"),
    ],
)
def test_a_corrupted_row_is_found_whole_and_in_parts(
    accounts: list[int], now: datetime, corruption: str, invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    credit(accounts, now)
    move(now, accounts[1], accounts[2], reference="another journal", points=Points(1))
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(corruption, [accounts[0]])
        cursor.execute("set local session_replication_role = origin")
    whole = sorted(str(one) for one in queries.breaches())
    assert any(one.startswith(f"{invariant} ") for one in whole)
    for size in ("ENTRIES_AT_ONCE", "ACCOUNTS_AT_ONCE"):
        monkeypatch.setattr(f"tanpuhui.books.ledger.queries._breaches.{size}", 1)
    assert sorted(str(one) for one in queries.breaches()) == whole


def test_the_database_itself_refuses_a_negative_balance(accounts: list[int]) -> None:
    with pytest.raises(DatabaseError, match="ledger_balance_not_negative"), transaction.atomic():
        connection.cursor().execute(
            "update ledger_balance set points = -1 where account_id = %s", [accounts[0]]
        )


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_journal", "ledger_clawback", "ledger_account"])
def test_the_book_only_grows(accounts: list[int], now: datetime, table: str) -> None:
    credit(accounts, now)
    if table == "ledger_clawback":
        connection.cursor().execute("insert into ledger_clawback values (%s, 1, 1, 1)", [accounts[0]])
    column = {"ledger_entry": "grams", "ledger_clawback": "grams"}.get(table, "id")
    for attack in (
        f"update {table} set {column} = {column} + 1",
        f"delete from {table}",
        f"truncate {table} cascade",
    ):
        with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
            connection.cursor().execute(attack)


def test_points_know_their_lots_and_a_refund_restores_them(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    reserved = operations.system_account("points:reserved")
    move(now, accounts[0], reserved, points=Points(60))
    assert [lot.points for lot in queries.points_lots(accounts[0], validity_days=30)] == [Points(40)]
    operations.transfer(
        kind="back", reference="1", at=now, day=date(2026, 11, 25), debit_account_id=reserved,
        credit_account_id=accounts[0], points=Points(60), restores=True,
    )  # fmt: skip
    (lot,) = queries.points_lots(accounts[0], validity_days=30)
    assert (lot.day, lot.points, lot.expires_on) == (DAY, Points(100), date(2026, 12, 19))


def test_amounts_come_back_as_whole_numbers(accounts: list[int], now: datetime) -> None:
    credit(accounts, now)
    total = queries.system_total("scheme:credited").grams.value
    assert type(total) is int
    assert not isinstance(total, Decimal)
