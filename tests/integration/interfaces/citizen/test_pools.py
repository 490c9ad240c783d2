"""Where my reductions are: the pools with the person's grams, and the proof to take away."""

from __future__ import annotations

from datetime import UTC, datetime

from django.urls import reverse
from tests.integration.behaviour.activity.town import bus
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import text

from tanpuhui.behaviour.carbon_accounts.operations import pool_month
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.books.transparency.queries import verify_pool_inclusion
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.keys.queries import published_key_set

AFTER = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
MAKER = Actor(kind="user", id="700", grants=(Grant(role=Role.MAKER, area="990000"),))


def test_a_person_sees_their_pool_and_takes_away_a_proof_that_holds(place: Place) -> None:
    address = reverse("citizen:pools")
    assert "您的减排还没有归集" in text(place.client().get(address).content)
    place.ride(bus("R1"))
    made = pool_month(actor=MAKER, at=AFTER, idempotency_key="p", scenario="bus", month="2026-11")
    sequence_leaves(at=AFTER)
    shown = text(place.client().get(address).content)
    assert "2026-11" in shown
    assert "还没有报告" in shown
    english = text(place.client(language="en").get(address).content)
    assert "Not issued yet" in english
    file = place.client().get(reverse("citizen:pool-proof", args=(made.pool_id,)))
    assert file.status_code == 200
    assert "attachment" in file["Content-Disposition"]
    assert verify_pool_inclusion(file.content, published_key_set()).valid
    # Somebody without grams in it gets no file, and does not learn that there is a pool.
    other = place.client("S2").get(reverse("citizen:pool-proof", args=(made.pool_id,)))
    assert other.status_code == 404
