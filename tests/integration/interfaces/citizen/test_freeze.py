"""A frozen account says so on the phone, with the reason and what can be done; the appeal is filed and followed there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import HAN, text

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import propose_freeze
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide

MAKER = Actor(kind="user", id="9009", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
OTHER = Actor(kind="user", id="9011", grants=(Grant(role=Role.CHECKER, area="990000"),))


@pytest.fixture
def case_id(place: Place, settings: Settings) -> int:
    """Freeze the rider's account by two persons."""
    load_templates(actor=SYSTEM, at=place.now, folder=Path(str(settings.TANPUHUI_JURISDICTION_DIR)))
    number = accounts.account_of_user(place.town.users["S1"]).number
    case_id = propose_freeze(
        actor=MAKER, at=place.now, number=number, kind="freeze", reason="记录来源待核实", urgent=False,
        idempotency_key="f",
    ).case_id  # fmt: skip
    decided(place, case_id, "approve", CHECKER)
    return case_id


def decided(place: Place, case_id: int, outcome: str, actor: Actor, opinion: str = "已核对") -> None:
    decide(actor=actor, at=place.now, idempotency_key=None, case_id=case_id, outcome=outcome, opinion=opinion)


def test_the_frozen_person_reads_why_and_appeals_and_follows_the_appeal(place: Place, case_id: int) -> None:
    client = place.client()
    assert "/m/freeze" in client.get("/m/").content.decode()
    page = text(client.get("/m/freeze").content)
    assert "记录来源待核实" in page
    assert "规则没有规定期限" in page
    done = client.post("/m/freeze", {"reason": "记录是我的", "idempotency_key": "a"})
    assert done.status_code == 303
    appealed = accounts.freeze_appeal(place.town.users["S1"], at=place.now)
    assert appealed is not None
    page = text(client.get("/m/freeze").content)
    assert appealed.number in page
    assert "提出申诉" not in page
    (appeal,) = workflow.cases_of(workflow.CASE_SUBJECT, str(case_id))
    appeal_id = appeal.case_id
    decided(place, appeal_id, "admit", OTHER)
    decided(place, appeal_id, "dismiss", OTHER, opinion="设备编号与他人相同")
    page = text(client.get("/m/freeze").content)
    assert "设备编号与他人相同" in page
    assert "提出申诉" in page
    english = text(place.client(language="en").get("/m/freeze").content)
    allowed = ("中文", "记录来源待核实", "设备编号与他人相同")
    assert [
        word for word in HAN.findall(english) if not any(word in one or one in word for one in allowed)
    ] == []


def test_an_appeal_without_reason_is_refused_on_the_page_and_one_without_freeze_too(
    place: Place, case_id: int
) -> None:
    refused = place.client().post("/m/freeze", {"reason": " ", "idempotency_key": "a"})
    assert refused.status_code == 409
    assert 'role="alert"' in refused.content.decode()
    elsewhere = place.client("S2")
    assert "没有冻结" in text(elsewhere.get("/m/freeze").content)
    assert elsewhere.post("/m/freeze", {"reason": "x", "idempotency_key": "b"}).status_code >= 400
    assert "记录来源待核实" not in elsewhere.get("/m/freeze").content.decode()
