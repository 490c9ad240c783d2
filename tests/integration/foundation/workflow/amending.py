"""The made-up province with the processes of amendment and appeal, as the shipped files say them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.foundation.workflow.conftest import SUBJECT_TYPE, Province

from tanpuhui.config.wiring import EFFECTS, GUARDS
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.models import Decision
from tanpuhui.foundation.workflow.operations import (
    NOTHING_TO_UNDO,
    Amendment,
    decide,
    install_effects,
    install_guards,
    install_undo,
    installed_effects,
    installed_guards,
    installed_undo,
    propose_amendment,
)

SHIPPED = Path(__file__).resolve().parents[4] / "jurisdictions" / "shandong" / "processes"
OUTCOMES = (
    "submit",
    "verify",
    "prepare",
    "return",
    "reject",
    "withdraw",
    "resubmit",
    "announce",
    "accept",
    "admit",
)


@dataclass(kw_only=True)
class Amending:
    """A province in which decisions are amended and appealed against."""

    province: Province
    folder: Path

    def verified(self) -> int:
        """Return a case with two decisions: the owner's, and the verifier's."""
        case_id = self.province.open("issuance").case_id
        self.province.decide(case_id, "submit", Role.OWNER)
        self.province.decide(case_id, "verify", Role.VERIFIER)
        return case_id

    def propose(
        self,
        case_id: int,
        step: int,
        kind: Amendment,
        *,
        reason: str = "有误",
        wording: str = "",
        actor: Actor | None = None,
    ) -> int:
        """Propose to amend the decision of a step; return the case of the proposal."""
        decision = Decision.objects.get(case_id=case_id, step=step)
        return self.propose_decision(decision.pk, kind, reason=reason, wording=wording, actor=actor)

    def propose_decision(
        self,
        decision_id: int,
        kind: Amendment,
        *,
        reason: str = "有误",
        wording: str = "",
        actor: Actor | None = None,
    ) -> int:
        """Propose to amend a decision; return the case of the proposal."""
        return propose_amendment(
            actor=actor or self.province.actor(Role.MAKER),
            at=self.province.at,
            idempotency_key=None,
            decision_id=decision_id,
            kind=kind,
            reason=reason,
            wording=wording,
        ).case_id

    def refused_proposal(
        self, expected: type[Refusal], case_id: int, step: int, kind: Amendment, *, reason: str, wording: str
    ) -> None:
        """Expect a refusal, after which nothing of the proposal is left."""
        with pytest.raises(expected):
            self.propose(case_id, step, kind, reason=reason, wording=wording)

    def refused(self, expected: type[Refusal], case_id: int, outcome: str) -> None:
        """Expect the checker's decision to be refused."""
        with pytest.raises(expected):
            self.province.decide(case_id, outcome, Role.CHECKER)


@pytest.fixture
def amending(province: Province, settings: Settings) -> Iterator[Amending]:
    """Load the processes of amendment and appeal, wired as in the product; the made-up subject's outcomes undo nothing."""
    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    for name in ("decision_amendment.yaml", "appeal.yaml"):
        shutil.copy(SHIPPED / name, folder / "processes" / name)
    load_jurisdiction(actor=SYSTEM, at=province.at, folder=folder)
    own = {key: effect for key, effect in EFFECTS.items() if key[0] in {"decision", "case"}}
    before = installed_undo()
    install_effects({**installed_effects(), **own})
    install_guards(
        {**installed_guards(), **{key: guard for key, guard in GUARDS.items() if key[0] == "decision"}}
    )
    install_undo({(SUBJECT_TYPE, outcome): NOTHING_TO_UNDO for outcome in OUTCOMES})
    yield Amending(province=province, folder=folder)
    install_undo(before)


def rescind_last(case_id: int, *, at: datetime, area: str) -> int:
    """Rescind the last decision of a case that stands, by two persons; return its step."""
    (step, *_) = [
        decision.step
        for decision in Decision.objects.filter(case_id=case_id, rescinds=None, rescinded_by=None).order_by(
            "-step"
        )
    ]
    people = [
        Actor(kind="user", id=str(number), grants=(Grant(role=role, area=area),))
        for number, role in ((8801, Role.MAKER), (8802, Role.CHECKER))
    ]
    proposed = propose_amendment(
        actor=people[0],
        at=at,
        idempotency_key=None,
        decision_id=Decision.objects.get(case_id=case_id, step=step).pk,
        kind=Amendment.RESCISSION,
        reason="有误",
    )
    decide(
        actor=people[1],
        at=at,
        idempotency_key=None,
        case_id=proposed.case_id,
        outcome="confirm_rescission",
        opinion="同意",
    )
    return step
