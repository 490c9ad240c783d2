"""Tell people that records of theirs were taken back, why, and where to appeal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts.models import CarbonAccount
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.messages.operations import tell


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBackTold:
    """How many people were told of a run."""

    run_id: int
    people: int


@operation(roles={Role.SYSTEM}, subject="exception_run:{run_id}")
def tell_of_taken_back(*, actor: Actor, at: datetime, run_id: int) -> TakenBackTold:
    """Tell everybody whose records a run took back, once; whoever closed the account is told nothing. Raises NotFound, TemplateUnknown."""
    run = activity.taken_back_run(run_id)
    scenario = next(one for one in activity.scenarios() if one.code == run.scenario)
    people = CarbonAccount.objects.filter(ledger_account_id__in=run.account_ids).values_list(
        "user_id", flat=True
    )
    told = tell(
        at=at,
        user_ids=people,
        template="records.taken_back",
        data={
            "scenario": scenario.name_zh,
            "scenario_en": scenario.name_en or scenario.name_zh,
            "why": run.text("zh"),
            "why_en": run.text("en"),
        },
        event=f"exception_run:{run_id}",
    )
    return TakenBackTold(run_id=run_id, people=len(told.user_ids))
