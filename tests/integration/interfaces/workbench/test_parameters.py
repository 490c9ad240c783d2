"""The pages of rules and holidays: what holds, what nobody has set, and who may enter a day."""

from __future__ import annotations

import secrets
from datetime import date

import pytest
from django.utils import timezone
from tests.integration.interfaces.workbench.conftest import Desk

from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.models import Holiday

pytestmark = pytest.mark.django_db


def entry(day: str, *, basis: str = "国办发明电") -> dict[str, str]:
    return {
        "day": day,
        "works": "off",
        "name_zh": "校庆",
        "basis": basis,
        "idempotency_key": secrets.token_hex(8),
    }


def test_unset_rules_stand_first_and_say_that_nobody_has_set_them(desk: Desk) -> None:
    text = desk.client("regulator").get("/w/rules").content.decode()
    unset = [row for row in rulebook.parameters(at=timezone.now()) if row.value is None]
    assert unset
    assert "演示值" in text
    assert text.index(unset[0].key) < text.index("已设定")


def test_rules_can_be_searched_by_their_basis(desk: Desk) -> None:
    text = desk.client("maker").get("/w/rules", {"q": "nothing-like-this"}).content.decode()
    assert "没有符合的参数" in text


def test_the_system_administrator_enters_and_corrects_a_day(desk: Desk) -> None:
    client = desk.client("system_administrator")
    assert client.post("/w/holidays/set", entry("2026-12-07")).status_code == 303
    assert Holiday.objects.get(day=date(2026, 12, 7)).basis == "国办发明电"
    assert client.post("/w/holidays/set", entry("2026-12-07", basis="更正")).status_code == 303
    assert "更正" in client.get("/w/holidays?year=2026").content.decode()


def test_a_year_without_entries_says_what_it_stops(desk: Desk) -> None:
    text = desk.client("maker").get("/w/holidays?year=2031").content.decode()
    assert "2031 年的节假日还没有录入" in text
    assert "公示不能开始" in text


@pytest.mark.parametrize("name", ["maker", "security_administrator", "owner"])
def test_nobody_else_enters_a_day(desk: Desk, name: str) -> None:
    assert desk.client(name).post("/w/holidays/set", entry("2026-12-08")).status_code == 403
    assert not Holiday.objects.filter(day=date(2026, 12, 8)).exists()


def test_a_day_without_its_basis_is_refused_and_what_was_typed_stays(desk: Desk) -> None:
    answer = desk.client("system_administrator").post("/w/holidays/set", entry("2026-12-09", basis=""))
    assert answer.status_code == 422
    assert "校庆" in answer.content.decode()
