"""Two hands reach for the same units, the same report, the same number, on committed transactions: exactly one effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.credits_cast import CreditsCast, assemble

from tanpuhui.credits.projects import queries as projects
from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.domain import NotEnoughUnits, Purpose, TransferClosed
from tanpuhui.credits.registry.models import Block, Issuance, Transfer
from tanpuhui.credits.registry.operations import (
    Beneficiary,
    TransferClosedBy,
    TransferOffered,
    UnitsRetired,
    accept_transfer,
    decline_transfer,
    offer_transfer,
    retire_units,
)
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import CaseMoved, Decided, decide

pytestmark = pytest.mark.concurrency
TURNS = 3
"""A race is run several times: the thread that starts first does not always win."""


@pytest.fixture
def cast(
    committed_database: CommittedDatabase,
    now: datetime,
    invented_jurisdiction: Path,
    settings: Settings,
    tmp_path: Path,
) -> CreditsCast:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    return assemble(at=now, folder=invented_jurisdiction)


def offer(cast: CreditsCast, issuance_id: int, tonnes: int, key: str) -> Callable[[], TransferOffered]:
    return lambda: offer_transfer(
        actor=cast.owner, at=cast.at, issuance_id=issuance_id, source_organisation_id=cast.owner_id,
        target_organisation_id=cast.buyer_id, quantity=Tonnes(tonnes), idempotency_key=key,
    )  # fmt: skip


def retire(cast: CreditsCast, issuance_id: int, tonnes: int, key: str) -> Callable[[], UnitsRetired]:
    return lambda: retire_units(
        actor=cast.owner, at=cast.at, organisation_id=cast.owner_id, issuance_id=issuance_id, quantity=Tonnes(tonnes),
        beneficiary=Beneficiary(kind="event", name="盐田徒步大会", code="EV-1"), purpose=Purpose.EVENT,
        purpose_text="大型活动碳中和", idempotency_key=key,
    )  # fmt: skip


def names(results: Sequence[Any]) -> list[str]:
    return sorted(type(result).__name__ for result in results)


def states(issuance_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for block in Block.objects.filter(issuance_id=issuance_id):
        found[block.state] = found.get(block.state, 0) + block.span.upper - block.span.lower
    return found


def holders(issuance_id: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for block in Block.objects.filter(issuance_id=issuance_id).select_related("holder"):
        organisation_id = block.holder.organisation_id
        found[organisation_id] = found.get(organisation_id, 0) + block.span.upper - block.span.lower
    return found


def nothing_is_broken() -> None:
    assert [*registry.breaches(), *projects.breaches(), *workflow.breaches()] == []


def test_two_transfers_of_one_block_have_one_effect(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    for turn in range(1, TURNS + 1):
        issued = cast.issued(pool_id=turn, tonnes=10)
        results = committed_database.run_together(
            offer(cast, issued.issuance_id, 10, f"{turn}a"), offer(cast, issued.issuance_id, 10, f"{turn}b")
        )
        assert names(results) == ["NotEnoughUnits", "TransferOffered"], results
        (refused,) = [result for result in results if isinstance(result, NotEnoughUnits)]
        assert refused.code == "NOT_ENOUGH_UNITS"
        assert states(issued.issuance_id) == {"in_transit": 10}
        assert Transfer.objects.filter(issuance_id=issued.issuance_id).count() == 1
    nothing_is_broken()


def test_two_transfers_of_parts_that_both_fit_are_both_done_on_different_serials(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    issued = cast.issued(tonnes=10)
    results = committed_database.run_together(
        offer(cast, issued.issuance_id, 4, "a"), offer(cast, issued.issuance_id, 5, "b")
    )
    assert names(results) == ["TransferOffered", "TransferOffered"], results
    assert states(issued.issuance_id) == {"held": 1, "in_transit": 9}
    assert set(results[0].serials).isdisjoint(results[1].serials)
    nothing_is_broken()


def test_transfers_of_two_issuances_at_once_have_two_numbers(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    issuances = [cast.issued(pool_id=pool_id, tonnes=10).issuance_id for pool_id in range(1, 5)]
    results = committed_database.run_together(
        *(offer(cast, issuance_id, 2, f"offer {issuance_id}") for issuance_id in issuances)
    )
    assert names(results) == ["TransferOffered"] * 4, results
    assert len({result.number for result in results}) == 4
    nothing_is_broken()


def test_a_transfer_against_a_retirement_has_one_effect(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    for turn in range(1, TURNS + 1):
        issued = cast.issued(pool_id=turn, tonnes=10)
        results = committed_database.run_together(
            offer(cast, issued.issuance_id, 7, f"{turn}a"), retire(cast, issued.issuance_id, 7, f"{turn}b")
        )
        done = [result for result in results if isinstance(result, TransferOffered | UnitsRetired)]
        assert len(done) == 1, results
        assert any(isinstance(result, NotEnoughUnits) for result in results), results
        state = "in_transit" if isinstance(done[0], TransferOffered) else "retired"
        assert states(issued.issuance_id) == {"held": 3, state: 7}
    nothing_is_broken()


def test_accepting_against_declining_has_one_effect(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    for turn in range(1, TURNS + 1):
        issued = cast.issued(pool_id=turn, tonnes=10)
        transfer_id = offer(cast, issued.issuance_id, 6, f"{turn}o")().transfer_id

        def answer(verb: Callable[..., Any], key: str, transfer_id: int = transfer_id) -> Callable[[], Any]:
            return lambda: verb(
                actor=cast.buyer, at=cast.at, transfer_id=transfer_id, idempotency_key=f"{transfer_id}{key}"
            )

        results = committed_database.run_together(answer(accept_transfer, "a"), answer(decline_transfer, "d"))
        assert names(results) == ["TransferClosed", "TransferClosedBy"], results
        (closed,) = [result for result in results if isinstance(result, TransferClosedBy)]
        (refused,) = [result for result in results if isinstance(result, TransferClosed)]
        assert refused.data["state"] == closed.state == Transfer.objects.get(pk=transfer_id).state
        shares = {cast.owner_id: 4, cast.buyer_id: 6} if closed.state == "accepted" else {cast.owner_id: 10}
        assert holders(issued.issuance_id) == shares
        assert states(issued.issuance_id) == {"held": 10}
    nothing_is_broken()


def test_two_checkers_issue_the_same_report_and_one_block_comes_of_it(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    for turn in range(1, TURNS + 1):
        opened = cast.report(pool_id=turn, tonnes=10)
        for outcome, actor in (("submit", cast.owner), ("verify", cast.verifier), ("prepare", cast.maker)):
            cast.decide(opened, outcome, actor)
        other = type(cast.checker)(kind="user", id="6", grants=cast.checker.grants)

        def issue(checker: Any, case_id: int = opened.case_id) -> Callable[[], Decided]:
            return lambda: decide(
                actor=checker,
                at=cast.at,
                idempotency_key=None,
                case_id=case_id,
                outcome="issue",
                opinion="核对无误",
                seen_step=3,
            )

        results = committed_database.run_together(issue(cast.checker), issue(other))
        assert names(results) == [CaseMoved.__name__, Decided.__name__], results
        assert Issuance.objects.filter(report_id=opened.report_id).count() == 1
    assert sum(issuance.quantity.value for issuance in Issuance.objects.all()) == 10 * TURNS
    nothing_is_broken()


def test_two_reports_issued_at_once_get_serials_that_follow_each_other(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    opened = [cast.report(pool_id=pool_id, tonnes=10) for pool_id in (1, 2, 3)]
    for one in opened:
        for outcome, actor in (("submit", cast.owner), ("verify", cast.verifier), ("prepare", cast.maker)):
            cast.decide(one, outcome, actor)
    results = committed_database.run_together(
        *((lambda one=one: cast.decide(one, "issue", cast.checker)) for one in opened)
    )
    assert results == [None, None, None]
    spans = sorted((row.span.lower, row.span.upper) for row in Issuance.objects.all())
    assert spans == [(1, 11), (11, 21), (21, 31)]
    nothing_is_broken()


def test_certificates_of_retirements_at_once_have_different_numbers_without_a_gap(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    first, second = (cast.issued(pool_id=pool_id, tonnes=10).issuance_id for pool_id in (1, 2))
    results = committed_database.run_together(
        retire(cast, first, 1, "a"), retire(cast, second, 2, "b"), retire(cast, first, 3, "c"),
        retire(cast, second, 4, "d"),
    )  # fmt: skip
    assert names(results) == ["UnitsRetired"] * 4, results
    running = sorted(int(result.certificate_number.split("-")[-2]) for result in results)
    assert running == [1, 2, 3, 4]
    assert {registry.certificate(number=one.certificate_number).quantity for one in results} == {
        Tonnes(tonnes) for tonnes in (1, 2, 3, 4)
    }
    nothing_is_broken()


def test_one_request_sent_twice_at_once_is_one_retirement(
    committed_database: CommittedDatabase, cast: CreditsCast
) -> None:
    issued = cast.issued(tonnes=10)
    send = retire(cast, issued.issuance_id, 3, "same")
    first, second = committed_database.run_together(send, send)
    assert isinstance(first, UnitsRetired)
    assert first == second
    assert states(issued.issuance_id) == {"held": 7, "retired": 3}
    nothing_is_broken()
