"""The public pages of an organisation's way in: apply, follow, correct, withdraw, set a first password."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.integration.journeys.conftest import FACTS, PDF, Counter, counter

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import send_invitation
from tanpuhui.foundation.workflow import queries as workflow

__all__ = ["counter"]

PASSWORD = "A pass phrase of mine 7"


def typed(**changes: Any) -> dict[str, Any]:
    first, second = FACTS.people
    return {
        "idempotency_key": "k1",
        "name": FACTS.name,
        "name_en": FACTS.name_en,
        "uscc": FACTS.uscc,
        "area": FACTS.area,
        "contract_number": FACTS.contract_number,
        "contract_from": "2026-01-01",
        "contract_to": "2099-12-31",
        "licence": SimpleUploadedFile("执照.pdf", PDF),
        "authorisation": SimpleUploadedFile("授权书.pdf", PDF),
        "person1_name": first.name,
        "person1_phone": first.phone,
        "person1_username": first.username,
        "person1_roles": [role.value for role in first.roles],
        "person2_name": second.name,
        "person2_phone": second.phone,
        "person2_username": second.username,
        "person2_roles": [role.value for role in second.roles],
        **changes,
    }


def signed_in(counter: Counter, name: str) -> Client:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(User.objects.get(pk=counter.users[name]))
    return client


def test_a_stranger_reads_how_it_goes_and_is_asked_to_sign_in_to_apply(counter: Counter) -> None:
    page = Client().get("/onboarding").content.decode()
    assert "/onboarding/partner" in page
    assert Client().get("/onboarding/partner").headers["Location"] == "/sign-in?next=/onboarding/partner"
    assert signed_in(counter, "citizen").get("/onboarding/centre").status_code == 404
    assert signed_in(counter, "maker").get("/onboarding/partner").status_code == 403


def test_a_citizen_applies_and_follows_it_and_nobody_else_does(counter: Counter) -> None:
    client = signed_in(counter, "citizen")
    posted = client.post("/onboarding/partner", typed())
    assert posted.status_code == 303, posted.content.decode()
    address = posted.headers["Location"]
    page = client.get(address).content.decode()
    assert FACTS.name in page
    assert "已提交" in page
    assert FACTS.name in client.get("/onboarding").content.decode()
    assert signed_in(counter, "stranger").get(address).status_code == 404
    assert FACTS.name not in signed_in(counter, "stranger").get("/onboarding").content.decode()
    again = client.post("/onboarding/partner", typed())
    assert again.headers["Location"] == address


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uscc": "91990100MA9D077700"}, "GB 32100"),
        ({"person1_roles": ["partner"]}, "机构管理员"),
        ({"licence": SimpleUploadedFile("执照.exe", b"MZ")}, "PDF"),
        ({"person2_phone": "13800000001"}, "授权人员不能相同"),
    ],
)
def test_what_is_wrong_is_said_at_the_form_and_what_was_typed_stays(
    counter: Counter, changes: dict[str, Any], said: str
) -> None:
    refused = signed_in(counter, "citizen").post("/onboarding/partner", typed(**changes))
    assert refused.status_code == 422
    page = refused.content.decode()
    assert said in page
    assert f'value="{FACTS.name}"' in page


def test_returned_corrected_withdrawn(counter: Counter) -> None:
    client = signed_in(counter, "citizen")
    address = client.post("/onboarding/partner", typed()).headers["Location"]
    application_id = int(address.rsplit("/", 1)[1])
    (case,) = workflow.cases_of("organisation_application", str(application_id))
    assert 'name="opinion"' not in client.get(address).content.decode()
    counter.decides("maker", case.case_id, "return")
    page = client.get(address).content.decode()
    assert 'name="opinion"' in page
    assert "已核对" in page
    changes = {"name": "北港充电网络", "opinion": "改了名称", "idempotency_key": "k2"}
    corrected = {
        key: value for key, value in typed(**changes).items() if key not in {"licence", "authorisation"}
    }
    assert client.post(address, corrected).status_code == 303
    assert queries.application(application_id).facts.name == "北港充电网络"
    withdrawn = client.post(address, {"withdraw": "1", "reason": "不做了", "idempotency_key": "k3"})
    assert withdrawn.status_code == 303
    assert "已撤回" in client.get(address).content.decode()


def test_an_admitted_person_sets_a_password_on_the_page(counter: Counter) -> None:
    counter.admits()
    user = User.objects.get(username="beigang.one")
    send_invitation(user_id=user.pk, at=_now())
    code = re.search(r"激活码 (\d{8})", counter.outbox.read_text("utf-8"))[1]  # type: ignore[index]
    form = {"username": "beigang.one", "code": code, "password": PASSWORD, "again": PASSWORD}
    client = Client(headers={"accept-language": "zh-hans"})
    differs = client.post("/activate", {**form, "again": "other"})
    assert differs.status_code == 422
    assert 'value="beigang.one"' in differs.content.decode()
    wrong = client.post("/activate", {**form, "code": "0"})
    assert "还可以试 4 次" in wrong.content.decode()
    assert client.post("/activate", form).headers["Location"] == "/sign-in"
    entered = client.post("/sign-in/organisation", {"username": "beigang.one", "password": PASSWORD})
    assert entered.status_code == 303


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()
