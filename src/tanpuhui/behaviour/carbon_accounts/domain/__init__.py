"""What carbon accounts and pools decide without a database (个人碳账户、归集)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.identifiers import check_character
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes, floor_to_tonnes

LEDGER_OWNER = "user"
"""The owner type under which the ledger knows a person's account; its owner id is the user's."""

CERTIFIABLE_EVIDENCE_TIERS = frozenset({1})
"""Tier 1 is the operator's own record. Clause: policy notes section 5, lower tiers never become certified units."""


class NoCarbonAccount(Refusal):
    """The person has not opened a carbon account (未开户)."""

    code = "NO_CARBON_ACCOUNT"
    zh = "还没有开通个人碳账户。请先开通，再查看减排记录。"
    en = "There is no personal carbon account yet. Open one first."


class PoolTooEarly(Refusal):
    """The month may still change (归集过早)."""

    code = "POOL_TOO_EARLY"
    zh = "{scenario} {month} 还可能有迟到的记录，{earliest} 起才能归集。"
    en = "Late records of {scenario} {month} may still come. It can be pooled from {earliest} on."
    retryable = True


class SettleDaysUndecided(Refusal):
    """No rule says how long to wait, so a person decides and says why (等待天数未定)."""

    code = "POOL_SETTLE_DAYS_UNSET"
    zh = "规则没有写明 {scenario} 月末后要等几天才能归集（pool.settle_days 未设）。请写明现在归集的理由。"
    en = "No rule says how many days to wait after a month of {scenario} (pool.settle_days is unset). Give your reason."


class AlreadyPooled(Refusal):
    """A scenario's months are pooled once, in order (已归集)."""

    code = "ALREADY_POOLED"
    zh = "{scenario} 已经归集到 {through}，不能再归集 {month}。迟到的记录会进入下一次归集。"
    en = "{scenario} is pooled up to {through}; {month} cannot be pooled again. Late records go into the next pool."


class NothingToPool(Refusal):
    """There is no certifiable posting that is not pooled yet (没有可归集的减排)."""

    code = "NOTHING_TO_POOL"
    zh = "{scenario} 到 {month} 没有尚未归集、证据等级足够的减排。"
    en = "Up to {month}, {scenario} has no reductions of sufficient evidence that are not pooled yet."


class NoPoolProof(Refusal):
    """The pool was made before contributions had a tree (早于份额证明)."""

    code = "NO_POOL_PROOF"
    zh = "{scenario} {month} 的归集早于份额证明功能，没有可下载的证明。对账单里的记录不受影响。"
    en = "The pool of {scenario} {month} was made before contributions were proved, so there is no file. The statement holds."


class AccountFrozen(Refusal):
    """The account is frozen: credits come in, nothing goes out (账户已冻结)."""

    code = "ACCOUNT_FROZEN"
    zh = "碳账户已冻结，暂时不能兑换；减排照常入账。原因：{reason}"
    en = "The carbon account is frozen and cannot be redeemed from for now; reductions are still credited. Reason: {reason}"


class FreezeCannotFollow(Refusal):
    """The account already stands so (无需变更)."""

    code = "FREEZE_CANNOT_FOLLOW"
    zh = "账户 {number} 现在的状态不需要这项变更。请核对账户号。"
    en = "Account {number} already stands so. Check the account's number."


class FreezeChangeOpen(Refusal):
    """One proposal at a time (已有待复核的变更)."""

    code = "FREEZE_CHANGE_OPEN"
    zh = "账户 {number} 已有一项冻结或解冻等待复核。请先办结那一项。"
    en = "A freeze or release of account {number} already waits for its checker. Have that decided first."


class FreezeNotDecided(Refusal):
    """An effect was called without its case's decision (案件没有这样决定)."""

    code = "FREEZE_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，账户状态没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; the account stands as it did."


class FreezeNotAppealable(Refusal):
    """There is no decided freeze to appeal against (没有可申诉的冻结)."""

    code = "FREEZE_NOT_APPEALABLE"
    zh = "碳账户 {number} 没有已经决定的冻结，不需要申诉。紧急冻结要等复核；复核不同意的会自行解除。"
    en = "No freeze of carbon account {number} was decided, so there is nothing to appeal. An urgent freeze waits for its checker."


class FreezeKind(StrEnum):
    """What a proposal wants (冻结、解冻)."""

    FREEZE = "freeze"
    RELEASE = "release"


class FreezeState(StrEnum):
    """How a proposal stands."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


FREEZE_PROCESS = "account_freeze"
FREEZE_SUBJECT = "account_freeze"


class RecordCounts(Refusal):
    """Only a record that does not count can be appealed (记录已计入)."""

    code = "RECORD_COUNTS"
    zh = "这条记录已经计入，不需要申诉。"
    en = "This record counts, so there is nothing to appeal."


class RecordAppealed(Refusal):
    """The same decision about a record is appealed once (已经申诉过)."""

    code = "RECORD_APPEALED"
    zh = "这条记录已经申诉过（办件 {number}）。请到“我的申诉”查看进展或结果。"
    en = "This record was appealed already (case {number}). See how it stands under “My appeals”."


class ReviewedByYou(Refusal):
    """Who decided the first time does not decide the appeal (回避)."""

    code = "REVIEWED_BY_YOU"
    zh = "这条记录当初由你复核，申诉要由另一人办理。请转办。"
    en = "You reviewed this record the first time, so somebody else has to deal with the appeal. Pass it on."


class AppealNotDecided(Refusal):
    """An effect was called without its case's decision (案件没有这样决定)."""

    code = "APPEAL_NOT_DECIDED"
    zh = "案件 {case_id} 最后的决定不是 {outcome}，申诉没有改变。"
    en = "The last decision of case {case_id} is not {outcome}; the appeal stands as it did."


class AppealState(StrEnum):
    """How an appeal stands (申诉状态)."""

    LODGED = "lodged"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


APPEAL_PROCESS = "record_appeal"
APPEAL_SUBJECT = "record_appeal"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSum:
    """What a pool comes to: whole tonnes, and the remainder in grams that the next pool takes over (结转)."""

    tonnes: Tonnes
    remainder: Grams


def account_number(area: str, ledger_account_id: int) -> str:
    """Return a carbon account's number: area (six digits), ten digits, check character after ISO 7064 MOD 37-2."""
    stem = f"{area}{ledger_account_id:010d}"
    return stem + check_character(stem)


def pool_sum(grams: Grams, carried_in: Grams) -> PoolSum:
    """Floor what was pooled and carried in to whole tonnes; a negative sum is carried on as it is.

    Rule FLOOR_1T: methodology notes section 2.4; only pools and project periods carry remainders and negatives.
    """
    total = grams + carried_in
    if total < Grams(0):
        return PoolSum(tonnes=Tonnes(0), remainder=total)
    whole = floor_to_tonnes(total)
    return PoolSum(tonnes=whole.tonnes, remainder=whole.remainder)


def earliest_pooling(month: Month, settle_days: int) -> date:
    """Return the first business day on which a month can be pooled: the days to wait have gone by."""
    return month.last_day + timedelta(days=settle_days + 1)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over posting hashes in order, after RFC 6962 section 2.1 (leaf prefix 0, node prefix 1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:half]) + merkle_root(leaves[half:])).digest()


def pool_root(postings: Sequence[bytes], adjustments: Sequence[bytes]) -> str:
    """Return the root of a pool (hexadecimal): over its postings' hashes, then those of recalculated results."""
    return merkle_root([*postings, *adjustments]).hex()


def same_day_of_previous_month(day: date) -> tuple[date, date]:
    """Return the first day of the month before and the day in it to compare with: 31 March compares with 28 February."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last.replace(day=min(day.day, last.day))
