"""Erasure of traces (轨迹删除): where they stand, which columns stay, and why an erasure has to wait.

Basis: 个人信息保护法 article 47 (the handler deletes when consent is withdrawn), 15 (what was done before stays valid).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal


class ErasedPlace(StrEnum):
    """The kinds of payloads that hold traces."""

    RECORDS = "records"
    SET_ASIDE = "set_aside"


CONSENT_WITHDRAWN = "consent_withdrawn"
"""Why traces are erased: the person withdrew the consent for the scenario and asked for it (撤回授权)."""

ACCOUNT_CLOSED = "account_closed"
"""Why traces are erased: the person closed their account (账户注销), so those of every scenario go."""

KEPT: Mapping[ErasedPlace, frozenset[str]] = {
    ErasedPlace.RECORDS: frozenset({"row"}),
    ErasedPlace.SET_ASIDE: frozenset(
        {"row_number", "account_id", "area", "reason", "winner_batch", "winner_row"}
    ),
}
"""Columns that stay when a record's traces go: its place, whose entries it stands behind, and why it did not count."""


def payloads_sha256(payloads: Sequence[tuple[str, int, int, bytes, bytes]]) -> bytes:
    """Return the hash over what became what: place, owner, bucket, hash before and after, in this order."""
    lines = (
        f"{place} {owner} {bucket} {old.hex()} {new.hex()}\n" for place, owner, bucket, old, new in payloads
    )
    return hashlib.sha256("".join(sorted(lines)).encode()).digest()


class ConsentNotWithdrawn(Refusal):
    """Traces of a scenario are erased once its consent is withdrawn; until then new ones come."""

    code = "CONSENT_NOT_WITHDRAWN"
    zh = "这个场景的授权还有效，新的行程还会送来。请先撤回授权，再删除行程明细。"
    en = "The consent for this scenario still stands, so new records keep coming. Withdraw it first, then erase the details."


class RecordsStillWait(Refusal):
    """Records of the person in the scenario wait for their settlement or a review, which needs their traces."""

    code = "RECORDS_STILL_WAIT"
    zh = "还有 {records} 条 {day} 等日的记录正在等待日结算或复核，要用到行程明细。请在它们办完后再删除。"
    en = (
        "{records} records, the first of {day}, wait for their settlement or a review, which needs the details. "
        "Ask again once these are done."
    )


class InputsErased(Refusal):
    """A record cannot be explained any more: what it was calculated from went with its traces."""

    code = "INPUTS_ERASED"
    zh = "这条记录的行程明细已经按本人的要求删除，无法再逐步解释。入账的克数不变。"
    en = "The details of this record were erased at the person's wish, so it cannot be explained step by step any more. Its grams stand."
