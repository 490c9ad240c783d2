"""A recalculation as two people do it on their desks, and as a citizen reads of it."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from tests.integration.behaviour.activity.revision import bus_version, revised_bus
from tests.integration.interfaces.workbench.conftest import NOW, Desk
from tests.integration.interfaces.workbench.test_chain import decide, post, upload

from tanpuhui.behaviour.activity import tasks
from tanpuhui.behaviour.activity.operations import preview_recalculation
from tanpuhui.behaviour.activity.queries import recalculation
from tanpuhui.foundation.kernel.actors import SYSTEM


@pytest.fixture
def versions(desk: Desk) -> tuple[int, int]:
    """Post rides of October, and file a lower factor: the old version and the new one."""
    answer = upload(desk, desk.rides(4))
    desk.post(int(answer.headers["Location"].rsplit("/", 1)[1]))
    return bus_version(NOW), revised_bus("0.078")


def prepared(desk: Desk, versions: tuple[int, int]) -> str:
    answer = post(
        desk.client("maker"), "/w/recalculations/new", from_version_id=versions[0], to_version_id=versions[1],
        first_month="2026-10", last_month="2026-10", reason="公布了新的基准因子",
    )  # fmt: skip
    assert answer.status_code == 303, answer.content.decode()
    return answer.headers["Location"]


def read(desk: Desk, name: str, address: str, *, language: str = "zh-hans") -> str:
    answer: HttpResponse = desk.client(name, language=language).get(address)  # type: ignore[assignment]
    assert answer.status_code == 200
    return answer.content.decode()


def test_from_the_factor_to_the_citizens_sentence(desk: Desk, versions: tuple[int, int]) -> None:
    address = prepared(desk, versions)
    number = int(address.rsplit("/", 1)[1])
    assert 'hx-trigger="every 2s"' in read(desk, "maker", address)
    preview_recalculation(actor=SYSTEM, at=NOW, recalculation_id=number)
    progress = desk.client("maker").get(f"{address}/progress")
    assert progress.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in progress.content.decode()

    page = read(desk, "maker", address)
    # Four rides of 200 km: 10,400 g became 5,200 g each, and 1,040 points 520.
    for words in ("41,600", "20,800", "−2,080", "基准因子", "少 10,000 g 及以上", "提出重算"):
        assert words in page, words
    assert "提出重算" not in read(desk, "regulator", address)

    proposed = post(desk.client("maker"), address, opinion="按城市、按月核对无误。")
    assert proposed.status_code == 303, proposed.content.decode()
    case = proposed.headers["Location"]
    case_id = int(case.rsplit("/", 1)[1])
    assert "重算" in read(desk, "checker", "/w/")
    assert "20,800" in read(desk, "checker", case)
    assert decide(desk, "maker", case_id, "approve").status_code != 303
    assert decide(desk, "checker", case_id, "approve").status_code == 303

    assert "已入账 0 步，共 1 步" in read(desk, "maker", address)
    tasks.adjust_recalculation(number)
    assert recalculation(number).state == "done"
    done = read(desk, "maker", address)
    assert "与试算一致" in done
    assert "已入账 1 步，共 1 步" in done

    statement = read(desk, "citizen", "/m/records?month=2026-10")
    assert "方法学更新：公交按新版本重算，这个月 −10,400 g、−1,040 分。原因：公布了新的基准因子" in statement
    assert "方法学更新重算" in statement
    assert "更正差额" in statement
    assert "与账本一致" in statement
    english = read(desk, "citizen", "/m/records?month=2026-10", language="en")
    assert "Methodology updated: Bus was recalculated; this month −10,400 g, −1,040 points." in english


def test_every_page_speaks_english(desk: Desk, versions: tuple[int, int]) -> None:
    address = prepared(desk, versions)
    preview_recalculation(actor=SYSTEM, at=NOW, recalculation_id=int(address.rsplit("/", 1)[1]))
    for page, words in (
        ("/w/recalculations", "calculated again"),
        ("/w/recalculations/new", "Start the preview"),
        (address, "Effect on each person"),
    ):
        said = read(desk, "maker", page, language="en")
        assert words in said, page
        assert "试算" not in said, page


def test_what_cannot_be_recalculated_is_said_at_the_form_with_the_input_kept(
    desk: Desk, versions: tuple[int, int]
) -> None:
    answer = post(
        desk.client("maker"), "/w/recalculations/new", from_version_id=versions[0], to_version_id=versions[0],
        first_month="2026-10", last_month="2026-10", reason="核对一下",
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code != 303
    assert "新旧版本是同一个" in page
    assert "核对一下" in page


@pytest.mark.parametrize("name", ["partner", "merchant", "owner", "verifier", "expert"])
def test_who_does_not_run_the_scheme_sees_no_recalculation(
    desk: Desk, versions: tuple[int, int], name: str
) -> None:
    address = prepared(desk, versions)
    for page in ("/w/recalculations", "/w/recalculations/new", address, f"{address}/progress"):
        assert desk.client(name).get(page).status_code == 403, page
    assert desk.client("checker").get("/w/recalculations/new").status_code == 403
