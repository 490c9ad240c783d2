"""Tell a person that their account was frozen or released, why, and until when they can appeal."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from tanpuhui.behaviour.carbon_accounts.domain import FREEZE_PROCESS
from tanpuhui.behaviour.carbon_accounts.models import AccountFreeze
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.messages.operations import tell
from tanpuhui.foundation.rulebook.queries import HolidaysUnset
from tanpuhui.foundation.workflow import queries as workflow


class FreezeNews(StrEnum):
    """The wordings of freezes; every jurisdiction's messages folder has them."""

    FROZEN = "account.frozen"
    RELEASED = "account.released"


def tell_of_freeze(act: AccountFreeze) -> None:
    """Tell the account's person of one act, once. A building block: it joins the transaction that made it true."""
    number = act.account.number
    if act.frozen:
        zh, en = _what_next(act)
        template = FreezeNews.FROZEN
        data = {"number": number, "reason": act.reason.rstrip("。"), "next_zh": zh, "next_en": en}
    else:
        template, data = FreezeNews.RELEASED, {"number": number}
    tell(
        at=act.at,
        user_ids=(act.account.user_id,),
        template=template,
        data=data,
        event=f"account_freeze:{act.pk}",
    )


def _what_next(act: AccountFreeze) -> tuple[str, str]:
    """Say what can be done: an urgent freeze ends by itself or is decided; a decided one can be appealed against."""
    if act.until is not None:
        until = f"{act.until.astimezone(CHINA):%Y-%m-%d %H:%M}"
        return (
            f"这是紧急冻结，等待复核，最迟 {until} 自行解除；复核同意冻结的，会另行通知您，那时可以申诉。",
            (
                f"This is an urgent freeze that waits for a second person; it ends by itself at {until} at the latest. "
                "If it is confirmed you will be told, and can appeal then."
            ),
        )
    return _appeal(decided_at=act.at)


def _appeal(*, decided_at: datetime) -> tuple[str, str]:
    try:
        term = workflow.appeal_term(process=FREEZE_PROCESS, decided_at=decided_at, at=decided_at)
    except HolidaysUnset:
        return "有异议的可以申诉，期限见申诉页面。", "You can appeal; the page of the appeal says until when."
    if term is None:
        return (
            "有异议的可以申诉；规则没有规定期限，请尽早提出。",
            "You can appeal; no rule sets a time limit, so do it soon.",
        )
    return (
        f"有异议的可以在 {term.last_day:%Y-%m-%d} 前（含当日）申诉。",
        f"You can appeal until {term.last_day:%Y-%m-%d}, that day included.",
    )
