"""Closing an account (账户注销): what is left of a person, how long they can come back, and why it may be refused.

Basis: 个人信息保护法 articles 15, 16 and 47, 网络数据安全管理条例 article 24 (policy notes, section 6.1).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tanpuhui.foundation.kernel.errors import Refusal

WAITING_DAYS = "account.closure_days"
"""The rule that says for how many days the person can take the closure back; unset: none, it is done at once."""


def due_at(at: datetime, days: str | None) -> datetime:
    """Return when a closure that is asked for now is to be done; `days` is the rule's whole number, None where it is unset.

    Nothing is invented where nobody set a time: the law asks for prompt deletion and knows no waiting.
    """
    return at if days is None else at + timedelta(days=int(days))


class AccountClosed(Refusal):
    """The account is closed, so nothing is given to it or done with it any more (账户已注销)."""

    code = "ACCOUNT_CLOSED"
    zh = "这个账户已经注销，不能再办理业务。本人可以用手机号重新注册，那是一个新的账户。"
    en = "This account is closed; nothing can be done with it any more. Its person can register again, as a new account."


class ClosureStands(Refusal):
    """The person asked for the closure before, and it stands."""

    code = "CLOSURE_STANDS"
    zh = "您已经申请注销，不必再申请一次。想留下，请先撤回申请。"
    en = "You have asked for the closure already; once is enough. To stay, take the request back."


class NoClosure(Refusal):
    """There is no request to take back: it was taken back before, or there never was one."""

    code = "NO_CLOSURE"
    zh = "没有可以撤回的注销申请。"
    en = "There is no request for a closure to take back."


class HoldsRoles(Refusal):
    """Who acts for an organisation is on its record; their duties end first (有机构职务)."""

    code = "CLOSURE_HOLDS_ROLES"
    zh = "这个账户还在机构中任职，或是机构的工作账户，不能自行注销。请先由机构管理员结束任职。"
    en = (
        "This account holds a role for an organisation, or is a work account, so it is not closed by its person. "
        "Ask the organisation's administrator to end the role first."
    )
