"""From rides in a file to a person's statement, and from a month of postings to whole tonnes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings
from tests.integration.behaviour.activity import town as made_up

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.events import BatchReceived
from tanpuhui.behaviour.activity.models import Feed
from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.events import MonthPooled
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import register_citizen
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted, Refusal
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.foundation.persistence.events import install_subscribers, subscribed_tasks
from tanpuhui.foundation.rulebook.models import Parameter

pytestmark = pytest.mark.django_db
AFTER = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
MAKER = Actor(kind="user", id="700", grants=(Grant(role=Role.MAKER, area="990000"),))


def citizen(user_id: int) -> Actor:
    return Actor(kind="user", id=str(user_id), grants=(Grant(role=Role.CITIZEN, area=made_up.CITY),))


@pytest.fixture
def town(settings: Settings, tmp_path: Path, invented_jurisdiction: Path) -> made_up.Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    built = made_up.build(subjects=["S1", "S2"], scenarios=(("bus", "a01-bus"),), with_accounts=False)
    install_subscribers({BatchReceived: ("activity.post_batch",), MonthPooled: ()})
    for user_id in built.users.values():
        operations.open_carbon_account(actor=citizen(user_id), at=made_up.LONG_AGO, user_id=user_id)
    return built


def ride(town: made_up.Town, number: int, *, day: str, subject: str = "S1", at: datetime) -> None:
    content = made_up.csv(made_up.bus(f"r{number}", subject, started=f"{day}T08:00:00+08:00"))
    town.post(content, at=at, key=f"k{number}")


def pool(
    at: datetime = AFTER, *, month: str = "2026-11", key: str = "p", why: str = ""
) -> operations.MonthPooled:
    return operations.pool_month(
        actor=MAKER, at=at, idempotency_key=key, scenario="bus", month=month, decided_because=why
    )


def test_a_person_has_one_account_however_often_it_is_opened(town: made_up.Town, now: datetime) -> None:
    user_id = town.users["S1"]
    first = operations.open_carbon_account(actor=citizen(user_id), at=now, user_id=user_id)
    again = operations.open_carbon_accounts(actor=MAKER, at=now, user_ids=tuple(town.users.values()))
    assert (again.opened, again.standing) == (0, 2)
    account = queries.account_of_user(user_id)
    assert (account.number, account.area) == (first.number, made_up.CITY)


def test_nobody_opens_an_account_for_somebody_else(town: made_up.Town, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        operations.open_carbon_account(
            actor=citizen(town.users["S1"] + 10_000), at=now, user_id=made_up_user(now)
        )
    elsewhere = Actor(kind="user", id="701", grants=(Grant(role=Role.MAKER, area="980000"),))
    with pytest.raises(NotPermitted):
        operations.open_carbon_accounts(actor=elsewhere, at=now, user_ids=(made_up_user(now, "13900009998"),))


def made_up_user(now: datetime, phone: str = "13900009999") -> int:
    return register_citizen(
        actor=SYSTEM, at=now, phone=phone, display_name="新市民", area=made_up.CITY
    ).user_id


def test_without_an_account_there_is_no_home(now: datetime, settings: Settings, tmp_path: Path) -> None:
    settings.TANPUHUI_DATA_DIR = tmp_path
    with pytest.raises(queries.NoCarbonAccount):
        queries.home(made_up_user(now), at=now)


def test_home_and_statement_say_what_the_ledger_says(town: made_up.Town, now: datetime) -> None:
    for number, day in enumerate(("2026-10-05", "2026-10-25", "2026-11-03", "2026-11-18")):
        ride(town, number, day=day, at=now)
    user_id = town.users["S1"]
    account = queries.account_of_user(user_id).ledger_account_id
    home = queries.home(user_id, at=now)
    held = ledger.balance(account)
    assert home.grams == held.grams
    assert home.points == held.points
    assert home.month_grams == Grams(held.grams.value // 2)
    assert home.previous_month_grams == Grams(held.grams.value // 4)
    assert [record.day for record in home.recent] == [
        date(2026, 11, 18),
        date(2026, 11, 3),
        date(2026, 10, 25),
    ]
    assert sum(lot.points.value for lot in home.lots) == held.points.value
    november = queries.statement(user_id, Month(2026, 11))
    assert [day.day for day in november.days] == [date(2026, 11, 3), date(2026, 11, 18)]
    assert november.opening.grams == Grams(held.grams.value // 2)
    assert november.days[-1].balance_grams == november.closing.grams == held.grams
    assert (
        november.days[0].balance_points.value == november.opening.points.value + november.days[0].points.value
    )
    assert queries.statement(user_id, Month(2026, 9)).closing.grams == Grams(0)


def test_only_the_person_sees_why(town: made_up.Town, now: datetime) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    (record,) = queries.home(town.users["S1"], at=now).recent
    shown = queries.explanation(town.users["S1"], posting_id=record.posting_id, row=record.row)
    assert shown.record.grams == record.grams
    with pytest.raises(Refusal) as refused:
        queries.explanation(town.users["S2"], posting_id=record.posting_id, row=record.row)
    assert refused.value.code == "RECORD_NOT_FOUND"


def test_a_month_is_pooled_once_and_the_remainder_is_carried(town: made_up.Town, now: datetime) -> None:
    ride(town, 1, day="2026-10-30", at=now)
    ride(town, 2, day="2026-11-18", subject="S2", at=now)
    credited = sum(
        p.grams.value for p in activity.postings_of_scenario(scenario="bus", through_month=Month(2026, 11))
    )
    pooled = pool()
    assert (pooled.grams, pooled.carried_in, pooled.tonnes) == (Grams(credited), Grams(0), Tonnes(0))
    assert pooled.remainder == Grams(credited)
    assert pool() == pooled
    view = queries.pool(pooled.pool_id)
    assert (view.postings, view.first_day, view.last_day) == (2, date(2026, 10, 1), date(2026, 11, 30))
    assert view.methodologies
    with pytest.raises(operations.AlreadyPooled):
        pool(key="p2")
    ride(town, 3, day="2026-11-28", at=AFTER)
    later = pool(AFTER + timedelta(days=31), month="2026-12", key="p3")
    assert later.carried_in == pooled.remainder
    assert later.remainder == Grams(credited + later.grams.value)
    assert [row.month for row in queries.pools(scenario="bus")] == ["2026-12", "2026-11"]
    assert list(queries.breaches()) == []


def test_lower_evidence_never_becomes_certified(town: made_up.Town, now: datetime) -> None:
    Feed.objects.update(evidence_tier=3)
    ride(town, 1, day="2026-11-18", at=now)
    assert queries.home(town.users["S1"], at=now).grams > Grams(0)
    with pytest.raises(operations.NothingToPool):
        pool()


def test_a_month_is_not_pooled_before_it_is_over_and_settled(town: made_up.Town, now: datetime) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    with pytest.raises(operations.PoolTooEarly) as refused:
        pool(now)
    assert refused.value.data["earliest"] == date(2026, 12, 1)
    rule(value="10")
    with pytest.raises(operations.PoolTooEarly):
        pool(AFTER + timedelta(days=9), key="p2")
    assert pool(AFTER + timedelta(days=10), key="p3").grams > Grams(0)


def rule(*, value: str | None) -> None:
    Parameter.objects.create(
        key="pool.settle_days", scope="bus", value=value, unit="d", basis="test", confidence="TEST", note="",
        pack="narrower", rank=99, valid_from=date(2020, 1, 1),
    )  # fmt: skip


def test_where_no_rule_says_how_long_to_wait_a_person_gives_the_reason(
    town: made_up.Town, now: datetime
) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    rule(value=None)
    for key, reason in (("p1", ""), ("p2", "  ")):
        with pytest.raises(operations.SettleDaysUndecided):
            pool(key=key, why=reason)
    pooled = pool(key="p3", why="各伙伴已确认十一月数据完整")
    view = queries.pool(pooled.pool_id)
    assert (view.settle_days, view.decided_because) == (None, "各伙伴已确认十一月数据完整")


@pytest.mark.parametrize("month", ["2026-13", "november", "", "2026-1"])
def test_what_is_no_month_is_refused(town: made_up.Town, month: str) -> None:
    with pytest.raises(Invalid):
        pool(month=month)


def test_only_a_maker_pools(town: made_up.Town, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        operations.pool_month(
            actor=citizen(town.users["S1"]), at=AFTER, idempotency_key="x", scenario="bus", month="2026-11"
        )


def test_pooling_is_told_to_whoever_listens(town: made_up.Town, now: datetime) -> None:
    assert subscribed_tasks(MonthPooled) == ()
    install_subscribers({BatchReceived: ("activity.post_batch",)})
    ride(town, 1, day="2026-11-18", at=now)
    with pytest.raises(LookupError):
        pool()


@pytest.mark.parametrize(
    ("corruption", "invariant"),
    [
        ("update carbon_pool set grams = grams + 1, remainder = remainder + 1", "pool_is_its_postings"),
        ("update carbon_pool_posting set grams = grams + 1", "pooled_within_credited"),
        ("update carbon_pool_posting set posting_id = -1", "pooled_within_credited"),
        ("update carbon_pool set root = repeat('0', 64)", "pool_root"),
        ("update carbon_pool set carried_in = 1, remainder = remainder + 1", "remainder_is_carried"),
        ("update carbon_account set ledger_account_id = -user_id", "account_has_its_ledger_account"),
        ("update carbon_pool_part set root = sha256('x')", "contributions_are_the_entries"),
        ("update carbon_pool_contributions set grams = grams + 1", "contributions_add_up"),
        ("update carbon_pool_contributions set people = people + 1", "contributions_are_in_the_log"),
    ],
)
def test_a_corrupted_row_is_found(town: made_up.Town, now: datetime, corruption: str, invariant: str) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    pool()
    assert list(queries.breaches()) == []
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(corruption)
        cursor.execute("set local session_replication_role = origin")
    assert f"carbon_accounts.{invariant}" in {breach.invariant for breach in queries.breaches()}


@pytest.mark.parametrize(
    "attack",
    [
        "update carbon_pool set tonnes = 1",
        "delete from carbon_pool_posting",
        "update carbon_pool_part set people = 9",
        "delete from carbon_pool_contributions",
        "truncate carbon_account cascade",
    ],
)
def test_pools_and_accounts_only_grow(town: made_up.Town, now: datetime, attack: str) -> None:
    ride(town, 1, day="2026-11-18", at=now)
    pool()
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
            cursor.execute(attack)


def test_a_maker_of_a_part_of_the_jurisdiction_may_not_pool_for_the_whole(town: made_up.Town) -> None:
    ride(town, 1, day="2026-11-02", at=AFTER)
    local = Actor(kind="user", id="702", grants=(Grant(role=Role.MAKER, area="990100"),))
    with pytest.raises(NotPermitted):
        operations.pool_month(actor=local, at=AFTER, idempotency_key="p", scenario="bus", month="2026-11")
