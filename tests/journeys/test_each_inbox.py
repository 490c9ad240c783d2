"""Each role opens its inbox in a browser, follows what waits there, and finds what it can do about it.

The province is the one that `make demo` seeds. Administrators and citizens have no inbox by design (workbench README).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import PICTURES, Person
from tests.journeys.place import ROOT

from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.interfaces.commands.demonstration.story import ACTS

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(900)]

SHIPPED = ROOT / "jurisdictions" / "shandong"
ROLES = {
    "maker": "zhongxin.jingban",
    "checker": "zhongxin.fuhe",
    "sub-centre": "qingdao.fenzhongxin",
    "regulator": "jianguan",
    "partner": "gongjiao",
    "merchant": "chashe",
    "owner": "chuxing",
    "buyer": "goumai",
    "verifier": "hecha",
    "expert": "zhuanjia1",
}
WAITING = "main a[href^='/w/cases/'], main a[href^='/w/holdings/'], main a[href^='/w/reviews/']"
TO_DO = "form:has(textarea[name=opinion]), main form:has(button[type=submit]), main a.btn"


@pytest.fixture(scope="module")
def demonstrated(open_province: OpenProvince) -> Iterator[Province]:
    """Tell the whole story of the shipped demonstration up to today."""

    def tell(stage: Stage) -> None:
        for act in ACTS:
            act.play(stage)

    with open_province(tell, SHIPPED) as province:
        yield province


@pytest.mark.parametrize("role", ROLES)
def test_a_role_finds_its_work_in_the_inbox_and_can_do_it(
    browser: Browser, demonstrated: Province, role: str
) -> None:
    with Person(browser, demonstrated, role, pictures=PICTURES / "inboxes") as person:
        person.sign_in(ROLES[role])
        person.picture(f"{role}-inbox", person.size, "desktop")
        waiting = person.page.locator(WAITING)
        assert waiting.count(), person.reads()
        with person.page.expect_navigation():
            waiting.first.click()
        person.picture(f"{role}-work", person.size, "desktop")
        assert person.page.locator(TO_DO).count(), f"nothing to do at {person.page.url}: {person.reads()}"
