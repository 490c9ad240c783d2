"""The desk's page of reconciliation: a partner sees its own days, the centre all of its area, nobody another's file."""

from __future__ import annotations

import pytest
from tests.integration.interfaces.workbench.conftest import NOW, Desk

from tanpuhui.behaviour.activity.operations import receive_batch
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role

pytestmark = pytest.mark.django_db


def test_a_partner_finds_its_days_and_their_files(desk: Desk) -> None:
    actor = Actor(
        kind="partner",
        id=str(desk.partner_id),
        grants=(Grant(role=Role.PARTNER, organisation_id=desk.partner_id),),
    )
    found = receive_batch(
        actor=actor, at=NOW, idempotency_key="r", partner_id=desk.partner_id, adapter="standard",
        file_name="rides.csv", media_type="text/csv", content=desk.rides(3),
    )  # fmt: skip
    desk.post(found.batch_id)
    client = desk.client("partner")
    address = f"/w/reconciliation/{desk.partner_id}/2026-11-20.csv"
    page = client.get("/w/reconciliation").content.decode()
    assert address in page
    assert b"".join(client.get(address).streaming_content).decode().count("counted") == 3  # type: ignore[attr-defined]
    assert address in desk.client("maker").get("/w/reconciliation").content.decode()
    assert client.get(f"/w/reconciliation/{desk.other_partner_id}/2026-11-20.csv").status_code == 404
    assert client.get(f"/w/reconciliation/{desk.partner_id}/yesterday.csv").status_code == 404
