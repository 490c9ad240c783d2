"""Grams that a former programme recorded are shown, and no pool, balance or proof of a contribution ever has them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from tests.city_programme import AS_OF, CHECKER, file_of, member
from tests.integration.behaviour.activity.revision import MAKER, key
from tests.integration.behaviour.activity.town import CITY, Town, build, bus, csv

from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.models import AdmittedBalance
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.identity.queries.own_data import own_data
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.foundation.persistence.fields import GramsField
from tanpuhui.foundation.workflow.operations import decide

pytestmark = pytest.mark.django_db
DECEMBER = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
TEN_TONNES = "10000000"


@pytest.fixture
def town(settings: Any, invented_jurisdiction: Path, now: datetime) -> Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    made = build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))
    made.post(csv(bus("R1"), bus("R2", distance="1")), at=now)
    return made


def taken_over(town: Town, now: datetime) -> None:
    """Let the rider take over a balance whose programme says ten tonnes."""
    programme = register_organisation(
        actor=SYSTEM, at=now, kind=OrganisationKind.PARTNER, name="北港绿行", name_en="Beigang Green", area="990100",
        uscc=complete_uscc("91990000", "MA000300"),
    ).organisation_id  # fmt: skip
    phone = own_data(town.users["S1"]).phone
    admission_id = operations.receive_admission(
        actor=MAKER, at=now, idempotency_key="s", programme_id=programme, as_of=AS_OF, file_name="m.csv",
        media_type="text/csv", content=file_of(member(1, phone=phone, grams=TEN_TONNES)),
    ).admission_id  # fmt: skip
    case_id = operations.propose_admission(
        actor=MAKER, at=now, admission_id=admission_id, rate="1", rate_source="x", budget=100, payer="x", reason="x" * 5,
        idempotency_key="p",
    ).case_id  # fmt: skip
    decide(actor=CHECKER, at=now, idempotency_key=None, case_id=case_id, outcome="approve", opinion="已核对")
    rider = Actor(kind="user", id=str(town.users["S1"]), grants=(Grant(role=Role.CITIZEN, area=CITY),))
    operations.claim_admission(
        actor=rider, at=now, admission_id=admission_id, text_version="2026-1", idempotency_key="c"
    )


def test_a_pool_has_the_grams_of_postings_and_not_those_of_a_programme(town: Town, now: datetime) -> None:
    taken_over(town, now)
    account = queries.account_of_user(town.users["S1"])
    assert ledger.balance(account.ledger_account_id).grams == Grams(488)
    pooled = operations.pool_month(
        actor=MAKER, at=DECEMBER, idempotency_key=key(), scenario="bus", month="2026-11"
    )
    assert (pooled.grams, pooled.tonnes) == (Grams(488), Tonnes(0))
    assert [one.grams for one in queries.contributions(town.users["S1"])] == [Grams(488)]
    assert [one.shown_grams for one in queries.taken_over(town.users["S1"])] == [int(TEN_TONNES)]
    assert [*queries.breaches(), *ledger.breaches()] == []


def test_shown_grams_are_of_another_type_than_grams_that_count() -> None:
    assert not isinstance(AdmittedBalance._meta.get_field("shown_grams"), GramsField)
    assert get_type_hints(queries.AdmissionOffer)["shown_grams"] == int | None
