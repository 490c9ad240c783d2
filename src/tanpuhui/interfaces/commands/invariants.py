"""`tanpuhui invariants`: everything that must always hold, checked now; exit 1 when something does not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as carbon_accounts
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.transparency import queries as transparency
from tanpuhui.credits.projects import queries as projects
from tanpuhui.credits.registry import queries as registry
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.journeys import closure_breaches
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.uses.rewards import queries as rewards

CHECKS: dict[str, tuple[str, Callable[[], Iterator[Breach]]]] = {
    "ledger": ("账簿平衡，余额等于分录之和 / books balance", ledger.breaches),
    "activity": ("每条记录计一次，可重算 / each record counts once and recalculates", activity.breaches),
    "carbon_accounts": ("归集不超过入账 / pooled within credited", carbon_accounts.breaches),
    "rewards": ("积分与券守恒 / points and coupons conserve", rewards.breaches),
    "projects": ("报告吨数与克数相符 / reports add up", projects.breaches),
    "registry": ("签发等于各状态之和，序列号不重叠 / units add up and are disjoint", registry.breaches),
    "methodology": ("方法学字节未变 / filed bytes unchanged", methodology.breaches),
    "transparency": ("公开日志前后一致 / the log is consistent", transparency.breaches),
    "identity": ("角色合乎机构，三员分立 / roles fit, administrators stand alone", identity.breaches),
    "workflow": ("每个决定都是流程允许的 / every decision was allowed", workflow.breaches),
    "closures": (
        "已注销的账户没有留下个人信息 / nothing personal is left of a closed account",
        closure_breaches,
    ),
}
"""One line per room: what is checked, in words, and the function that checks it."""


def breaches(rooms: Sequence[str] = tuple(CHECKS)) -> Iterator[Breach]:
    """Yield every breach of the rooms named, in the order of the table."""
    for room in rooms:
        yield from CHECKS[room][1]()


def main(arguments: Sequence[str]) -> int:
    """Check the rooms named, or all; print one line each and every breach; return 1 when there is any, 2 on a wrong name."""
    unknown = [room for room in arguments if room not in CHECKS]
    if unknown:
        print(f"没有这一项：{'、'.join(unknown)}。可选：{'、'.join(CHECKS)} / no such check", file=sys.stderr)
        return 2
    failed = False
    for room in arguments or CHECKS:
        words, check = CHECKS[room]
        started = time.monotonic()
        found = list(check())
        failed = failed or bool(found)
        print(f"{'✗' if found else '✓'} {room:16} {words}  {time.monotonic() - started:.2f} s")
        for breach in found:
            print(f"    {breach}")
    return 1 if failed else 0
