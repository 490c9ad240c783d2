"""A person's file that says: my grams are in this pool, and this pool is in the public log."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings
from tests.integration.behaviour.activity import town as made_up
from tests.integration.behaviour.carbon_accounts.test_accounts_and_pools import AFTER, citizen, pool, ride

from tanpuhui.behaviour.activity.events import BatchReceived
from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.events import MonthPooled
from tanpuhui.behaviour.carbon_accounts.models import PoolContributions
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.books.transparency.queries import verify_pool_inclusion
from tanpuhui.foundation.identity.operations import withdraw_consent
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.foundation.persistence.events import install_subscribers

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Settings, tmp_path: Path, invented_jurisdiction: Path) -> made_up.Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    built = made_up.build(
        subjects=["S1", "S2", "S3", "S4"], scenarios=(("bus", "a01-bus"),), with_accounts=False
    )
    install_subscribers({BatchReceived: ("activity.post_batch",), MonthPooled: ()})
    for user_id in built.users.values():
        operations.open_carbon_account(actor=citizen(user_id), at=made_up.LONG_AGO, user_id=user_id)
    return built


def test_each_persons_grams_are_proved_in_the_pool_and_in_no_other(
    town: made_up.Town, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (
        "tanpuhui.behaviour.carbon_accounts.operations._pool_month",
        "tanpuhui.behaviour.carbon_accounts.queries._contributions",
    ):
        monkeypatch.setattr(f"{room}.PART_LEAVES", 2)
    for number, subject in enumerate(("S1", "S2", "S3"), start=1):
        ride(town, number, day="2026-11-18", subject=subject, at=now)
    ride(town, 4, day="2026-11-19", subject="S1", at=now)
    first = pool()
    sequence_leaves(at=AFTER)
    keys, total = published_key_set(), 0
    for subject in ("S1", "S2", "S3"):
        user_id = town.users[subject]
        (mine,) = queries.contributions(user_id)
        file = queries.pool_inclusion(user_id, pool_id=first.pool_id)
        verdict = verify_pool_inclusion(file, keys)
        assert verdict.valid, verdict.checks
        contribution = json.loads(file)["contribution"]
        assert contribution["grams"] == str(mine.grams.value)
        assert contribution["account"] == queries.account_of_user(user_id).number[6:16]
        total += mine.grams.value
        assert mine.people == 3
    assert Grams(total) == first.grams
    assert queries.contributions(town.users["S4"]) == ()
    with pytest.raises(NotFound):
        queries.pool_inclusion(town.users["S4"], pool_id=first.pool_id)
    assert list(queries.breaches()) == []
    # What comes later is in the next pool, and only there.
    ride(town, 5, day="2026-11-28", subject="S1", at=AFTER)
    later = AFTER + timedelta(days=31)
    second = pool(later, month="2026-12", key="p2")
    latest = queries.contributions(town.users["S1"])[0]
    assert (latest.pool_id, latest.grams) == (second.pool_id, second.grams)
    with pytest.raises(NotFound):
        queries.pool_inclusion(town.users["S2"], pool_id=second.pool_id)


def test_a_consent_withdrawn_later_leaves_pool_and_proof_as_they_were(
    town: made_up.Town, now: datetime
) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    made = pool()
    sequence_leaves(at=AFTER)
    user_id = town.users["S1"]
    before = queries.pool_inclusion(user_id, pool_id=made.pool_id)
    withdraw_consent(actor=citizen(user_id), at=AFTER, user_id=user_id, scenario="bus")
    assert queries.pool_inclusion(user_id, pool_id=made.pool_id) == before
    assert verify_pool_inclusion(before, published_key_set()).valid


def test_until_a_head_covers_the_pool_the_proof_is_pending(town: made_up.Town, now: datetime) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    made = pool()
    with pytest.raises(Refusal, match="PROOF_PENDING"):
        queries.pool_inclusion(town.users["S1"], pool_id=made.pool_id)


def test_a_pool_from_before_the_proofs_says_so(town: made_up.Town, now: datetime) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    made = pool()
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("delete from carbon_pool_part; delete from carbon_pool_contributions")
        cursor.execute("set local session_replication_role = origin")
    user_id = town.users["S1"]
    assert [one.people for one in queries.contributions(user_id)] == [None]
    with pytest.raises(Refusal, match="NO_POOL_PROOF"):
        queries.pool_inclusion(user_id, pool_id=made.pool_id)


def test_the_secret_is_sealed_where_it_lies(town: made_up.Town, now: datetime) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    made = pool()
    secret = PoolContributions.objects.get(pool_id=made.pool_id).secret
    with connection.cursor() as cursor:
        cursor.execute("select secret from carbon_pool_contributions")
        stored = bytes(cursor.fetchone()[0])
    assert secret.encode() not in stored
    assert bytes.fromhex(secret) not in stored
