"""A revised factor: preview, approval by two, adjusting entries once, nothing overwritten, everything had again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.integration.behaviour.activity.revision import (
    CHECKER,
    MAKER,
    adjust_all,
    approved,
    bus_version,
    key,
    previewed,
    revised_bus,
)
from tests.integration.behaviour.activity.town import CITY, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.recalculations import (
    NothingToRecalculate,
    NotRecalculable,
    PreviewOutdated,
    RecalculationOpen,
    VersionNotFiled,
    WrongRecalculationState,
)
from tanpuhui.behaviour.activity.models import Posting, Recalculation, RecalculationStep, RecordChunk
from tanpuhui.behaviour.activity.operations import (
    adjust_next_step,
    approve_recalculation,
    prepare_recalculation,
    propose_recalculation,
)
from tanpuhui.behaviour.activity.operations._post_batch._allowance import earlier_use
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import transfer
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.workflow.operations import NotYourDecision, SamePerson, decide
from tanpuhui.science.methodology.models import MethodologyVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(now: datetime, settings: Any, invented_jurisdiction: Path) -> Town:
    """One rider with 436 and 52 g on two days, another with 436 g; the tenth part of it in points."""
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    made = build(subjects=("S1", "S2"))
    made.post(
        csv(
            bus("R1"), bus("R2", started="2026-11-19T08:00:00+08:00", distance="1"), bus("R3", "S2"),
            bus("R4", started="2026-10-03T08:00:00+08:00", distance="2"),
        ),
        at=now,
    )  # fmt: skip
    return made


def held(town: Town, subject: str) -> tuple[int, int]:
    balance = ledger.balance(town.accounts[subject])
    return balance.grams.value, balance.points.value


def test_a_posting_says_with_what_its_results_can_be_had_again(town: Town) -> None:
    row = Posting.objects.order_by("id").first()
    assert row is not None
    assert (row.engine_version, row.rounding) == ("1", "FLOOR_1G")
    version = MethodologyVersion.objects.get(pk=row.methodology_version_id)
    assert (row.methodology_sha256, row.parameter_set_sha256) == (
        version.archive_sha256,
        version.parameter_set_sha256,
    )
    assert len(bytes(row.inputs_sha256)) == len(bytes(row.results_sha256)) == 32


def test_a_preview_says_who_where_and_when_and_posts_nothing(town: Town, now: datetime) -> None:
    before = held(town, "S1")
    number = previewed(now, bus_version(now), revised_bus("0.110"), month="2026-10", last="2026-11")
    run = Recalculation.objects.get(pk=number)
    preview = run.preview
    assert run.state == "previewed"
    # 104 -> 116 g, 436 -> 487 g twice, 52 -> 58 g.
    assert (preview["records"], preview["changed"], preview["accounts"]) == (4, 4, 2)
    assert (preview["old_grams"], preview["grams"]) == (1028, 1148)
    assert preview["points"] == (11 - 10) + (48 - 43) * 2 + (5 - 5)
    assert [(m["month"], m["grams"] - m["old_grams"]) for m in preview["months"]] == [
        ("2026-10", 12),
        ("2026-11", 108),
    ]
    assert [(c["area"], c["records"]) for c in preview["cities"]] == [(CITY[:4] + "00", 4)]
    assert preview["bands"] == [0, 0, 0, 0, 0, 2, 0, 0, 0]
    assert (preview["greatest_loss"], preview["greatest_gain"]) == (0, 69)
    assert held(town, "S1") == before
    assert not RecalculationStep.objects.exists()


def test_differences_are_posted_and_a_second_run_posts_none(town: Town, now: datetime) -> None:
    old, new = bus_version(now), revised_bus("0.110")
    chunks = list(RecordChunk.objects.order_by("pk").values_list("amounts", flat=True))
    number = approved(now, old, new, month="2026-10", last="2026-11")
    assert held(town, "S1") == (592, 58)
    done = adjust_all(now, number)
    assert (done.steps_done, done.steps) == (2, 2)
    assert held(town, "S1") == (592 + 12 + 51 + 6, 58 + 1 + 5 + 0)
    assert held(town, "S2") == (487, 48)
    run = Recalculation.objects.get(pk=number)
    foreseen, posted = run.preview, run.totals
    assert posted["grams"] == foreseen["grams"] - foreseen["old_grams"]
    assert posted["points"] == foreseen["points"]
    assert list(RecordChunk.objects.order_by("pk").values_list("amounts", flat=True)) == chunks

    journals = ledger_journals()
    assert adjust_next_step(actor=SYSTEM, at=now, recalculation_id=number).state == "done"
    assert ledger_journals() == journals
    with pytest.raises(NothingToRecalculate):
        previewed(now, old, new, month="2026-10", last="2026-11")
    assert list(queries.breaches()) == []
    assert list(ledger.breaches()) == []


def ledger_journals() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger_journal")
        return int(cursor.fetchone()[0])


def test_going_on_to_a_third_version_and_back_ends_where_it_began(town: Town, now: datetime) -> None:
    first, second = bus_version(now), revised_bus("0.110")
    before = held(town, "S1"), held(town, "S2")
    adjust_all(now, approved(now, first, second))
    third = revised_bus("0.120")
    adjust_all(now, approved(now, second, third))
    # 8.4 km at 0.120 - 0.052 kg is 571.2 g, 1 km 68 g; October was left alone.
    assert held(town, "S1") == (571 + 68 + 104, 57 + 6 + 10)
    adjust_all(now, approved(now, third, first))
    assert (held(town, "S1"), held(town, "S2")) == before
    assert list(queries.breaches()) == []


def test_a_late_record_of_the_old_version_is_left_to_the_next_recalculation(
    town: Town, now: datetime
) -> None:
    old = bus_version(now)
    new = revised_bus("0.110", valid_from=date(2026, 12, 1))
    number = approved(now, old, new)
    town.post(csv(bus("LATE", "S2", distance="1")), at=now, key="k2")
    adjust_all(now, number)
    assert held(town, "S2") == (487 + 52, 48 + 5)
    adjust_all(now, approved(now, old, new))
    assert held(town, "S2") == (487 + 58, 48 + 5)


def test_points_already_spent_are_due_and_no_balance_is_negative(town: Town, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger_account")
    spend(town, "S2", 40, now)
    number = approved(now, bus_version(now), revised_bus("0.078"))
    # Half of 436 g: 218 g and 21 points; 22 points less, of which 3 are there.
    assert Recalculation.objects.get(pk=number).preview["short_points"] == 19
    adjust_all(now, number)
    assert held(town, "S2") == (218, 0)
    assert ledger.clawback_due(town.accounts["S2"]) == (Grams(0), Points(19))
    totals = Recalculation.objects.get(pk=number).totals
    assert (totals["due_points"], totals["points"]) == (19, -(22 + 22 + 3))
    assert list(queries.breaches()) == []
    assert list(ledger.breaches()) == []


def spend(town: Town, subject: str, points: int, at: datetime) -> None:
    from tanpuhui.books.ledger.operations import system_account

    transfer(
        kind="test_spending", reference=key(), at=at, day=at.date(), debit_account_id=town.accounts[subject],
        credit_account_id=system_account("points:reserved"), points=Points(points),
    )  # fmt: skip


def deficit_micro() -> int:
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(61)]
    return sum(earlier_use(scenario="bus", measure="deficit", periods=days).column("micro").to_pylist())


def test_days_never_fall_below_nothing_and_a_deficit_is_noted(town: Town, now: datetime) -> None:
    """Under 0.050 kg a kilometre the bus is worse than the average, so nothing is left of the days."""
    old, new = bus_version(now), revised_bus("0.050")
    adjust_all(now, approved(now, old, new, month="2026-10", last="2026-11"))
    assert held(town, "S1") == (0, 0)
    # 8.4 km twice -0.0168 kg each, floored to -17 g; 1 km -2 g; 2 km -4 g.
    assert deficit_micro() == -(17 + 17 + 2 + 4) * 1_000_000
    assert list(queries.breaches()) == []
    adjust_all(now, approved(now, new, old, month="2026-10", last="2026-11"))
    assert held(town, "S1") == (592, 58)
    assert deficit_micro() == 0


def test_the_maker_cannot_check_and_others_cannot_begin(town: Town, now: datetime) -> None:
    old, new = bus_version(now), revised_bus("0.110")
    outsider = Actor(kind="user", id="3", grants=(Grant(role=Role.MAKER, area="990102"),))
    with pytest.raises(NotPermitted):
        prepare_recalculation(
            actor=outsider, at=now, idempotency_key=key(), scenario="bus", from_version_id=old, to_version_id=new,
            first_month="2026-11", last_month="2026-11", reason="x",
        )  # fmt: skip
    number = previewed(now, old, new)
    both = Actor(kind=MAKER.kind, id=MAKER.id, grants=(*MAKER.grants, *CHECKER.grants))
    proposed = propose_recalculation(
        actor=both, at=now, idempotency_key=key(), recalculation_id=number, opinion="提出"
    )
    with pytest.raises(SamePerson):
        decide(
            actor=both,
            at=now,
            idempotency_key=key(),
            case_id=proposed.case_id,
            outcome="approve",
            opinion="同意",
        )
    with pytest.raises(NotYourDecision):
        decide(
            actor=MAKER,
            at=now,
            idempotency_key=key(),
            case_id=proposed.case_id,
            outcome="approve",
            opinion="同意",
        )
    with pytest.raises(WrongRecalculationState):
        adjust_next_step(actor=SYSTEM, at=now, recalculation_id=number)
    decide(
        actor=CHECKER,
        at=now,
        idempotency_key=key(),
        case_id=proposed.case_id,
        outcome="reject",
        opinion="不同意",
    )
    assert Recalculation.objects.get(pk=number).state == "rejected"
    with pytest.raises(WrongRecalculationState):
        adjust_next_step(actor=SYSTEM, at=now, recalculation_id=number)
    with pytest.raises(Exception, match="RECALCULATION_NOT_DECIDED"):
        approve_recalculation(
            actor=CHECKER, at=now, case_id=proposed.case_id, subject_id=str(number), opinion="同意"
        )


def test_one_recalculation_of_a_scenario_at_a_time_and_no_outdated_preview(town: Town, now: datetime) -> None:
    old, new = bus_version(now), revised_bus("0.110")
    earlier, later = previewed(now, old, new), previewed(now, old, new)
    number = approved(now, old, new)

    def propose(one: int) -> None:
        propose_recalculation(
            actor=MAKER, at=now, idempotency_key=key(), recalculation_id=one, opinion="提出"
        )

    with pytest.raises(RecalculationOpen):
        propose(earlier)
    adjust_all(now, number)
    with pytest.raises(PreviewOutdated):
        propose(later)


def test_a_draft_can_be_previewed_and_not_proposed(town: Town, now: datetime) -> None:
    new = revised_bus("0.110")
    with connection.cursor() as cursor:
        cursor.execute("alter table methodology_methodologyversion disable trigger user")
        cursor.execute(
            "update methodology_methodologyversion set state = 'draft', filed_at = null where id = %s", [new]
        )
        cursor.execute("alter table methodology_methodologyversion enable trigger user")
    number = previewed(now, bus_version(now), new)
    with pytest.raises(VersionNotFiled):
        propose_recalculation(
            actor=MAKER, at=now, idempotency_key=key(), recalculation_id=number, opinion="提出"
        )


def test_a_version_that_cannot_stand_in_is_refused_with_the_reason(town: Town, now: datetime) -> None:
    old = bus_version(now)
    bike = MethodologyVersion.objects.get(scenario="bike").pk
    for to_version_id, words in ((old, "same version"), (bike, "another scenario")):
        with pytest.raises(NotRecalculable, match=words):
            prepare_recalculation(
                actor=MAKER, at=now, idempotency_key=key(), scenario="bus", from_version_id=old,
                to_version_id=to_version_id, first_month="2026-11", last_month="2026-11", reason="x",
            )  # fmt: skip


def test_a_later_posting_is_floored_with_what_a_recalculation_left_of_its_day(
    town: Town, now: datetime
) -> None:
    """The day stands 17 g below nothing, then 19 g, and that much of a later ride's 52 g is taken up."""
    old, loss = bus_version(now), revised_bus("0.050")
    adjust_all(now, approved(now, old, loss))
    assert held(town, "S2") == (0, 0)
    town.post(csv(bus("LATE", "S2", distance="1")), at=now, key="k2")
    assert held(town, "S2") == (0, 0)
    gain = revised_bus("0.104001")
    town.post(csv(bus("LATER", "S2", distance="1")), at=now, key="k3")
    assert held(town, "S2") == (52 - 19, 3)
    adjust_all(now, approved(now, loss, gain))
    # The later ride keeps its 33 g and 3 points; the last posting recalculated takes up the rest: 436 and 71 g.
    assert held(town, "S2") == (436 + 52 + 52, 43 + 7 + 3)
    assert list(queries.breaches()) == []
