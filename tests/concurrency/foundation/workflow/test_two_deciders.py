"""Two people decide one case at once, on committed transactions: one decision, and the other learns of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.foundation.workflow.made_up_province import write_province

from tanpuhui.config.wiring import SUBSCRIBERS
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Decision
from tanpuhui.foundation.workflow.operations import (
    NO_EFFECT,
    CaseAlreadyOpen,
    CaseMoved,
    CaseOpened,
    Decided,
    decide,
    install_effects,
    installed_effects,
    open_case,
)

pytestmark = [pytest.mark.concurrency, pytest.mark.usefixtures("province")]

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
OUTCOMES = ("recommend", "return", "file", "reject")


@pytest.fixture
def province(committed_database: CommittedDatabase, settings: Settings, tmp_path: Path):  # type: ignore[no-untyped-def]
    settings.TANPUHUI_JURISDICTION_DIR = write_province(tmp_path / "made-up")
    load_jurisdiction(actor=SYSTEM, at=AT, folder=settings.TANPUHUI_JURISDICTION_DIR)
    before = installed_effects()
    install_subscribers(dict.fromkeys(SUBSCRIBERS, ()))
    install_effects({("thing", outcome): NO_EFFECT for outcome in OUTCOMES})
    yield
    install_effects(before)


def open_one(subject_id: str) -> CaseOpened:
    return open_case(
        actor=SYSTEM,
        at=AT,
        process="methodology_filing",
        subject_type="thing",
        subject_id=subject_id,
        title="一件事",
        area="990000",
    )


def expert(number: int) -> Actor:
    return Actor(kind="user", id=str(number), grants=(Grant(role=Role.EXPERT, area="990000"),))


def decision(case_id: int, number: int, outcome: str) -> Callable[[], object]:
    return lambda: decide(
        actor=expert(number),
        at=AT,
        idempotency_key=None,
        case_id=case_id,
        outcome=outcome,
        opinion=f"意见 {number}",
        seen_step=0,
    )


@pytest.mark.parametrize("outcomes", [("recommend", "recommend"), ("recommend", "return")])
def test_one_decides_and_the_other_learns_who_was_first(
    committed_database: CommittedDatabase, outcomes: tuple[str, str]
) -> None:
    for turn in range(5):
        case_id = open_one(str(turn)).case_id
        found = committed_database.run_together(
            *(decision(case_id, number, outcome) for number, outcome in enumerate(outcomes, start=1))
        )
        (first,) = [result for result in found if isinstance(result, Decided)]
        (second,) = [result for result in found if isinstance(result, CaseMoved)]
        winner = found.index(first) + 1
        assert second.data["who"] == f"user:{winner}"
        assert second.data["outcome"] == first.outcome == outcomes[winner - 1]
        assert second.data["opinion"] == f"意见 {3 - winner}"
        assert Decision.objects.filter(case_id=case_id).count() == 1
        assert queries.case(case_id).state == first.state
    assert list(queries.breaches()) == []


def test_many_cases_opened_at_once_have_numbers_without_gap_or_repeat(
    committed_database: CommittedDatabase,
) -> None:
    found = committed_database.run_together(
        *((lambda number=number: open_one(str(number))) for number in range(8))
    )
    numbers = sorted(int(result.number[-6:]) for result in found if isinstance(result, CaseOpened))
    assert numbers == list(range(1, 9))


def test_one_subject_opened_twice_at_once_has_one_case(committed_database: CommittedDatabase) -> None:
    found = committed_database.run_together(lambda: open_one("same"), lambda: open_one("same"))
    assert sorted(type(result).__name__ for result in found) == [
        CaseAlreadyOpen.__name__,
        CaseOpened.__name__,
    ]


def test_the_same_key_sent_twice_at_once_decides_once_and_answers_both(
    committed_database: CommittedDatabase,
) -> None:
    case_id = open_one("keyed").case_id

    def send() -> object:
        return decide(
            actor=expert(1), at=AT, idempotency_key="k", case_id=case_id, outcome="recommend", opinion="同意"
        )

    first, second = committed_database.run_together(send, send)
    assert isinstance(first, Decided)
    assert first == second
    assert Decision.objects.filter(case_id=case_id).count() == 1
