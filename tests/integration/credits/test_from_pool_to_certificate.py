from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.credits_cast import CreditsCast

from tanpuhui.books.transparency.queries import opens_commitment
from tanpuhui.credits.projects import queries as projects
from tanpuhui.credits.projects.domain import NothingToIssue, NotVerified, PoolAlreadyReported
from tanpuhui.credits.projects.operations import check_preparation
from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.domain import NotEnoughUnits, Purpose, TransferClosed, TransferToSelf
from tanpuhui.credits.registry.models import Block, Certificate, Issuance
from tanpuhui.credits.registry.operations import (
    Beneficiary,
    TransferOffered,
    UnitsRetired,
    accept_transfer,
    decline_transfer,
    issue_units,
    offer_transfer,
    retire_units,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow.operations import SamePerson

EVENT = Beneficiary(kind="event", name="湿地徒步大会", code="EV-1")


def offer(
    cast: CreditsCast, issuance_id: int, tonnes: int, *, key: str = "offer", actor: Actor | None = None
) -> TransferOffered:
    return offer_transfer(
        actor=actor or cast.owner, at=cast.at, issuance_id=issuance_id, source_organisation_id=cast.owner_id,
        target_organisation_id=cast.buyer_id, quantity=Tonnes(tonnes), idempotency_key=key,
    )  # fmt: skip


def retire(cast: CreditsCast, issuance_id: int, tonnes: int, **changed: Any) -> UnitsRetired:
    arguments: dict[str, Any] = {
        "actor": cast.owner, "at": cast.at, "organisation_id": cast.owner_id, "issuance_id": issuance_id,
        "quantity": Tonnes(tonnes), "beneficiary": EVENT, "purpose": Purpose.EVENT, "purpose_text": "大型活动碳中和",
        "idempotency_key": "retire",
    }  # fmt: skip
    return retire_units(**{**arguments, **changed})


def nothing_is_broken() -> None:
    assert [*registry.breaches(), *projects.breaches()] == []


def test_a_verified_report_becomes_one_serial_block_of_its_owner(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    assert issued.serial.startswith("HH99-P0001-2026-00000001-00000100-")
    holding = registry.holding(organisation_id=cast.owner_id)
    assert holding.by_state == {"held": Tonnes(100), "in_transit": Tonnes(0), "retired": Tonnes(0)}
    nothing_is_broken()


def test_numbers_run_on_per_project_and_vintage(cast: CreditsCast) -> None:
    cast.issued(pool_id=1, tonnes=3)
    second = cast.issued(pool_id=2, tonnes=4)
    assert (second.span.first, second.span.last) == (4, 7)


def test_the_maker_cannot_also_be_the_checker(cast: CreditsCast) -> None:
    opened = cast.report()
    for outcome, actor in (("submit", cast.owner), ("verify", cast.verifier), ("prepare", cast.maker)):
        cast.decide(opened, outcome, actor)
    both = Actor(kind="user", id=cast.maker.id, grants=(*cast.maker.grants, *cast.checker.grants))
    with pytest.raises(SamePerson):
        cast.decide(opened, "issue", both)
    assert not Issuance.objects.exists()


def test_nothing_is_issued_without_a_verification_statement(cast: CreditsCast) -> None:
    opened = cast.report()
    for effect in (issue_units,):
        with pytest.raises(Exception, match="NOT_VERIFIED"):
            effect(
                actor=cast.checker,
                at=cast.at,
                case_id=opened.case_id,
                subject_id=str(opened.report_id),
                opinion="x",
            )
    with pytest.raises(NotVerified):
        check_preparation(
            actor=cast.maker,
            at=cast.at,
            case_id=opened.case_id,
            subject_id=str(opened.report_id),
            opinion="x",
        )


def test_a_report_sent_back_after_verification_is_verified_again(cast: CreditsCast) -> None:
    opened = cast.report()
    for outcome, actor in (
        ("submit", cast.owner), ("verify", cast.verifier), ("return", cast.maker), ("submit", cast.owner),
        ("verify", cast.verifier), ("prepare", cast.maker), ("issue", cast.checker),
    ):  # fmt: skip
        cast.decide(opened, outcome, actor)
    assert projects.report(report_id=opened.report_id).verified_tonnes == Tonnes(100)
    nothing_is_broken()


def test_a_pool_is_reported_once_and_less_than_a_tonne_not_at_all(cast: CreditsCast) -> None:
    cast.report(pool_id=1)
    with pytest.raises(PoolAlreadyReported):
        cast.report(pool_id=1)
    with pytest.raises(NothingToIssue):
        cast.report(pool_id=2, tonnes=0)


def test_offered_units_are_in_transit_until_the_other_side_accepts(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    offered = offer(cast, issued.issuance_id, 30)
    assert offered.serials == (registry.Serial("HH99", "P0001", 2026, registry.Span(71, 100)).__str__(),)
    assert registry.holding(organisation_id=cast.owner_id).by_state["in_transit"] == Tonnes(30)
    accept_transfer(actor=cast.buyer, at=cast.at, transfer_id=offered.transfer_id, idempotency_key="a")
    assert registry.holding(organisation_id=cast.owner_id).by_state["held"] == Tonnes(70)
    assert registry.holding(organisation_id=cast.buyer_id).by_state["held"] == Tonnes(30)
    nothing_is_broken()


def test_a_declined_offer_goes_back(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    offered = offer(cast, issued.issuance_id, 30)
    decline_transfer(actor=cast.buyer, at=cast.at, transfer_id=offered.transfer_id, idempotency_key="d")
    assert registry.holding(organisation_id=cast.owner_id).by_state["held"] == Tonnes(100)
    with pytest.raises(TransferClosed):
        accept_transfer(actor=cast.buyer, at=cast.at, transfer_id=offered.transfer_id, idempotency_key="a")
    nothing_is_broken()


def test_only_the_recipient_answers_and_only_the_holder_offers(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    with pytest.raises(NotPermitted):
        offer(cast, issued.issuance_id, 1, actor=cast.buyer)
    offered = offer(cast, issued.issuance_id, 1)
    with pytest.raises(NotPermitted):
        accept_transfer(actor=cast.owner, at=cast.at, transfer_id=offered.transfer_id, idempotency_key="a")
    with pytest.raises(TransferToSelf):
        offer_transfer(
            actor=cast.owner, at=cast.at, issuance_id=issued.issuance_id, source_organisation_id=cast.owner_id,
            target_organisation_id=cast.owner_id, quantity=Tonnes(1), idempotency_key="self",
        )  # fmt: skip


def test_more_than_is_free_is_refused_with_what_is_free(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=10)
    offer(cast, issued.issuance_id, 4)
    with pytest.raises(NotEnoughUnits) as refused:
        retire(cast, issued.issuance_id, 7)
    assert refused.value.data["available_t"] == Tonnes(6)


def test_retired_units_have_a_certificate_and_stay_retired(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    retired = retire(cast, issued.issuance_id, 7)
    view = registry.certificate(number=retired.certificate_number.lower())
    assert view.quantity == Tonnes(7)
    assert view.payload["quantity_t"] == 7
    assert view.payload["serial_ranges"] == [{"issuance": "HH99-P0001-2026", "first": 94, "last": 100}]
    (block,) = Block.objects.filter(state="retired")
    with pytest.raises(DatabaseError), transaction.atomic():
        Block.objects.filter(pk=block.pk).update(state="held", certificate_number=None)
    nothing_is_broken()


def test_a_repeat_of_a_retirement_retires_nothing_more(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    assert retire(cast, issued.issuance_id, 7) == retire(cast, issued.issuance_id, 7)
    assert registry.holding(organisation_id=cast.owner_id).by_state["retired"] == Tonnes(7)


def test_a_person_stands_in_the_certificate_only_as_a_commitment(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    person = Beneficiary(kind="person", name="王小明")
    retired = retire(cast, issued.issuance_id, 1, beneficiary=person, purpose=Purpose.PERSON)
    row = Certificate.objects.get(number=retired.certificate_number)
    assert "王小明" not in json.dumps(row.payload, ensure_ascii=False)
    assert row.beneficiary_salt is not None
    assert opens_commitment(
        commitment=row.payload["beneficiary"]["commitment"], text="王小明", salt=bytes(row.beneficiary_salt)
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose_text": " "},
        {"beneficiary": Beneficiary(kind="event", name="")},
        {"beneficiary": Beneficiary(kind="ghost", name="x")},
    ],
)
def test_a_retirement_names_beneficiary_and_purpose(cast: CreditsCast, changed: dict[str, Any]) -> None:
    issued = cast.issued(tonnes=100)
    with pytest.raises(Invalid):
        retire(cast, issued.issuance_id, 1, **changed)


def test_a_serial_leads_to_its_units(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=100)
    retire(cast, issued.issuance_id, 10)
    wanted = str(registry.Serial("HH99", "P0001", 2026, registry.Span(85, 95)))
    assert [(block.state, block.quantity) for block in registry.serial(text=wanted)] == [
        ("held", Tonnes(90)), ("retired", Tonnes(10)),
    ]  # fmt: skip


def _sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            # The owner role can switch triggers off for a session; that is how this damage gets past them.
            cursor.execute("set constraints all immediate")
            cursor.execute("set session_replication_role = replica")
            cursor.execute(statement)
            cursor.execute("set session_replication_role = origin")

    return run


@pytest.mark.parametrize(
    "damage",
    [
        "update registry_block set span = int8range(1, 50) where state = 'held'",
        "delete from registry_block where state = 'retired'",
        "update registry_issuance set quantity = quantity + 1",
        "update registry_block set state = 'held', certificate_number = null where state = 'retired'",
        "update registry_certificate set quantity = quantity + 1",
        "delete from registry_movement where kind = 'retire'",
    ],
)
def test_one_damaged_row_is_found(cast: CreditsCast, damage: str) -> None:
    issued = cast.issued(tonnes=100)
    retire(cast, issued.issuance_id, 10)
    nothing_is_broken()
    _sql(damage)()
    assert list(registry.breaches()) != []


def test_the_system_may_act_for_an_owner(cast: CreditsCast) -> None:
    issued = cast.issued(tonnes=5)
    assert retire(cast, issued.issuance_id, 1, actor=SYSTEM).quantity == Tonnes(1)
