"""What happens on the desk when an area changes hands, or a delegation ends, while a case is open."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from tests.integration.interfaces.workbench.conftest import LONG_AGO, NOW, PASSWORD, Desk
from tests.integration.interfaces.workbench.test_chain import decide, upload

from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.identity.operations import (
    DelegationOver,
    OrganisationKind,
    add_member,
    add_person,
    assign_area,
    delegate,
    end_delegation,
    grant_role,
    register_organisation,
)
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.workflow import operations as workflow_operations
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import open_case

NORTH, SOUTH = "990100", "990200"


@pytest.fixture
def two_centres(desk: Desk) -> dict[str, int]:
    """Two sub-centres, each with a maker and a checker, and their organisations by city."""
    centres = {}
    for number, city in enumerate((NORTH, SOUTH)):
        centres[city] = register_organisation(
            actor=SYSTEM,
            at=LONG_AGO,
            kind=OrganisationKind.SUBCENTRE,
            name=f"{city} 分中心",
            name_en=f"{city} sub-centre",
            uscc=complete_uscc("12990100", f"MB00030{number}"),
            area=city,
        ).organisation_id
        for role in (Role.MAKER, Role.CHECKER):
            added = add_member(
                actor=SYSTEM, at=LONG_AGO, organisation_id=centres[city], username=f"{city}-{role}",
                display_name=f"{city} {role}", password=PASSWORD, role=role, area="990000",
            )  # fmt: skip
            desk.users[f"{city}-{role}"] = User.objects.get(pk=added.user_id)
    for city, centre_id in centres.items():
        assign_area(
            actor=SYSTEM, at=NOW - timedelta(days=1), area=city, organisation_id=centre_id, reason="开办"
        )
    return centres


def answer(desk: Desk, case_id: int, opinion: str) -> None:
    """Do what the partner does: declare that nothing more comes."""
    workflow_operations.decide(
        actor=actor_of(user_id=desk.users["partner"].pk, at=NOW), at=NOW, idempotency_key=None,
        case_id=case_id, outcome="declare", opinion=opinion,
    )  # fmt: skip


@pytest.fixture
def case_id(desk: Desk, two_centres: dict[str, int]) -> int:
    """Open a case in the northern city that waits for a maker."""
    batch_id = int(upload(desk, desk.rides(1)).headers["Location"].rsplit("/", 1)[1])
    opened = open_case(
        actor=SYSTEM,
        at=NOW,
        process="batch_correction",
        subject_type="batch",
        subject_id=str(batch_id),
        title="更正第 1 批",
        area=NORTH,
        organisation_id=desk.partner_id,
    )
    answer(desk, opened.case_id, "没有更多数据")
    return opened.case_id


def test_an_area_reassigned_takes_its_open_cases_along_and_leaves_their_history(
    desk: Desk, two_centres: dict[str, int], case_id: int
) -> None:
    address = f"/w/cases/{case_id}"
    old, new = desk.client(f"{NORTH}-maker"), desk.client(f"{SOUTH}-maker")
    assert decide(desk, f"{NORTH}-maker", case_id, "return").status_code == 303
    answer(desk, case_id, "已补说明")
    assert "更正第 1 批" in old.get("/w/").content.decode()
    assert new.get(address).status_code == 404
    for area, centre in ((NORTH, SOUTH), (SOUTH, NORTH)):
        assign_area(actor=SYSTEM, at=NOW, area=area, organisation_id=two_centres[centre], reason="两市对调")
    assert "更正第 1 批" in new.get("/w/").content.decode()
    assert "更正第 1 批" not in old.get("/w/").content.decode()
    assert "更正第 1 批" not in old.get("/w/cases").content.decode()
    assert old.get(address).status_code == 404
    page = new.get(address).content.decode()
    assert f"{NORTH} maker" in page
    assert decide(desk, f"{SOUTH}-maker", case_id, "close").status_code == 303
    assert [line.who for line in workflow.timeline(case_id)][-1] == f"{SOUTH} maker"


def test_a_delegation_that_ends_in_mid_case_refuses_and_says_so_and_what_was_decided_names_both(
    desk: Desk, two_centres: dict[str, int], case_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/w/cases/{case_id}"
    stand_in = add_person(
        actor=SYSTEM, at=LONG_AGO, organisation_id=two_centres[NORTH], username="stand-in",
        display_name="代班人", password=PASSWORD,
    ).user_id  # fmt: skip
    desk.users["stand-in"] = User.objects.get(pk=stand_in)
    giver = desk.users[f"{NORTH}-maker"]
    delegation_id = delegate(
        actor=actor_of(user_id=giver.pk, at=NOW), at=NOW, receiver_id=stand_in, organisation_id=two_centres[NORTH],
        roles=[Role.MAKER], area=NORTH, valid_from=NOW, valid_to=NOW + timedelta(days=9), reason="休假",
    ).delegation_id  # fmt: skip
    client = desk.client("stand-in")
    assert "更正第 1 批" in client.get("/w/").content.decode()
    assert f"代 {giver.display_name} 办理" in client.get(address).content.decode()
    assert f"代 {giver.display_name} 办理" in client.get("/w/me").content.decode()
    assert decide(desk, "stand-in", case_id, "return").status_code == 303
    answer(desk, case_id, "已补说明")
    later = NOW + timedelta(days=1)
    end_delegation(actor=actor_of(user_id=giver.pk, at=later), at=later, delegation_id=delegation_id)
    _set_clock(monkeypatch, later)
    with pytest.raises(DelegationOver) as refused:
        workflow_operations.decide(
            actor=actor_of(user_id=stand_in, at=later), at=later, idempotency_key=None,
            case_id=case_id, outcome="close", opinion="核对无误",
        )  # fmt: skip
    assert giver.display_name in refused.value.message("zh")
    page = desk.client(f"{NORTH}-maker").get(address).content.decode()
    assert f"代班人 代 {giver.display_name} 办理" in page


def _set_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: at)


def test_the_page_of_the_case_says_that_the_delegation_is_over(
    desk: Desk, two_centres: dict[str, int], case_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    giver, receiver = desk.users[f"{NORTH}-maker"], desk.users[f"{NORTH}-checker"]
    delegate(
        actor=actor_of(user_id=giver.pk, at=NOW), at=NOW, receiver_id=receiver.pk, organisation_id=two_centres[NORTH],
        roles=[Role.MAKER], area=NORTH, valid_from=NOW, valid_to=NOW + timedelta(days=9), reason="休假",
    )  # fmt: skip
    Membership.objects.filter(user=receiver).update(valid_to=NOW)
    grant_role(
        actor=SYSTEM, at=NOW, user_id=receiver.pk, organisation_id=two_centres[SOUTH], role=Role.CHECKER, area=SOUTH
    )  # fmt: skip
    assert desk.client(f"{NORTH}-checker").get(f"/w/cases/{case_id}").status_code == 200
    _set_clock(monkeypatch, NOW + timedelta(days=9))
    client, stranger = desk.client(f"{NORTH}-checker"), desk.client(f"{SOUTH}-maker")
    said = client.get(f"/w/cases/{case_id}")
    assert said.status_code == 403
    assert f"{giver.display_name} 给你的代办授权已于" in said.content.decode()
    assert stranger.get(f"/w/cases/{case_id}").status_code == 404
