"""Who closes their account leaves nothing of themselves in a programme that was taken over, whether they accepted or not."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings
from tests.city_programme import Programme, member, open_programme

from tanpuhui.behaviour.carbon_accounts import queries
from tanpuhui.behaviour.carbon_accounts.models import AdmittedBalance
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.config.wiring import install
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.journeys import ask_to_close_account, close_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme(
    db: None, now: datetime, invented_jurisdiction: Path, settings: Settings, tmp_path: Path
) -> Programme:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    install()
    return open_programme(at=now, folder=invented_jurisdiction)


@pytest.mark.parametrize("accepted", [True, False])
def test_nothing_says_whose_balance_it_was_and_the_sums_stay(programme: Programme, accepted: bool) -> None:
    admission_id = programme.admit(member(1, phone="13900000000"), member(2, phone="13900000001"))
    if accepted:
        programme.claim(admission_id)
    person = programme.market.people[0]
    at = programme.at + timedelta(hours=1)
    asked = ask_to_close_account(actor=person, at=at, user_id=int(person.id), idempotency_key="x")
    assert close_account(actor=SYSTEM, at=at, closure_id=asked.closure_id).closed
    mine, other = AdmittedBalance.objects.order_by("number")
    assert (mine.state, mine.points) == ("claimed" if accepted else "declined", 50)
    assert (mine.phone_index, mine.member_index, mine.area, mine.member_since, mine.shown_grams) == (
        None,
    ) * 5
    assert (other.state, other.phone_index is None) == ("waiting", False)
    assert ledger.balance(programme.market.accounts[0]).points == Points(0)
    assert [str(one) for one in (*queries.breaches(), *ledger.breaches())] == []


def test_the_database_lets_nobody_else_be_written_into_what_was_accepted(programme: Programme) -> None:
    admission_id = programme.admit(member(1, phone="13900000000"))
    programme.claim(admission_id)
    with pytest.raises(DatabaseError), transaction.atomic():
        AdmittedBalance.objects.filter(admission_id=admission_id).update(phone_index=b"x" * 32)
