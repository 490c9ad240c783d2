"""In the province that `make demo` seeds, something waits for everybody who decides; who has no inbox is told why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from tests.integration.conftest import ROOT, Story, told
from tests.two_steps import sign_in

from tanpuhui.config import wiring
from tanpuhui.interfaces.commands.demonstration.cast import read_cast
from tanpuhui.interfaces.commands.demonstration.story import logins

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SHIPPED = ROOT / "jurisdictions" / "shandong"
LOGINS = logins(read_cast(SHIPPED))
WHY = "管理员管理人员、权限或记录，不办理业务，所以没有待办。"
WITHOUT_INBOX = {"administrator", "system_administrator", "security_administrator", "audit_administrator"}
WAITING = re.compile(r'待办 <span class="num">(\d+)</span> 件')
ROW = re.compile(r'href="/w/(?:cases|holdings|reviews)/\d+">')


@pytest.fixture(scope="module")
def province(
    migrated_template: str, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Seed what `make demo` seeds, from the shipped folder."""
    with told(SHIPPED, migrated_template, tmp_path_factory.mktemp("province"), django_db_blocker) as story:
        yield story


@pytest.mark.parametrize(
    ("username", "role"), [(username, role) for username, _, role, _ in LOGINS if role != "citizen"]
)
def test_something_waits_in_the_inbox_or_the_page_says_why_nothing_does(
    province: Story, django_db_blocker: Any, username: str, role: str
) -> None:
    with django_db_blocker.unblock(), province.entered():
        wiring.install()
        client = Client()
        signed_in = sign_in(client, username, province.memory.password)
        assert signed_in.status_code == 303, signed_in.content.decode()
        page = client.get("/w/").content.decode()
    if role in WITHOUT_INBOX:
        assert WHY in page
        assert not WAITING.search(page)
        return
    counted = WAITING.search(page)
    assert counted is not None, f"nothing waits for {username} ({role})"
    assert int(counted[1]) >= 1
    assert ROW.search(page)


def test_every_role_of_an_organisation_that_decides_is_played() -> None:
    played = {role for _, _, role, _ in LOGINS}
    assert played >= {
        "citizen", "partner", "merchant", "owner", "buyer", "verifier", "expert", "maker", "checker", "regulator",
        *WITHOUT_INBOX,
    }  # fmt: skip
