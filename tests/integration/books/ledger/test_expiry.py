"""Points lapse by rule, first in first out, and never by guess."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from tanpuhui.books.ledger import operations, queries
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.rulebook.models import Parameter
from tanpuhui.foundation.rulebook.queries import ParameterUnset

pytestmark = pytest.mark.django_db
FIRST = date(2026, 10, 1)


@pytest.fixture
def account(now: datetime) -> int:
    account = operations.open_account(owner_type="carbon_account", owner_id=1, at=now)
    days = 3
    operations.post_account_days(
        kind="posting",
        reference="f",
        at=now,
        system_code="scheme:credited",
        legs=operations.AccountDayLegs(
            account_id=np.full(days, account, dtype=np.int64),
            day=np.array([FIRST + timedelta(days=10 * i) for i in range(days)], dtype="datetime64[D]"),
            grams=np.zeros(days, dtype=np.int64),
            points=np.full(days, 100, dtype=np.int64),
            n_records=np.ones(days, dtype=np.int64),
        ),
    )
    return account


def spend(account: int, now: datetime, points: int, *, back: bool = False) -> None:
    reserved = operations.system_account("points:reserved")
    operations.transfer(
        kind="back" if back else "spend",
        reference=str(points),
        at=now,
        day=business_day(now),
        debit_account_id=reserved if back else account,
        credit_account_id=account if back else reserved,
        points=Points(points),
        restores=back,
    )


def valid_for(days: int) -> None:
    Parameter.objects.create(
        key="points.validity_days", scope="", value=str(days), unit="d", basis="test", confidence="TEST", note="",
        pack="test", rank=1, valid_from=date(2020, 1, 1),
    )  # fmt: skip


def test_only_what_is_left_of_the_old_days_lapses(account: int, now: datetime) -> None:
    valid_for(30)
    spend(account, now, 130)
    expired = operations.expire_points(actor=SYSTEM, at=now)
    assert (expired.points, expired.accounts) == (Points(70), 1)
    assert queries.balance(account).points == Points(100)
    assert queries.system_total("points:expired").points == Points(70)
    assert [lot.day for lot in queries.points_lots(account, validity_days=30)] == [date(2026, 10, 21)]
    assert list(queries.breaches()) == []


def test_the_last_day_of_a_lot_is_still_good(account: int, now: datetime) -> None:
    valid_for(50)
    on_last_day = operations.expire_points(actor=SYSTEM, at=now)
    assert (on_last_day.points, on_last_day.journal_id) == (Points(0), None)
    assert operations.expire_points(actor=SYSTEM, at=now + timedelta(days=1)).points == Points(100)


def test_a_second_run_on_the_same_day_takes_nothing_more(account: int, now: datetime) -> None:
    valid_for(30)
    operations.expire_points(actor=SYSTEM, at=now)
    assert operations.expire_points(actor=SYSTEM, at=now + timedelta(hours=1)).points == Points(0)
    assert list(queries.breaches()) == []


def test_points_that_come_back_after_their_day_lapse_with_the_next_run(account: int, now: datetime) -> None:
    valid_for(45)
    spend(account, now, 100)
    assert operations.expire_points(actor=SYSTEM, at=now).points == Points(0)
    assert operations.expire_points(actor=SYSTEM, at=now + timedelta(minutes=1)).journal_id is None
    spend(account, now, 100, back=True)
    assert operations.expire_points(actor=SYSTEM, at=now + timedelta(hours=1)).points == Points(100)
    assert queries.balance(account).points == Points(200)


def test_nothing_lapses_while_the_rule_is_unset(account: int, now: datetime) -> None:
    with pytest.raises(ParameterUnset):
        operations.expire_points(actor=SYSTEM, at=now)
    assert queries.balance(account).points == Points(300)
