"""Every page of the desk answers whom the table lets in, and nobody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from tests.integration.interfaces.workbench.conftest import Desk

from tanpuhui.behaviour.activity.adapters import ENVELOPE as COLUMNS
from tanpuhui.behaviour.activity.adapters import TRACES, adapter_named
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.interfaces.workbench import routes, urls
from tanpuhui.interfaces.workbench.views.batches import ENVELOPE

PLAIN = [p.name for p in urls.urlpatterns if not p.pattern.converters and p.name is not None]
FORMS_ONLY = {
    "audit-export",
    "my-totp-new",
    "my-totp-code",
    "my-recovery-codes",
    "my-passkey-options",
    "my-passkey-new",
    "my-sessions-end",
}
"""Addresses that a form is sent to and nobody looks at."""
ROLES = [role.value for role in Role if role not in {Role.CITIZEN, Role.SYSTEM}]
CATALOGUE = Path(routes.__file__).parent / "locale" / "en" / "LC_MESSAGES" / "django.po"


def test_every_address_has_its_rule_and_every_rule_its_address() -> None:
    assert {p.name for p in urls.urlpatterns} == set(routes.ROUTES)


@pytest.mark.parametrize("role", ROLES)
def test_a_page_opens_to_the_roles_of_the_table(desk: Desk, role: str) -> None:
    client = desk.client(role)
    for name in PLAIN:
        rule = routes.ROUTES[name]
        status = client.get(reverse(f"workbench:{name}")).status_code
        expected = ({405} if name in FORMS_ONLY else {200, 302}) if Role(role) in rule.roles else {403}
        assert status in expected, (role, name, status)


def test_strangers_are_asked_to_sign_in_and_citizens_are_refused(desk: Desk) -> None:
    citizen = desk.client("citizen")
    for name in PLAIN:
        address = reverse(f"workbench:{name}")
        assert Client().get(address).headers["Location"] == f"/sign-in?next={address}"
        assert citizen.get(address).status_code == 403


@pytest.mark.parametrize("role", ["maker", "partner", "merchant", "buyer"])
def test_the_doors_shown_are_those_that_open(desk: Desk, role: str) -> None:
    client = desk.client(role)
    page = client.get("/w/").content.decode()
    doors = set(re.findall(r'class="nv[^"]*"[^>]*href="(/w/[^"]*)"', page))
    assert len(doors) > 2
    assert {client.get(door, follow=True).status_code for door in doors} == {200}


def test_a_page_speaks_english_when_asked(desk: Desk) -> None:
    client = desk.client("maker", language="en")
    for name in ("inbox", "pools", "projects", "methodologies", "settlements", "pool-month"):
        page = client.get(reverse(f"workbench:{name}")).content.decode()
        main = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")])
        assert not re.search(r"[\u4e00-\u9fff]", main), (name, re.findall(r"[\u4e00-\u9fff]+", main))


def test_the_english_catalogue_has_no_hole() -> None:
    blocks = CATALOGUE.read_text(encoding="utf-8").split("\n\n")[1:]
    empty = [block for block in blocks if re.search(r'^msgstr(\[\d\])? ""$', block, re.MULTILINE)]
    assert len(blocks) > 400
    assert empty == []


def test_the_format_page_names_the_columns_that_intake_reads(desk: Desk) -> None:
    assert [name for name, *_ in ENVELOPE] == [*COLUMNS, *TRACES]
    assert {name for name, required, *_ in ENVELOPE if required} == set(adapter_named("standard").required)
    page = desk.client("partner").get("/w/batches/format").content.decode()
    assert "distance_km" in page
