"""A balance of a former programme on the phone: seen by its person only, accepted to a text, or declined for good."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.city_programme import AS_OF, CHECKER, file_of, member
from tests.integration.behaviour.activity.town import CITY
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import HAN, text

from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.models import AdmissionClaim
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import OrganisationKind, register_citizen, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.workflow.operations import decide

MAKER = Actor(kind="user", id="9009", grants=(Grant(role=Role.MAKER, area="990000"),))


@pytest.fixture
def offered(place: Place) -> tuple[int, Client, int]:
    """Admit a programme with a newcomer's balance; return admission, the newcomer's browser and who they are."""
    programme = register_organisation(
        actor=SYSTEM, at=place.now, kind=OrganisationKind.PARTNER, name="北港绿行", name_en="Beigang Green",
        uscc=complete_uscc("91990000", "MA000300"), area="990100",
    ).organisation_id  # fmt: skip
    user_id = register_citizen(
        actor=SYSTEM, at=place.now, phone="13900000009", display_name="新来的", area=CITY
    ).user_id
    admission_id = operations.receive_admission(
        actor=MAKER, at=place.now, idempotency_key="s", programme_id=programme, as_of=AS_OF, file_name="m.csv",
        media_type="text/csv", content=file_of(member(9, points="84"), member(8)),
    ).admission_id  # fmt: skip
    case_id = operations.propose_admission(
        actor=MAKER, at=place.now, admission_id=admission_id, rate="1/2", rate_source="meeting 3", budget=500,
        payer="北港市", reason="已核对", idempotency_key="p",
    ).case_id  # fmt: skip
    decide(
        actor=CHECKER,
        at=place.now,
        idempotency_key=None,
        case_id=case_id,
        outcome="approve",
        opinion="已核对",
    )
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(User.objects.get(pk=user_id))
    return admission_id, client, user_id


def test_it_is_seen_on_the_first_page_and_taken_over_with_consent(
    offered: tuple[int, Client, int],
) -> None:
    admission_id, client, user_id = offered
    first = text(client.get("/m/").content)
    assert "账户可以迁入：42 积分" in first
    page = text(client.get(f"/m/admissions/{admission_id}").content)
    assert "不计入减排量" in page
    assert "文本版本 2026-1" in page
    with pytest.raises(queries.NoCarbonAccount):
        queries.account_of_user(user_id)
    answer = client.post(
        f"/m/admissions/{admission_id}", {"text_version": "2026-1", "idempotency_key": "a"}, follow=True
    )
    assert "已迁入 42 积分" in text(answer.content)
    claim = AdmissionClaim.objects.get()
    assert (claim.user_id, claim.points, claim.text_version) == (user_id, Points(42), "2026-1")
    again = client.post(f"/m/admissions/{admission_id}", {"text_version": "2026-1", "idempotency_key": "b"})
    assert again.status_code == 409
    assert "5000 克" in text(client.get("/m/admissions").content)
    assert "原平台账户迁入" in text(client.get("/m/records").content)


def test_nobody_else_sees_it(place: Place, offered: tuple[int, Client, int]) -> None:
    admission_id, _, _ = offered
    other = place.client()
    assert "迁入：" not in text(other.get("/m/").content)
    for address in (f"/m/admissions/{admission_id}", f"/m/admissions/{admission_id}/decline"):
        assert other.get(address).status_code == 404
    refused = other.post(f"/m/admissions/{admission_id}", {"text_version": "2026-1", "idempotency_key": "x"})
    assert refused.status_code == 409
    assert "没有可以迁入的账户" in text(other.get("/m/admissions").content)


def test_declining_says_what_it_means_and_is_for_good(offered: tuple[int, Client, int]) -> None:
    admission_id, client, user_id = offered
    assert "不能再要回" in text(client.get(f"/m/admissions/{admission_id}/decline").content)
    answer = client.post(f"/m/admissions/{admission_id}/decline", {"idempotency_key": "d"}, follow=True)
    assert "已放弃迁入" in text(answer.content)
    assert client.get(f"/m/admissions/{admission_id}").status_code == 404
    with pytest.raises(queries.NoCarbonAccount):
        queries.account_of_user(user_id)


def test_the_pages_speak_complete_english(offered: tuple[int, Client, int]) -> None:
    admission_id, client, _ = offered
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    addresses = (
        "/m/",
        "/m/admissions",
        f"/m/admissions/{admission_id}",
        f"/m/admissions/{admission_id}/decline",
    )
    for address in addresses:
        page = client.get(address)
        assert page.status_code == 200
        assert [word for word in HAN.findall(text(page.content)) if word != "中文"] == [], address
