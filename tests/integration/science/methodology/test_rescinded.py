"""A rescinded decision on a filing leaves the version as the decisions that stand made it; a filed version is bound for good."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.foundation.workflow.amending import SHIPPED, rescind_last
from tests.integration.science.methodology.committee import Committee
from tests.integration.science.methodology.conftest import FILING, files, settle
from tests.integration.science.methodology.test_filing import take_in

from tanpuhui.config import wiring
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import CannotRescind, decide
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.operations import NotDecided, restore_version

pytestmark = pytest.mark.django_db
AREA = "990000"


def amendable(settings: Settings, now: datetime) -> None:
    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    shutil.copy(SHIPPED / "decision_amendment.yaml", folder / "processes")
    load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    wiring.install()


@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize(
    ("steps", "after"),
    [
        ((("recommend", Role.EXPERT),), "proposed"),
        ((("return", Role.EXPERT),), "proposed"),
        ((("recommend", Role.EXPERT), ("return", Role.REGULATOR)), "reviewed"),
        ((("recommend", Role.EXPERT), ("reject", Role.REGULATOR)), "reviewed"),
    ],
)
def test_the_version_is_what_the_standing_decisions_made_it(
    settings: Settings, now: datetime, steps: tuple[tuple[str, Role], ...], after: str
) -> None:
    amendable(settings, now)
    version_id = take_in(now).version_id
    case_id = settle(version_id, at=now, steps=steps)
    rescind_last(case_id, at=now, area=AREA)
    assert (queries.version(version_id).state, workflow.case(case_id).state) == (after, after)


@pytest.mark.usefixtures("wired")
def test_a_filed_version_is_not_unfiled(settings: Settings, now: datetime) -> None:
    amendable(settings, now)
    version_id = take_in(now).version_id
    case_id = settle(version_id, at=now, steps=FILING)
    with pytest.raises(CannotRescind) as refused:
        rescind_last(case_id, at=now, area=AREA)
    assert "修订版" in refused.value.message("zh")
    assert queries.version(version_id).state == "filed"


@pytest.mark.usefixtures("wired")
def test_nobody_restores_a_version_past_its_case(settings: Settings, now: datetime) -> None:
    amendable(settings, now)
    version_id = take_in(now).version_id
    case_id = settle(version_id, at=now, steps=(("recommend", Role.EXPERT),))
    with pytest.raises(NotDecided):
        restore_version(actor=SYSTEM, at=now, case_id=case_id, subject_id=str(version_id), opinion="x")
    assert queries.version(version_id).state == "reviewed"


def test_a_filing_returned_or_rejected_by_mistake_is_where_it_was(
    committee: Committee, settings: Settings, now: datetime
) -> None:
    amendable(settings, now)
    second = {name: text.replace(b'"1.0"', b'"1.1"') for name, text in files().items()}
    committee.propose(second, accepted=False)
    before = (queries.version(committee.version_id).state, workflow.case(committee.case_id).state)
    process = workflow.available_outcomes(actor=committee.maker, case_id=committee.case_id, at=now)
    assert "return" in {found.outcome for found in process}
    decide(
        actor=committee.maker, at=now, idempotency_key=None, case_id=committee.case_id, outcome="return", opinion="退回"
    )  # fmt: skip
    assert queries.version(committee.version_id).state == "returned"
    rescind_last(committee.case_id, at=now, area=AREA)
    assert (queries.version(committee.version_id).state, workflow.case(committee.case_id).state) == before
