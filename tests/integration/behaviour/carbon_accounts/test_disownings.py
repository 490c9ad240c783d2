"""A person says that a record on their account is not theirs: one examines, another decides, and the books follow."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from tests.integration.behaviour.activity.town import CITY, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.models import RecordDisowning
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted, Refusal
from tanpuhui.foundation.messages.models import Message
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.workflow.operations import SamePerson, decide

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
WHY = "那天卡借给了同事"


@pytest.fixture
def town(db: None, now: datetime) -> Town:
    town = build(subjects=["S1", "S2"])
    load_templates(actor=SYSTEM, at=now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    operations.open_carbon_accounts(actor=MAKER, at=now, user_ids=tuple(town.users.values()))
    town.post(csv(bus("R1"), bus("R2", distance="1")), at=now)
    return town


def person(town: Town, subject: str = "S1") -> Actor:
    return Actor(kind="user", id=str(town.users[subject]), grants=(Grant(role=Role.CITIZEN, area=CITY),))


def disowned(
    town: Town, now: datetime, *, subject: str = "S1", row: int = 3, key: str = "k"
) -> operations.DisowningLodged:
    return operations.disown_record(
        actor=person(town, subject), at=now, user_id=town.users[subject], posting_id=Posting.objects.get().pk,
        row=row, statement=WHY, idempotency_key=key,
    )  # fmt: skip


def decided(case_id: int, outcome: str, actor: Actor, at: datetime) -> None:
    decide(
        actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="已向报送单位核实"
    )


def grams(town: Town, subject: str = "S1") -> int:
    return ledger.balance(town.accounts[subject]).grams.value


def sound() -> list[str]:
    return [str(one) for one in (*activity.breaches(), *queries.breaches(), *ledger.breaches())]


def refusal(code: str, town: Town, now: datetime, **given: object) -> None:
    with pytest.raises(Refusal) as refused:
        disowned(town, now, **given)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_an_upheld_disowning_takes_the_record_back_by_entries(town: Town, now: datetime) -> None:
    made = disowned(town, now)
    assert grams(town) == 488, "nothing changes before it is decided"
    refusal("RECORD_DISOWNED_ALREADY", town, now, key="again")
    decided(made.case_id, "examine", MAKER, now)
    both = Actor(kind="user", id=MAKER.id, grants=(*MAKER.grants, *CHECKER.grants))
    with pytest.raises(SamePerson):
        decided(made.case_id, "uphold", both, now)

    decided(made.case_id, "uphold", CHECKER, now)

    assert grams(town) == 436
    assert [one.state for one in queries.disownings_of_user(town.users["S1"])] == ["upheld"]
    last = activity.last_exception(posting_id=Posting.objects.get().pk, row=3)
    assert last is not None
    assert (last.excluded, last.reason, last.case_id) == (True, "DISOWNED", made.case_id)
    refusal("RECORD_COUNTS_NOT", town, now, key="after")
    assert sound() == []


def test_a_dismissed_one_changes_nothing_and_one_taken_back_may_be_said_again(
    town: Town, now: datetime
) -> None:
    made = disowned(town, now)
    decided(made.case_id, "withdraw", person(town), now)
    made = disowned(town, now, key="again")
    decided(made.case_id, "examine", MAKER, now)
    decided(made.case_id, "dismiss", CHECKER, now)
    assert grams(town) == 488
    refusal("RECORD_DISOWNED_ALREADY", town, now, key="third")
    assert sound() == []


def test_only_a_record_of_ones_own_account_can_be_disowned(town: Town, now: datetime) -> None:
    refusal("RECORD_NOT_FOUND", town, now, subject="S2")
    refusal("RECORD_NOT_FOUND", town, now, row=9)
    with pytest.raises(NotPermitted):
        operations.disown_record(
            actor=person(town, "S2"), at=now, user_id=town.users["S1"], posting_id=Posting.objects.get().pk,
            row=3, statement=WHY, idempotency_key="x",
        )  # fmt: skip


def test_the_sender_is_told_which_row_and_nothing_of_the_person(town: Town, now: datetime) -> None:
    clerk = User.objects.create(
        username="clerk",
        display_name="报送员",
        is_citizen=False,
        joined_at=now,
        organisation_id=town.partner_id,
    )
    Membership.objects.create(
        user=clerk,
        organisation_id=town.partner_id,
        role=Role.PARTNER,
        area="990100",
        valid_from=now - timedelta(days=1),
    )
    made = disowned(town, now)
    decided(made.case_id, "examine", MAKER, now)
    decided(made.case_id, "uphold", CHECKER, now)
    (told,) = Message.objects.filter(event=f"record_disowning:{made.disowning_id}")
    posting = Posting.objects.get()
    assert (told.user_id, told.link) == (clerk.pk, f"/w/batches/{posting.batch_id}")
    assert told.data == {"batch": str(posting.batch_id), "row": "3", "day": "2026-11-18"}


def test_an_upheld_disowning_that_took_nothing_back_is_found(town: Town, now: datetime) -> None:
    made = disowned(town, now)
    RecordDisowning.objects.filter(pk=made.disowning_id).update(state="upheld")
    assert [line.split()[0] for line in sound()] == ["carbon_accounts.upheld_disownings_take_back"]
