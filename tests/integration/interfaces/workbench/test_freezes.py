"""A freeze is proposed on the page, decided by another, and read by the person on the phone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_scenario_pages import decided, english, number, post, ruled

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.identity.models import User

__all__ = ["ruled"]


def test_a_freeze_goes_from_the_desk_to_the_phone(ruled: Desk) -> None:
    account = accounts.account_of_user(ruled.citizens[0])
    maker, checker = ruled.client("maker"), ruled.client("checker")
    data: dict[str, object] = {"number": account.number.lower(), "kind": "freeze", "reason": "记录来源待核实"}
    case_id = number(post(maker, "propose-freeze", [], data, "p"))
    page = checker.get(reverse("workbench:case", args=[case_id])).content.decode()
    assert account.number in page
    assert "记录来源待核实" in page
    assert decided(checker, case_id, "approve", "a") == "approved"
    listed = checker.get(reverse("workbench:freezes")).content.decode()
    assert account.number in listed
    assert "提出冻结或解冻" not in listed
    person = Client(headers={"accept-language": "zh-hans"})
    person.force_login(User.objects.get(pk=ruled.citizens[0]))
    for address in ("/m/", reverse("citizen:points")):
        phone = person.get(address).content.decode()
        assert "碳账户已冻结" in phone
        assert "记录来源待核实" in phone
    refused = maker.post(
        reverse("workbench:propose-freeze"), {**data, "number": "nobody", "idempotency_key": "q"}
    )
    assert refused.status_code == 404


@pytest.mark.parametrize("name", ["freezes", "propose-freeze"])
def test_the_pages_of_freezes_speak_english(ruled: Desk, name: str) -> None:
    assert "freeze" in english(ruled, reverse(f"workbench:{name}"), "maker").lower()
