"""A made-up province, one small methodology, and people who can propose, recommend and file it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings
from tests.integration.foundation.workflow.made_up_province import write_province

from tanpuhui.config import wiring
from tanpuhui.config.wiring import SUBSCRIBERS
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import decide, install_effects, installed_effects
from tanpuhui.science.methodology import operations
from tanpuhui.science.methodology.domain import SUBJECT_TYPE
from tanpuhui.science.methodology.operations import propose_filing

if TYPE_CHECKING:
    from tests.integration.science.methodology.committee import Committee

EFFECTS = {
    (SUBJECT_TYPE, "recommend"): operations.recommend_version,
    (SUBJECT_TYPE, "file"): operations.file_version,
    (SUBJECT_TYPE, "return"): operations.return_version,
    (SUBJECT_TYPE, "resubmit"): operations.resubmit_version,
    (SUBJECT_TYPE, "reject"): operations.reject_version,
}

MAIN = """
schema: tanpuhui-methodology/1
code: T01
version: "1.0"
name: {zh: 试验出行, en: Trial travel}
class: SCENARIO
scenario: trial
status: FORM
scope: {zh: 试验, en: Trial}
beneficiary: {zh: 乘车人, en: The rider}
fields:
  - {code: distance_km, name: {zh: 里程, en: Distance}, unit: pkm, min: 0, max: 300, places: 3, privacy: amount, nullable: no}
parameters:
  - {code: factor, name: {zh: 因子, en: Factor}, unit: kgCO2/pkm, state: STATE}
eligibility: []
calculations:
  - code: by_distance
    name: {zh: 按里程, en: By distance}
    formulas:
      - {code: reduction, name: {zh: 减排量, en: Reduction}, role: reduction, unit: kgCO2e, formula: 里程 * 因子}
exclusions: []
rounding: {unit: gCO2e, places: 0, rule: floor, remainder: stored}
clauses: []
"""

FACTORS = """
schema: tanpuhui-factors/1
factors:
  - code: trial
    name: {zh: 试验因子, en: Trial factor}
    value: 0.1
    unit: kgCO2/pkm
    source: {zh: 试验, en: Trial}
    confidence: H
"""

PARAMETER_SET = """
schema: tanpuhui-parameter-set/1
code: trial-set
purpose: PURPOSE
label: {zh: 试验, en: Trial}
values:
  T01:
    factor: {value: 0.2, unit: kgCO2/pkm, confidence: H, source: {zh: 试验, en: Trial}}
"""


def files(*, runnable: bool = True) -> dict[str, bytes]:
    """Return the files of the small methodology; not runnable, its one factor waits for the operator."""
    state = "SET, factor: trial" if runnable else "OP"
    return {"methodology.yaml": MAIN.replace("STATE", state).encode(), "factors/trial.yaml": FACTORS.encode()}


def parameter_set(purpose: str) -> bytes:
    """Return a parameter set that gives the factor."""
    return PARAMETER_SET.replace("PURPOSE", purpose).encode()


def somebody(role: Role, number: str = "1") -> Actor:
    """Return a person who holds the role over the whole made-up province."""
    return Actor(kind="user", id=number, grants=(Grant(role=role, area="990000"),))


def settle(version_id: int, *, at: datetime, steps: tuple[tuple[str, Role], ...]) -> int:
    """Propose a version and take the steps; return its case."""
    case_id = propose_filing(actor=somebody(Role.MAKER), at=at, version_id=version_id).case_id
    for outcome, role in steps:
        decide(
            actor=somebody(role),
            at=at,
            idempotency_key=None,
            case_id=case_id,
            outcome=outcome,
            opinion="同意",
        )
    return case_id


FILING = (("recommend", Role.EXPERT), ("file", Role.REGULATOR))


@pytest.fixture
def wired(db: None, now: datetime, settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.TANPUHUI_JURISDICTION_DIR = write_province(tmp_path / "made-up")
    load_jurisdiction(actor=SYSTEM, at=now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    before = installed_effects()
    install_subscribers(dict.fromkeys(SUBSCRIBERS, ()))
    install_effects(EFFECTS)
    yield
    install_effects(before)


@pytest.fixture
def committee(
    db: None, now: datetime, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Committee]:
    """Set up a pool, an applicant and a filing that the centre accepted, with the product's own wiring."""
    from tests.integration.science.methodology.committee import assemble_committee, write_committee_province

    monkeypatch.delenv("TANPUHUI_KEY_RING", raising=False)
    settings.TANPUHUI_JURISDICTION_DIR = write_committee_province(tmp_path / "made-up")
    settings.TANPUHUI_DATA_DIR = tmp_path
    wiring.install()
    made = assemble_committee(at=now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    made.propose()
    yield made
    wiring.install()
