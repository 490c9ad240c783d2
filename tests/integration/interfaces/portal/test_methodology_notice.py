"""What the public reads of a methodology under notice: the judged version, the panel with its recusals, a draw to repeat."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from tests.integration.science.methodology.committee import Committee
from tests.integration.science.methodology.conftest import committee

from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.interfaces.portal.notice_parts import PARTS

__all__ = ["committee"]

pytestmark = pytest.mark.django_db


def part(committee: Committee, *, days: int = 0) -> NoticePart:
    """Return the public part of a notice that opened some days after the meeting."""
    view: Any = SimpleNamespace(
        subject_id=str(committee.filing_id or _filing_id(committee)),
        opened_at=committee.at + timedelta(days=days),
        number="MU-METHODOLOGY-FILING-2026-000001",
    )
    return PARTS["methodology_filing"](view)


def _filing_id(committee: Committee) -> int:
    return committee.panel.filing_id


def drawn(made: NoticePart) -> str:
    return render_to_string(made.template, {"part": made.context})


def test_the_panel_its_recusals_and_the_votes_are_public_and_the_draw_can_be_repeated(
    committee: Committee,
) -> None:
    panel = committee.draw()
    committee.declare(panel.seats[0].expert_number, free=False)
    committee.declare_all()
    committee.review_all()
    second = committee.panel.declared[1].expert_number
    committee.sign(committee.meet(votes={second: "against"}, dissent="基准情景偏高"))
    made = part(committee)
    said = {fact.label: str(fact.value) for fact in made.facts}
    assert said["方法学"].startswith("T01 1.0")
    assert said["评审结论"] == "推荐备案"
    assert said["表决"] == "赞成 2，反对 1，弃权 0"
    page = drawn(made)
    for words in (
        "声明利害关系后回避",
        "参加评审",
        "没有抽到",
        "基准情景偏高",
        "不同意见",
        panel.log_root,
        panel.seed,
    ):
        assert words in page, words
    assert "本人参股申请单位" not in page
    number = committee.panel.case_number
    assert hashlib.sha256(f"{panel.log_root}|{number}".encode()).hexdigest() == panel.seed
    orders = [
        hashlib.sha256(f"{panel.seed}|{one.expert_number}".encode()).hexdigest() for one in panel.candidates
    ]
    assert orders == sorted(orders)


def test_a_meeting_signed_after_the_notice_opened_is_not_what_was_put_to_notice(committee: Committee) -> None:
    committee.draw()
    committee.conclude()
    assert "评审结论" in {fact.label for fact in part(committee).facts}
    assert "评审结论" not in {fact.label for fact in part(committee, days=-1).facts}


def test_the_part_is_english_throughout_but_for_names(committee: Committee) -> None:
    committee.draw()
    committee.conclude()
    with translation.override("en"):
        made = part(committee)
        page = drawn(made) + "".join(f"{fact.label} {fact.value}" for fact in made.facts)
    for data in ("同意推荐备案", "先生"):
        page = page.replace(data, "")
    assert [sign for sign in page if "\u4e00" <= sign <= "\u9fff"] == []


def test_a_filing_without_committee_says_its_version(committee: Committee) -> None:
    view: Any = SimpleNamespace(subject_id=str(committee.version_id))
    made = PARTS["methodology_version"](view)
    assert str(made.facts[0].value).startswith("T01 1.0")
    assert made.links[0].url == "/methodologies/T01/1.0"
