"""Two people act on one panel at once, on committed transactions: one draw, and a seat for each who gives theirs up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.science.methodology.committee import (
    Committee,
    assemble_committee,
    write_committee_province,
)

from tanpuhui.config import wiring
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.operations import PanelDrawn, declare_seat, draw_panel

pytestmark = pytest.mark.concurrency
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def committee(
    committed_database: CommittedDatabase,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Committee]:
    monkeypatch.delenv("TANPUHUI_KEY_RING", raising=False)
    settings.TANPUHUI_JURISDICTION_DIR = write_committee_province(tmp_path / "made-up")
    settings.TANPUHUI_DATA_DIR = tmp_path
    wiring.install()
    made = assemble_committee(at=AT, folder=settings.TANPUHUI_JURISDICTION_DIR)
    made.propose()
    yield made
    wiring.install()


def test_two_draws_at_once_make_one_panel(
    committee: Committee, committed_database: CommittedDatabase
) -> None:
    def drawing(key: str) -> object:
        return draw_panel(
            actor=committee.maker, at=AT, case_id=committee.case_id, fields=("living",), idempotency_key=key
        )

    results = committed_database.run_together(lambda: drawing("one"), lambda: drawing("two"))
    drawn = [one for one in results if isinstance(one, PanelDrawn)]
    assert len(drawn) == 1
    assert [type(one) for one in results if not isinstance(one, PanelDrawn)] == [Invalid]
    assert len(queries.panels()) == 1


def test_two_who_give_up_their_seats_at_once_are_followed_by_two_different_experts(
    committee: Committee, committed_database: CommittedDatabase
) -> None:
    panel = committee.draw()
    order = [one.expert_number for one in panel.candidates]

    def giving_up(number: int) -> object:
        return declare_seat(
            actor=committee.experts[number],
            at=AT,
            panel_id=panel.panel_id,
            free=False,
            declaration="有利害关系",
            idempotency_key=str(number),
        )

    results = committed_database.run_together(lambda: giving_up(order[0]), lambda: giving_up(order[1]))
    assert not [one for one in results if isinstance(one, BaseException)]
    assert {seat.expert_number for seat in committee.panel.sitting} == set(order[2:5])
    assert list(queries.breaches()) == []
