"""A day that is out of line stands on the page of data quality, and the partner's and the centre's people are told once."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from tests.integration.behaviour.activity.town import HUANGHAI
from tests.integration.interfaces.workbench.conftest import NOW, Desk

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.operations import warn_of_quality
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.messages.queries import messages_of, view_of
from tanpuhui.foundation.rulebook.models import Parameter

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)
DAY = date(2026, 11, 20)


def limit(name: str, value: str) -> None:
    Parameter.objects.create(
        key=f"data_quality.{name}", scope="", value=value, unit="1", basis="测试", confidence="DEMO", note="",
        pack="test", rank=9, valid_from=date(2018, 1, 1),
    )  # fmt: skip


@pytest.fixture
def sent(desk: Desk) -> Desk:
    """Send four good rides, one of them twice, and one that is wrong."""
    rows = desk.rides(
        4,
        extra=(
            "r0,S0,bus,2026-10-01T06:00:00+08:00,,990102,200",
            "w,S0,bus,2026-10-01T06:00:00+08:00,,990102,-1",
        ),
    )
    desk.send(rows)
    return desk


def test_the_figures_of_a_day_are_exact(sent: Desk) -> None:
    (one,) = queries.day_qualities(sent.partner_id, last_day=DAY, days=30)
    found = one.figures
    assert (found.day, found.rows, found.accepted, found.duplicates, found.rejected) == (DAY, 6, 4, 1, 1)
    assert (found.score, found.delay) == (Fraction(2, 3), Fraction(50))
    assert found.grams_each == Fraction(found.grams, 4)
    assert one.alerts == ()


def test_people_of_the_partner_and_makers_are_told_once(sent: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    load_templates(actor=SYSTEM, at=NOW, folder=HUANGHAI)
    limit("rejected_share_max", "1/10")
    told = warn_of_quality(actor=SYSTEM, at=LATER, day=DAY)
    assert (told.partners, told.people) == (1, 2)
    for name in ("partner", "maker"):
        (message,) = messages_of(sent.users[name].pk)
        assert view_of(message).link == "/w/data-quality"
        assert "1 项指标超过限值" in view_of(message).body_zh
    assert messages_of(sent.users["checker"].pk).count() == 0
    assert warn_of_quality(actor=SYSTEM, at=LATER, day=DAY).people == 0
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    page = sent.client("partner").get("/w/data-quality").content.decode()
    assert ("拒收多" in page, "66.6%" in page, "重复多" in page) == (True, True, False)


def test_nobody_is_told_of_a_day_in_line(sent: Desk) -> None:
    limit("rejected_share_max", "1/2")
    assert warn_of_quality(actor=SYSTEM, at=LATER, day=DAY).partners == 0


def test_a_partner_that_falls_silent_is_seen(sent: Desk) -> None:
    (silent, before) = queries.day_qualities(sent.partner_id, last_day=DAY + timedelta(days=1), days=30)
    assert (silent.figures.rows, before.figures.rows) == (0, 6)
