"""Two people pass the same cases on at once, on committed transactions: each case has one new holder, and the other learns whose."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.foundation.workflow.made_up_province import write_province

from tanpuhui.config.wiring import SUBSCRIBERS
from tanpuhui.foundation.identity.models import Membership, Organisation, User
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.models import Case, CaseAct
from tanpuhui.foundation.workflow.operations import CasesAssigned, CaseToAssign, assign_cases, open_case

pytestmark = pytest.mark.concurrency
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CASES = 6


@pytest.fixture
def experts(committed_database: CommittedDatabase, settings: Settings, tmp_path: Path) -> tuple[int, ...]:
    settings.TANPUHUI_JURISDICTION_DIR = write_province(tmp_path / "made-up")
    load_jurisdiction(actor=SYSTEM, at=AT, folder=settings.TANPUHUI_JURISDICTION_DIR)
    install_subscribers(dict.fromkeys(SUBSCRIBERS, ()))
    body = Organisation.objects.create(
        kind="expert_body", name="专家委员会", name_en="Experts", uscc="E" * 18, area="990000", admitted_at=AT
    )
    people = []
    for number in range(4):
        user = User.objects.create(
            username=f"expert{number}", display_name=f"专家{number}", area="990000", is_citizen=False, joined_at=AT,
            organisation=body,
        )  # fmt: skip
        Membership.objects.create(user=user, organisation=body, role="expert", area="990000", valid_from=AT)
        people.append(user.pk)
    return tuple(people)


def test_each_case_has_one_holder_and_the_second_learns_whose(
    committed_database: CommittedDatabase, experts: tuple[int, ...]
) -> None:
    opened = [
        open_case(
            actor=SYSTEM, at=AT, process="methodology_filing", subject_type="thing", subject_id=str(number),
            title="一件事", area="990000",
        ).case_id
        for number in range(CASES)
    ]  # fmt: skip
    picked = [CaseToAssign(case_id=case_id, seen_step=0, seen_act=0) for case_id in opened]

    def passing(giver: int, receiver: int, order: list[CaseToAssign]) -> CasesAssigned:
        return assign_cases(
            actor=actor_of(user_id=giver, at=AT), at=AT, idempotency_key=None, cases=order, user_id=receiver, reason="分工"
        )  # fmt: skip

    first, second, third, fourth = experts
    results = committed_database.run_together(
        lambda: passing(first, third, picked), lambda: passing(second, fourth, picked[::-1])
    )
    one, other = results
    assert isinstance(one, CasesAssigned), one
    assert isinstance(other, CasesAssigned), other
    assert sorted(one.assigned + other.assigned) == opened
    assert CaseAct.objects.count() == CASES
    for result, receiver, winner in ((one, third, "专家3"), (other, fourth, "专家2")):
        assert set(Case.objects.filter(assigned_to=receiver).values_list("pk", flat=True)) == set(
            result.assigned
        )
        assert {refused.code for refused in result.refused} <= {"CASE_TAKEN"}
        assert all(winner in refused.why_zh for refused in result.refused)
