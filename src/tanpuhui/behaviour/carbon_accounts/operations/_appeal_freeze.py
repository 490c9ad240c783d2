"""Appeal against the freeze of one's own account (申诉)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.carbon_accounts.domain import FreezeNotAppealable
from tanpuhui.behaviour.carbon_accounts.queries import account_of_user, freeze_of_user
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import file_own_appeal

APPROVE = "approve"


@dataclass(frozen=True, kw_only=True, slots=True)
class FreezeAppealed:
    """The case in which the appeal is decided."""

    number: str
    case_id: int
    case_number: str


@operation(roles={Role.CITIZEN}, subject="carbon_account:{number}")
def appeal_freeze(*, actor: Actor, at: datetime, reason: str, idempotency_key: str) -> FreezeAppealed:
    """Appeal against the decision that froze the actor's own account; the reason is the opinion of the appeal.

    An urgent freeze that nobody confirmed yet is no decision. Somebody who decided nothing in the freeze decides; where the
    appeal is upheld, two persons rescind the decision and the account is free. Raises NoCarbonAccount, FreezeNotAppealable,
    AppealTooLate, CaseAlreadyOpen, OpinionMissing.
    """
    user_id = int(actor.id)
    account = account_of_user(user_id)
    frozen = freeze_of_user(user_id, at=at)
    if frozen is None or frozen.case_id is None or workflow.latest_outcome(frozen.case_id) != APPROVE:
        raise FreezeNotAppealable(number=account.number)
    filed = file_own_appeal(actor=actor, at=at, case_id=frozen.case_id, reason=reason)
    return FreezeAppealed(number=account.number, case_id=filed.case_id, case_number=filed.number)
