"""What a citizen sees on the phone: every page, both languages, elder mode; and what others do not see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pydantic import SecretStr
from pytest_django import DjangoAssertNumQueries
from tests.integration.behaviour.activity.town import bus
from tests.integration.interfaces.citizen.conftest import Place

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import add_member
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.interfaces.citizen.routes import ROUTES
from tanpuhui.uses.rewards.operations import reserve_coupon

HAN = re.compile(r"[\u4e00-\u9fff]+")
WORDS_OF_DATA = {
    "中文",
    "灯塔出行",
    "公交周卡",
    "北港书店",
    "乘客",
    "虚构",
    "平台规则",
    "工程建议",
    "待主管方确认",
}
"""The switch to Chinese, names, and documents, which are quoted as they are called."""
QUERIES_MAX = 45


def text(html: bytes) -> str:
    """Return what a reader sees: no tags, single spaces."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", body))


def with_records(place: Place) -> None:
    place.ride(
        bus("R1"),
        bus("R2", started="2026-10-05T08:00:00+08:00"),
        bus("R3", started="2026-11-17T18:30:00+08:00"),
    )


def addresses(place: Place) -> dict[str, str]:
    """Return an address of every page that can be read, by url name."""
    good_id = place.good()
    coupon = reserve_coupon(
        actor=place.citizen("S1"), at=place.now, idempotency_key="c1", good_id=good_id,
        user_id=place.town.users["S1"],
    )  # fmt: skip
    record = place.record()
    account_id = accounts.account_of_user(place.town.users["S1"]).ledger_account_id
    line = next(one for one in ledger.entries(account_id, limit=9) if one.kind == "posting")
    arguments: dict[str, tuple[object, ...]] = {
        "line": (line.day.isoformat(), line.journal_id),
        "record": (record.posting_id, record.row),
        "disown": (record.posting_id, record.row),
        "scene": ("bus",),
        "withdraw-consent": ("bus",),
        "good": (good_id,),
        "redeem": (good_id,),
        "coupon": (coupon.code,),
        "cancel-coupon": (coupon.code,),
    }
    no_page = {"open-account", "give-consent", "unbind", "end-sessions", "statement-file", "own-copy"}
    no_page |= {"appeal", "appeal-not-counted", "appeal-taken-back", "case"}  # test_appeals.py
    no_page |= {"disowning"}  # test_disownings.py
    no_page |= {
        "admission",
        "decline-admission",
    }  # they ask for a balance that waits, and have tests of their own
    no_page |= {
        "erase-traces",
        "pool-proof",
        "stay",
    }  # it asks for a withdrawn consent, and has tests of its own
    return {
        name: reverse(f"citizen:{name}", args=arguments.get(name, ()))
        for name in ROUTES
        if name not in no_page
    }


def test_every_page_answers_in_chinese_and_in_complete_english(place: Place) -> None:
    with_records(place)
    for name, address in addresses(place).items():
        chinese = place.client().get(address)
        assert chinese.status_code == 200, name
        english = place.client(language="en").get(address)
        assert english.status_code == 200, name
        if name == "manifest":
            continue
        assert 'lang="zh-Hans"' in chinese.content.decode()
        assert 'lang="en"' in english.content.decode()
        left = {
            found
            for found in HAN.findall(text(english.content))
            if not any(word in found for word in WORDS_OF_DATA)
        }
        assert left == set(), f"{name}: {left}"


def test_elder_mode_is_an_attribute_and_shows_fewer_things(place: Place) -> None:
    with_records(place)
    for name, address in addresses(place).items():
        if name == "manifest":
            continue
        assert 'data-mode="elder"' in place.client(elder=True).get(address).content.decode(), name
    home = place.client(elder=True).get("/m/").content.decode()
    assert 'class="sky"' not in home
    assert 'class="trio"' not in home
    assert 'class="duo"' in home
    standard = place.client().get("/m/").content.decode()
    assert 'class="sky"' in standard
    assert "data-mode" not in standard.split(">", 2)[1]


def test_pages_ask_a_bounded_number_of_questions(
    place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with_records(place)
    client = place.client()
    client.get("/m/")
    for address in addresses(place).values():
        with django_assert_max_num_queries(QUERIES_MAX):
            client.get(address)


def test_more_records_do_not_ask_more_questions(
    place: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    place.ride(*(bus(f"R{n}", started=f"2026-11-{n % 19 + 1:02d}T08:{n:02d}:00+08:00") for n in range(57)))
    client = place.client()
    client.get("/m/")
    for address in ("/m/", "/m/records"):
        with django_assert_max_num_queries(QUERIES_MAX):
            client.get(address)


def test_pages_open_to_citizens_only(place: Place) -> None:
    added = add_member(
        actor=SYSTEM, at=place.now - timedelta(days=1), organisation_id=place.shop_id, username="clerk",
        password=SecretStr("a-long-enough-password"), display_name="店员", role=Role.MERCHANT, area="990102",
    )  # fmt: skip
    clerk = Client()
    clerk.force_login(User.objects.get(pk=added.user_id))
    arguments = {
        "record": (1, 2),
        "line": ("2026-11-18", 1),
        "good": (1,),
        "redeem": (1,),
        "unbind": (1,),
        "own-copy": ("json",),
        "admission": (1,),
        "decline-admission": (1,),
        "pool-proof": (1,),
        "disown": (1, 2),
        "disowning": (1,),
        "appeal": (1,),
        "appeal-not-counted": (1, 2),
        "appeal-taken-back": (1, 2),
        "case": (1,),
    }
    coded = {"scene", "give-consent", "withdraw-consent", "erase-traces", "coupon", "cancel-coupon"}
    for name in set(ROUTES) - {"manifest"}:
        address = reverse(f"citizen:{name}", args=arguments.get(name, ("bus",) if name in coded else ()))
        stranger = Client().get(address)
        assert stranger.status_code == 302, name
        assert stranger["Location"].startswith("/sign-in"), name
        assert clerk.get(address).status_code == 403, name
        assert clerk.post(address).status_code == 403, name


def test_the_home_page_shows_what_the_ledger_says(place: Place) -> None:
    with_records(place)
    response = place.client().get("/m/")
    page = text(response.content)
    view = accounts.home(place.town.users["S1"], at=place.now)
    assert view.month_grams == Grams(872)
    assert "11 月减排，1–20 日" in page
    assert re.search(r"data-total>872<", response.content.decode())
    assert "比上月同期多 436 g" in page
    assert "1.308" in page
    assert "积分129分" in page.replace(" ", "")
    assert response["Cache-Control"] == "no-store"


def test_the_statement_adds_up_to_the_ledger(place: Place) -> None:
    with_records(place)
    page = text(place.client().get("/m/records?month=2026-11").content)
    account = accounts.account_of_user(place.town.users["S1"]).ledger_account_id
    held = ledger.balance(account)
    assert (held.grams, held.points) == (Grams(1308), Points(129))
    assert "与账本一致" in page
    assert "明细 2 笔，合计 872 g" in page
    assert re.search(r"月初\s*436 g\s*43 分", page)
    assert re.search(r"入账\s*872 g\s*86 分", page)
    assert re.search(r"月末\s*1,308 g\s*129 分", page)
    assert page.index("11 月 18 日") < page.index("11 月 17 日")
    assert "下个月" not in page
    october = text(place.client().get("/m/records?month=2026-10").content)
    assert "明细 1 笔，合计 436 g" in october
    assert "还没有记录" in text(place.client().get("/m/records?month=2026-09").content)
    assert place.client().get("/m/records?month=November").status_code == 422


def test_a_statement_that_disagrees_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with_records(place)
    monkeypatch.setattr("tanpuhui.behaviour.activity.queries.records_of_account", lambda **_: ())
    page = text(place.client().get("/m/records?month=2026-11").content)
    assert "与账本不一致" in page
    assert "明细合计 0 g，账本记入 872 g" in page


def test_a_person_without_account_reads_the_text_and_opens_one(place: Place) -> None:
    client = place.client("S3")
    assert client.get("/m/records").status_code == 302
    page = text(client.get("/m/").content)
    assert "同意并开通碳账户" in page
    assert "文本版本 2026-1" in page
    opened = client.post("/m/account", {"idempotency_key": "open-1"})
    assert (opened.status_code, opened["Location"]) == (303, "/m/scenes")
    number = accounts.account_of_user(place.town.users["S3"]).number
    assert number in text(client.get("/m/scenes").content)
    assert number in text(client.get("/m/me").content)


def test_the_own_page_hides_the_middle_of_the_phone(place: Place) -> None:
    page = text(place.client().get("/m/me").content)
    assert "139****0000" in page
    assert "13900000000" not in page


def test_the_manifest_names_the_scheme_and_needs_no_session(place: Place) -> None:
    response = Client().get("/m/manifest.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    body = response.json()
    assert body["start_url"] == body["scope"] == "/m/"
    assert body["name"]
