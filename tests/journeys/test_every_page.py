"""Every page that somebody's navigation leads to, in both languages, light and dark, on a phone and on a desk.

The province has lived: its whole story has been told, so that the pages are full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import PHONE, PICTURES, SIZES, Person

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import APPLICANTS
from tanpuhui.credits.registry.queries import certificates
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.workflow.queries import inbox
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.interfaces.commands.demonstration.story import ACTS
from tanpuhui.uses.rewards.queries import coupons_of

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(900)]

CITIZEN = "citizen"
STRANGER = "stranger"
PEOPLE = (
    STRANGER,
    CITIZEN,
    "hh.jingban",
    "hh.fuhe",
    "hh.jianguan",
    "hh.xitong",
    "hh.anquan",
    "hh.shenji",
    "hh.guidao.admin",
    "hh.gongjiao",
    "hh.yezhu",
    "hh.hecha",
    "hh.zhuanjia",
    "hh.shanghu",
    "hh.goumai",
)
LANGUAGES = {"zh-hans": "zh", "en": "en"}
GRAVE = frozenset({"serious", "critical"})
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
"""Axe would fetch imported style sheets again, from addresses beside the page's own."""
NOT_PAGES = ("/static/", "/api/v1/", "/i18n/", "/language", "/sign-out", "/keys.json")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > width + 1)
    .map((one) => one.tagName.toLowerCase() + "." + [...one.classList].join("."))
    .slice(0, 8);
}"""
"""Names what sticks out of a page that can be pushed sideways; nothing where it cannot."""
LINKS = """() => [...document.querySelectorAll("nav a[href^='/'], header a[href^='/'], footer a[href^='/'], aside a[href^='/']")]
  .map((one) => one.getAttribute("href").split("#")[0])"""
"""The addresses that a page's shell leads to."""
LABELS = """() => [...document.querySelectorAll("nav a, th, dt, label, button:not([lang]), a.btn, h2")]
  .map((one) => { const own = one.cloneNode(true); own.querySelectorAll("[lang]").forEach((other) => other.remove()); return own.textContent.trim(); })
  .filter((text) => text)"""
"""What the platform itself says on a page: doors, heads of columns, names of fields, buttons."""
TAKEN: set[str] = set()
"""Pages that several people see are taken as a picture, and looked at by axe in the light, once."""
PAPER = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def lived(open_province: OpenProvince) -> Iterator[Province]:
    """Tell the whole story up to today."""

    def tell(stage: Stage) -> None:
        for act in ACTS:
            act.play(stage)

    with open_province(tell) as province:
        yield province


def entered(browser: Browser, province: Province, who: str) -> Person:
    """Return a person who has signed in, at the page where their work begins."""
    person = Person(browser, province, who, phone=who == CITIZEN, pictures=PICTURES / "pages")
    if who == STRANGER:
        person.open("/")
    elif who == CITIZEN:
        person.sign_in_by_phone(province.stage.citizens[0].phone)
    else:
        person.sign_in(who)
    return person


def doors(person: Person) -> list[str]:
    """Return the addresses of the navigation that lie in the person's own face, where they stand first, each once."""
    own = urlsplit(person.page.url).path
    found = dict.fromkeys([own, *person.page.evaluate(LINKS)])
    return [one for one in found if one.startswith(own) and not one.startswith(NOT_PAGES)]


def rooms(person: Person, province: Province, who: str) -> list[str]:
    """Return pages that no navigation leads to, but that a person comes to: a case, a record, a coupon, a certificate."""
    stage, at = province.stage, timezone.now()
    if who == STRANGER:
        held = certificates()[0]
        scenes = [f"/scenarios/{one.code}" for one in activity.scenarios()[:1]]
        return [f"/c/{held.number}", "/methodologies/A02/1.0", *scenes, "/sign-in", "/no-such-page"]
    if who == CITIZEN:
        record = person.page.locator("a.rec[href*='/m/records/']").first.get_attribute("href")
        return [str(record), *(f"/m/coupons/{one.code}" for one in coupons_of(stage.citizen_ids[0])[:1])]
    waiting = inbox(actor=stage.actor(who, at), at=at)
    return [*(f"/w/cases/{line.case.case_id}" for line in waiting[:1]), *applied_for(stage.actor(who, at))]


def applied_for(actor: Actor) -> Iterator[str]:
    """Yield the pages of the newest scenario application of somebody's organisation, and of its newest sample."""
    own = actor.organisation_ids(*APPLICANTS)
    for view in activity.applications(organisation_ids=own)[:1] if own else ():
        yield from (f"/w/applications/{view.id}{page}" for page in ("", "/docking"))
        yield from (f"/w/samples/{one.id}" for one in activity.samples(view.id)[:1])


def name_of(address: str) -> str:
    return (
        re.sub(r"[^a-z#]+", "-", re.sub(r"\d+", "#", address.lower())).strip("-").replace("#", "n") or "home"
    )


def picture_name(address: str, tag: str) -> str:
    return f"{name_of(address)}-{tag}-{'dark' if tag == 'en' else 'light'}"


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_of_the_navigation_serves_in_both_languages_light_and_dark_small_and_large(
    browser: Browser, lived: Province, who: str
) -> None:
    with entered(browser, lived, who) as person:
        leading, further = doors(person), rooms(person, lived, who)
        assert len(leading) + len(further) >= 2
        names = {player.name for troupe in lived.stage.cast.troupes for player in troupe.players}
        wrong: list[str] = []
        for language, tag in LANGUAGES.items():
            person.context.add_cookies([{"name": "django_language", "value": language, "url": lived.url}])
            for address in (*leading, *further):
                own = address == leading[0] or address in further
                if tag == "en" and not own and picture_name(address, tag) in TAKEN:
                    continue  # the words are the same whoever reads them, and somebody has looked at them
                found = looked_at(person, address, tag, names, own=own)
                wrong.extend(f"{address} [{tag}] {one}" for one in found)
        assert not wrong, f"{who}:\n" + "\n".join(wrong)


def looked_at(person: Person, address: str, tag: str, names: set[str], *, own: bool) -> Iterator[str]:
    """Open a page once, look at it in every way, and yield what is wrong with it.

    It is light in Chinese and dark in English. Axe looks at every page once, in the light, and at what is a person's own,
    which is not the same for two people, in the dark too.
    """
    page = person.page
    page.emulate_media(color_scheme="light")
    with person.expecting(404) if address == "/no-such-page" else nullcontext():
        person.open(address)
    spoken = str(page.locator("html").get_attribute("lang"))
    if not spoken.lower().startswith(tag):
        yield f"is written in {spoken}"
    if tag == "en":
        # People and what they typed stay as they are written.
        labels = [text for text in page.evaluate(LABELS) if CHINESE.search(text)]
        if left := [text for text in labels if text not in names and "（虚构）" not in text]:
            yield f"is not all English: {left}"
        light = page.evaluate(PAPER)
        page.emulate_media(color_scheme="dark")
        if page.evaluate(PAPER) == light:
            yield "stays light in the dark"
    name = picture_name(address, tag)
    new = name not in TAKEN
    TAKEN.add(name)
    for size, device in SIZES.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if sticking_out := page.evaluate(TOO_WIDE):
            yield f"is wider than {size[0]} px: {sticking_out}"
        if (own or (new and tag == "zh")) and size == (PHONE if tag == "en" else person.size):
            yield from barriers(page)
        if new:
            person.picture(name, size, device)


def barriers(page: Page) -> Iterator[str]:
    """Yield the serious and critical findings of axe on a page."""
    for found in Axe().run(page, options=AXE_OPTIONS).response["violations"]:
        if found["impact"] in GRAVE:
            for node in found["nodes"][:3]:
                yield f"{found['id']} ({found['impact']}): {node['html'][:160]} {node['failureSummary'][:300]}"
