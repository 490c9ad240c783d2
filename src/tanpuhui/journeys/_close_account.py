"""Close a carbon account and forget its person (注销账户): asked for by the person, done by a job once nothing stands in the way.

Basis: 个人信息保护法 articles 15, 47 and 50, 网络数据安全管理条例 article 24; docs/decisions/closing-an-account.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import erase_person, stop_posting
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import forget_admissions, stop_spending
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import give_up_points
from tanpuhui.books.transparency.operations import LeafKind, append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import (
    closure_to_do,
    forget_person,
    put_off,
    request_closure,
    stop_receiving,
)
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.messages.operations import forget_messages
from tanpuhui.foundation.messages.queries import people_told
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import forget_commenter
from tanpuhui.uses.rewards import queries as rewards
from tanpuhui.uses.rewards.queries import CouponState

PERSON = "user"
"""The ledger's type of owner for people."""


class InTheWay(StrEnum):
    """What must be done before an account can be closed; all but WAITING keep it from being asked for."""

    ROLE = "role"
    FROZEN = "frozen"
    CASE = "case"
    COUPON = "coupon"
    WAITING = "waiting"


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """One thing in the way: of which kind, how many, and what names it (case numbers, coupon codes, the last day)."""

    kind: InTheWay
    count: int
    names: tuple[str, ...]


class ClosureBlocked(Refusal):
    """Something of the person's is still running; the page says what, and what to do first."""

    code = "CLOSURE_BLOCKED"
    zh = "还有没办完的事，暂时不能注销。请先办完页面上列出的几项，再来申请。"
    en = "Something of yours is not settled yet, so the account cannot be closed. See to what the page lists, then ask again."


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosureAsked:
    """The closure that is asked for, and when it is to be done."""

    user_id: int
    closure_id: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountClosureTried:
    """What became of a closure: done, or put off for what stands in the way; not due, taken back or done before is neither."""

    closure_id: int
    closed: bool
    put_off_for: tuple[str, ...]
    points: Points
    records: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LatePointsGivenUp:
    """How many points corrections had given to closed accounts since, all of them back with the scheme."""

    accounts: int
    points: Points


def obstacles(user_id: int, *, at: datetime) -> tuple[Obstacle, ...]:
    """Return what stands in the way of closing a person's account, in the order in which it is best seen to."""
    found = []
    if identity.acts_for_organisation(user_id, at=at):
        found.append(Obstacle(kind=InTheWay.ROLE, count=1, names=()))
    if accounts.freeze_of_user(user_id, at=at) is not None or accounts.freeze_proposed(user_id):
        found.append(Obstacle(kind=InTheWay.FROZEN, count=1, names=()))
    cases = workflow.open_cases_by(user_id)
    if cases:
        found.append(Obstacle(kind=InTheWay.CASE, count=len(cases), names=tuple(one.number for one in cases)))
    codes = tuple(one.code for one in rewards.coupons_of(user_id) if one.state == CouponState.RESERVED)
    if codes:
        found.append(Obstacle(kind=InTheWay.COUPON, count=len(codes), names=codes))
    number = ledger.accounts_of(owner_type=PERSON, owner_ids=[user_id]).get(user_id)
    waiting = activity.waiting_of_account(number) if number is not None else ()
    if waiting:
        last = max((one.settles_on for one in waiting if one.settles_on), default=None)
        names = (last.isoformat(),) if last else ()
        found.append(Obstacle(kind=InTheWay.WAITING, count=len(waiting), names=names))
    return tuple(found)


@operation(roles={Role.CITIZEN}, subject="user:{user_id}")
def ask_to_close_account(*, actor: Actor, at: datetime, user_id: int, idempotency_key: str) -> ClosureAsked:
    """Ask for the closure of one's own account, where nothing of the person's is running.

    Records that wait for their settlement or a review do not keep anybody from asking; the closure waits for them.
    Raises ClosureBlocked, ClosureStands, HoldsRoles, AccountClosed, NotPermitted.
    """
    asked = request_closure(actor=actor, at=at, user_id=user_id, idempotency_key=idempotency_key)
    if any(one.kind != InTheWay.WAITING for one in obstacles(user_id, at=at)):
        raise ClosureBlocked
    return ClosureAsked(user_id=user_id, closure_id=asked.closure_id, due_at=asked.due_at)


@operation(roles={Role.SYSTEM}, subject="closure:{closure_id}")
def close_account(*, actor: Actor, at: datetime, closure_id: int) -> AccountClosureTried:
    """Do a closure that is due, whole or not at all; another try does no harm.

    Points go back to the scheme by entries, every trace and whatever tells who the person was goes, and the public log
    commits to the erasures. Where only records wait for their settlement, consents and bindings end now, so that no
    new ones come, and the rest follows. Grams and entries stay under a number. Raises NotFound, Busy (retryable).
    """
    stop_posting()
    user_id = closure_to_do(closure_id, at=at)
    if user_id is None:
        return _tried(closure_id)
    carbon = accounts.accounts_of_users([user_id]).get(user_id)
    if carbon is not None:
        stop_spending(carbon.id)
    found = obstacles(user_id, at=at)
    if found:
        if all(one.kind == InTheWay.WAITING for one in found):
            stop_receiving(user_id, at=at)
        reasons = [one.kind.value for one in found]
        put_off(closure_id, reasons)
        return _tried(closure_id, put_off_for=reasons)
    number = ledger.accounts_of(owner_type=PERSON, owner_ids=[user_id]).get(user_id)
    points, records = Points(0), 0
    erasures: tuple[int, ...] = ()
    if number is not None:
        erased = erase_person(account_id=number, at=at)
        records, erasures = erased.records, erased.erasure_ids
        points = give_up_points(account_id=number, reference=f"closure:{closure_id}", at=at)
    forget_admissions(user_id, at=at)
    forget_person(closure_id, user_id, at=at)
    forget_messages(user_id)  # after the person, so that whoever was telling them something is done
    forget_commenter(user_id)
    append_leaf(
        kind=LeafKind.ERASURE,
        subject=f"closure:{closure_id}",
        payload={
            "reason": "account_closed",
            "erasures": [f"traces:{erasure}" for erasure in erasures],
            "records": records,
            "points": points.value,
        },
        at=at,
    )
    return _tried(closure_id, closed=True, points=points, records=records)


@operation(roles={Role.SYSTEM}, subject="closed_accounts:{accounts}")
def give_up_late_points(*, actor: Actor, at: datetime) -> LatePointsGivenUp:
    """Take points that a correction gave to a closed account since back to the scheme: nobody can spend them. Repeatable."""
    total, several = 0, 0
    for number in _closed_accounts_with_points():
        points = give_up_points(account_id=number, reference=f"late:{number}:{at.isoformat()}", at=at)
        total += points.value
        several += bool(points.value)
    return LatePointsGivenUp(accounts=several, points=Points(total))


def closure_breaches() -> Iterator[Breach]:
    """Report closed accounts of which another room still holds something: traces, records that wait, messages."""
    closed = identity.users_closed()
    for user_id in sorted(people_told(closed)):
        yield Breach("closure.forgotten_everywhere", f"user:{user_id}", "messages are left")
    numbers = ledger.accounts_of(owner_type=PERSON, owner_ids=sorted(closed))
    for number in sorted(activity.accounts_with_traces(numbers.values())):
        yield Breach("closure.forgotten_everywhere", f"ledger_account:{number}", "traces are left")


def _closed_accounts_with_points() -> tuple[int, ...]:
    numbers = ledger.accounts_of(owner_type=PERSON, owner_ids=sorted(identity.users_closed()))
    return ledger.accounts_with_points(list(numbers.values()))


def _tried(
    closure_id: int,
    *,
    closed: bool = False,
    put_off_for: list[str] | None = None,
    points: Points = Points(0),  # noqa: B008  a frozen value
    records: int = 0,
) -> AccountClosureTried:
    return AccountClosureTried(
        closure_id=closure_id,
        closed=closed,
        put_off_for=tuple(put_off_for or ()),
        points=points,
        records=records,
    )
