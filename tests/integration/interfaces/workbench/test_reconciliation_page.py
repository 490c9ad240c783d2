"""The desk's page of reconciliation: a partner sees its own days, the centre all of its area, nobody another's file."""

from __future__ import annotations

import pytest
from tests.integration.interfaces.workbench.conftest import Desk

pytestmark = pytest.mark.django_db


def test_a_partner_finds_its_days_and_their_files(desk: Desk) -> None:
    desk.send(desk.rides(3))
    client = desk.client("partner")
    address = f"/w/reconciliation/{desk.partner_id}/2026-11-20.csv"
    page = client.get("/w/reconciliation").content.decode()
    assert address in page
    assert b"".join(client.get(address).streaming_content).decode().count("counted") == 3  # type: ignore[attr-defined]
    assert address in desk.client("maker").get("/w/reconciliation").content.decode()
    assert client.get(f"/w/reconciliation/{desk.other_partner_id}/2026-11-20.csv").status_code == 404
    assert client.get(f"/w/reconciliation/{desk.partner_id}/yesterday.csv").status_code == 404
