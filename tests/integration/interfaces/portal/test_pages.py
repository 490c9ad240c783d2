"""Every public page opens for anybody, in both languages, with the strict policy, and in a bounded number of queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from tests.integration.interfaces.conftest import Registry

from tanpuhui.credits.registry import queries
from tanpuhui.foundation.kernel.quantities import Tonnes

PAGES = {
    "/": 30, "/methodologies": 8, "/register": 30, "/log/": 8, "/keys/about": 4, "/verify": 4, "/sign-in": 4,
    "/guide": 4, "/about": 4, "/r/470829163350": 4, "/api/v1/docs": 4,
}  # fmt: skip


def text_of(response: Any) -> str:
    """Return what a reader sees, without tags."""
    body = re.sub(r"<head>.*?</head>|<script.*?</script>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body))


@pytest.mark.parametrize("address", PAGES)
def test_a_page_opens_for_anybody_in_both_languages(
    address: str, registry: Registry, client: Client, english: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(PAGES[address]):
        response = client.get(address)
    assert response.status_code == 200
    assert 'lang="zh-Hans"' in response.content.decode()
    translated = english.get(address)
    assert translated.status_code == 200
    assert '<html lang="en"' in translated.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_an_empty_platform_says_what_will_appear(
    address: str, db: None, own_folder: Any, client: Client
) -> None:
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/", "/verify", "/sign-in", "/api/v1/docs", "/no-such-page"])
def test_the_policy_lets_nothing_inline_and_nothing_foreign_in(
    address: str, registry: Registry, client: Client
) -> None:
    response = client.get(address)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(
        r"<[^>]+\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=", response.content.decode()
    )


ENGLISH_ONLY = [
    "/methodologies",
    "/log/",
    "/keys/about",
    "/verify",
    "/sign-in",
    "/guide",
    "/api/v1/docs",
    "/r/470829163350",
]


@pytest.mark.parametrize("address", ENGLISH_ONLY)
def test_an_english_page_is_english_throughout(address: str, registry: Registry, english: Client) -> None:
    text = text_of(english.get(address)).replace("中文", "")
    assert re.findall(r"[\u4e00-\u9fff]+", text) == []


def test_the_home_page_shows_the_numbers_of_the_registry(registry: Registry, client: Client) -> None:
    total = Tonnes.total(view.quantity for view in queries.issuances())
    response = client.get("/")
    assert response.context["issued_total"] == total == Tonnes(100)
    assert response.context["by_kind"] == {"held": Tonnes(63), "transit": Tonnes(30), "retired": Tonnes(7)}
    assert "已签发 100 = 持有 63 + 在途 30 + 已消纳 7" in text_of(response).replace(
        "已签发100", "已签发 100"
    ).replace("=持有63+在途30+已消纳7", " = 持有 63 + 在途 30 + 已消纳 7")


def test_a_registry_that_does_not_add_up_says_so(registry: Registry, client: Client) -> None:
    from tests.integration.interfaces.conftest import damage

    damage("delete from registry_block where state = 'retired'")
    for address in ("/", "/register", f"/register/{registry.issuance.issuance_id}"):
        assert "两边不相等" in text_of(client.get(address))


def test_the_history_of_an_issuance_is_shown_newest_first(registry: Registry, client: Client) -> None:
    text = text_of(client.get(f"/register/{registry.issuance.issuance_id}"))
    assert text.index(registry.retired.certificate_number) < text.index("发出转让") < text.rindex("签发")


@pytest.mark.parametrize("part", ["whole", "lower", "certificate"])
def test_the_search_leads_to_the_serial_or_the_certificate(
    part: str, registry: Registry, client: Client
) -> None:
    wanted = {
        "whole": registry.issuance.serial,
        "lower": f" {registry.issuance.serial.lower()} ",
        "certificate": registry.retired.certificate_number.lower(),
    }[part]
    response = client.get("/register", {"q": wanted})
    expected = registry.page if part == "certificate" else f"/s/{registry.issuance.serial}"
    assert (response.status_code, response.headers["Location"]) == (302, expected)


def test_a_search_that_finds_nothing_says_what_to_check(registry: Registry, client: Client) -> None:
    response = client.get("/register", {"q": "HH99-NOTHING"})
    assert response.status_code == 404
    assert "没有找到序列号或证书：HH99-NOTHING" in text_of(response)


def test_a_serial_shows_where_its_units_are(registry: Registry, client: Client) -> None:
    text = text_of(client.get(f"/s/{registry.retired.serials[0]}"))
    assert "已消纳" in text
    assert registry.retired.certificate_number in text


@pytest.mark.parametrize(("serial", "status"), [("HH99-P0001-2026-00000001-X", 422), ("nonsense", 422)])
def test_a_mistyped_serial_has_a_page_of_its_own(
    serial: str, status: int, registry: Registry, client: Client
) -> None:
    response = client.get(f"/s/{serial}")
    assert response.status_code == status
    assert "SERIAL_MALFORMED" in text_of(response)


def test_an_unknown_page_is_a_page(db: None, client: Client) -> None:
    response = client.get("/no-such-page")
    assert response.status_code == 404
    assert "没有这一页" in text_of(response)


def test_the_language_is_chosen_with_a_form(db: None, own_folder: Any, client: Client) -> None:
    response = client.post("/language", {"language": "en", "next": "/about"})
    assert (response.status_code, response.headers["Location"]) == (302, "/about")
    assert '<html lang="en"' in client.get("/about").content.decode()


def test_it_is_alive_without_a_database(client: Client, db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


def test_it_is_ready_while_the_log_keeps_up(registry: Registry, client: Client) -> None:
    assert client.get("/readyz").json() == {"database": "ok", "log": "ok", "log_lag_seconds": 0}


def test_it_is_not_ready_while_a_leaf_waits_for_minutes(unsequenced: Registry, client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["log"]) == (503, "behind")
